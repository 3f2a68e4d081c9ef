/** The server answers as its OpenAPI document describes: every route, with real requests whose bodies and answers are validated. */
import { Validator } from "@cfworker/json-schema";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import { api } from "../../src/api/index.ts";
import type { Document } from "../../src/api/openapi/document.ts";
import { post, server } from "./server.ts";

type Schema = { [keyword: string]: unknown };
type Parameter = { name: string; in: string; schema: { type?: string; enum?: string[] } };
type Operation = {
  "x-datacat-key": string;
  parameters?: Parameter[];
  requestBody?: { content: { "application/json"?: { schema: Schema } } };
  responses: { [status: string]: { content?: { [type: string]: { schema?: Schema } } } };
};

const ask = server();
const deployed = server(
  { ADMIN_SECRET: "correct horse battery staple 42" },
  "https://datacat.example.com",
);
const NOON = Date.UTC(2026, 0, 5, 12);
const CONTENT = "content of a file";

let document: Document;
const operations = new Map<string, Operation>();

beforeAll(async () => {
  const file = await env.ASSETS.fetch("http://localhost/api/openapi.json");
  expect(file.headers.get("content-type")).toMatch(/^application\/json/);
  document = await file.json();
  for (const [path, methods] of Object.entries(document.paths))
    for (const [method, operation] of Object.entries(methods))
      operations.set(`${method.toUpperCase()} ${path}`, operation as unknown as Operation);
});

/** Refuses what the schema does not name, unless it allows any further property. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== "object" || schema === null) return schema;
  const own = Object.fromEntries(
    Object.entries(schema).map(([name, value]) => [name, strict(value)]),
  );
  const isClosed =
    own["type"] === "object" && "properties" in own && !("additionalProperties" in own);
  return isClosed ? { ...own, additionalProperties: false } : own;
}

const validators = new Map<string, Validator>();

function check(schema: Schema | undefined, value: unknown, what: string): void {
  if (!schema) throw new Error(`${what} has no schema.`);
  const text = JSON.stringify(schema);
  let validator = validators.get(text);
  if (!validator) {
    const whole = JSON.stringify({ ...schema, $defs: document.components.schemas });
    const root = JSON.parse(whole.replaceAll("#/components/schemas/", "#/$defs/")) as object;
    validators.set(text, (validator = new Validator(strict(root) as object, "2020-12", false)));
  }
  const { valid, errors } = validator.validate(value);
  const causes = errors.map(({ instanceLocation, error }) => `${instanceLocation}: ${error}`);
  expect
    .soft(valid, `${what}\n${causes.join("\n")}\n${JSON.stringify(value).slice(0, 500)}`)
    .toBe(true);
}

async function sha256(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const thrown = {
  op: "event",
  name: "exception",
  exception_type: "ValueError",
  exception_msg: "no such door",
  stacktrace: ['File "a.py", line 3, in open'],
  attributes: { errno: 2 },
  notes: ["Look behind the house."],
  causes: [{ exception_type: "KeyError", exception_msg: "door", kind: "context" }],
  sources: [{ file: "a.py", first: 2, lines: ["a", "b", "c"] }],
  handled: false,
};

/** A session in which everything was recorded that there is. */
async function recordAll(): Promise<void> {
  const whole = [
    {
      op: "start",
      product: "game",
      version: "1.0",
      tags: ["ci", "branch:main"],
      state: { level: 1, list: [1, { a: null }] },
    },
    { op: "state", patch: { level: 2, player: { hp: 3 } } },
    {
      op: "event",
      name: "door",
      category: "info",
      group: "world",
      labels: ["x"],
      data: { door: 7 },
      message: "It is open.",
    },
    thrown,
    {
      op: "metric",
      type: "gauge",
      name: "fps",
      value: 60,
      unit: "1/s",
      tags: ["main"],
      metadata: { of: "screen" },
    },
    { op: "metric", type: "gauge", name: "fps", value: 20, unit: "1/s", tags: ["main"] },
    { op: "metric", type: "counter", name: "hits", delta: 3 },
    { op: "metric", type: "counter", name: "hits", delta: 4 },
    { op: "metric", type: "timer", name: "load", value: 0.5, count: 2 },
    { op: "metric", type: "histogram", name: "latency", value: 0.2, buckets: [0.1, 1] },
    { op: "heartbeat", timeout_ms: 1_000 },
    { op: "hang", last_heartbeat_at: NOON, process_state: "blocked", cpu_percent: 0 },
    {
      op: "stacks",
      when: "hung",
      threads: [{ name: "main", current: true, frames: ["at f (a.js:1:2)"] }],
    },
    {
      op: "attachment",
      id: "a.1",
      name: "log.txt",
      size: CONTENT.length,
      sha256: await sha256(CONTENT),
    },
    { op: "dropped", cause: "queue", count: 2, first_at: NOON, last_at: NOON },
    { op: "crash", signal: "SIGSEGV", message: "It fell.", also_ended: 2 },
  ];
  const tests = (status: string) => [
    {
      op: "start",
      product: "runs",
      version: "1",
      state: { ci: { branch: "main", commit: "abc" } },
    },
    { op: "event", name: "test", test: { id: ["a.test.ts", "adds"] } },
    {
      op: "event",
      name: "test",
      message: "1 is not 2",
      test: {
        id: ["a.test.ts", "adds"],
        result: status,
        duration_ms: 3,
        differences: [{ expected: "1", actual: "2" }],
      },
    },
    {
      op: "event",
      name: "test",
      test: { id: ["a.test.ts", "works"], result: "passed", duration_ms: 1 },
    },
    { op: "end", exit_code: status === "passed" ? 0 : 1 },
  ];
  const sessions = {
    whole,
    ...Object.fromEntries(
      [1, 2, 3, 4, 5].map((n) => [
        `good${n}`,
        [whole[0], whole[1], whole[4], { op: "end", exit_code: 0 }],
      ]),
    ),
    failed: tests("failed"),
    passed: tests("passed"),
  };
  for (const [index, [session, ops]] of Object.entries(sessions).entries()) {
    const at = NOON + (session === "whole" ? 3_600_000 : index * 60_000);
    const all = ops.map((op, n) => ({ at: at + n * 1_000, ...op }));
    const batch = { session, lane: "l", first: 1, last: all.length, ops: all };
    const answer = await ask("/api/ingest", post({ batches: [batch] }));
    expect(await answer.json()).toMatchObject({ results: [{ applied: all.length }] });
  }
  await ask("/api/reindex", post({ sessions: Object.keys(sessions) }));
}

type Example = {
  path: string;
  body?: unknown;
  bytes?: string | (() => Promise<ArrayBuffer>);
  upgrade?: true;
};

/** Requests by route, each in the order in which they are sent: what removes something is last. */
async function examples(): Promise<Map<string, Example[]>> {
  const json = async (path: string) =>
    (await ask(path)).json<{ items: { [name: string]: string }[] }>();
  const groups = (await json("/api/exceptions")).items;
  const groupOf = (type: string) => groups.find((each) => each["type"] === type)?.["fingerprint"];
  const [fingerprint, second] = [groupOf("ValueError"), groupOf("Other")];
  const key = (await json("/api/sessions/failed/tests")).items[0]?.["key"] ?? "";
  const other = await (await ask("/api/keys", post({ kind: "ingest" }))).json<{ id: string }>();
  const map = JSON.stringify({ version: 3, sources: ["a.ts"], names: [], mappings: "AAAA" });
  const op = { op: "event", at: NOON, name: "late" };
  const get = (...paths: string[]): Example[] => paths.map((path) => ({ path }));
  const wide = "product=game&from=0";
  return new Map<string, Example[]>([
    ["GET /health", get("/health")],
    ["GET /metrics", get("/metrics")],
    [
      "POST /api/ingest",
      [
        {
          path: "/api/ingest",
          body: {
            sent_at: Date.now(),
            batches: [
              {
                session: "more",
                lane: "l",
                first: 1,
                last: 1,
                ops: [op],
                dropped: { full: 1 },
                writer: { pid: 1 },
                lease_ms: 5,
              },
            ],
          },
        },
        {
          path: "/api/ingest",
          body: { batches: [{ session: "more", lane: "l", first: 9, last: 9, ops: [op] }] },
        },
      ],
    ],
    [
      "GET /api/sessions",
      get(
        "/api/sessions",
        "/api/sessions?limit=2",
        `/api/sessions?${wide}&q=is:crashed&sort=ran_ms&order=asc`,
      ),
    ],
    [
      "GET /api/sessions/{id}/summary",
      get(
        "/api/sessions/whole/summary",
        "/api/sessions/failed/summary",
        "/api/sessions/more/summary",
      ),
    ],
    [
      "GET /api/sessions/{id}/state",
      get("/api/sessions/whole/state", "/api/sessions/whole/state?seq=1"),
    ],
    [
      "GET /api/sessions/{id}/state/history",
      get("/api/sessions/whole/state/history", "/api/sessions/whole/state/history?path=level"),
    ],
    [
      "GET /api/sessions/{id}/state/diff",
      get(
        "/api/sessions/whole/state/diff?from_seq=1",
        "/api/sessions/whole/state/diff?from_seq=0&to_seq=9",
      ),
    ],
    [
      "GET /api/sessions/{id}/events",
      get(
        "/api/sessions/whole/events",
        "/api/sessions/whole/events?exceptions=true&limit=1",
        "/api/sessions/failed/events",
      ),
    ],
    ["GET /api/sessions/{id}/events/counts", get("/api/sessions/whole/events/counts")],
    [
      "GET /api/sessions/{id}/tests",
      get(
        "/api/sessions/failed/tests",
        "/api/sessions/failed/tests?results=failed,passed&sort=duration&limit=1",
      ),
    ],
    ["GET /api/sessions/{id}/tests/{key}", get(`/api/sessions/failed/tests/${key}`)],
    ["GET /api/sessions/{id}/stacks", get("/api/sessions/whole/stacks")],
    [
      "PUT /api/sessions/{id}/attachments/{attachment}/chunks/{chunk}",
      [{ path: "/api/sessions/whole/attachments/a.1/chunks/0", bytes: CONTENT }],
    ],
    [
      "GET /api/sessions/{id}/attachments/{attachment}/chunks",
      get("/api/sessions/whole/attachments/a.1/chunks"),
    ],
    ["GET /api/sessions/{id}/attachments", get("/api/sessions/whole/attachments")],
    ["GET /api/sessions/{id}/attachments/{attachment}", get("/api/sessions/whole/attachments/a.1")],
    ["GET /api/sessions/{id}/metrics", get("/api/sessions/whole/metrics")],
    [
      "GET /api/sessions/{id}/metrics/{name}",
      get(
        ...["fps", "hits", "load", "latency"].flatMap((name) => [
          `/api/sessions/whole/metrics/${name}`,
          `/api/sessions/whole/metrics/${name}?points=1&quantiles=true`,
        ]),
      ),
    ],
    ["GET /api/sessions/{id}/timeline", get("/api/sessions/whole/timeline?buckets=3")],
    ["GET /api/sessions/{id}/changes", get("/api/sessions/whole/changes")],
    [
      "GET /api/sessions/{id}/export",
      get(
        "/api/sessions/whole/export",
        "/api/sessions/whole/export?format=json",
        "/api/sessions/whole/export?format=csv&bom=true",
        "/api/sessions/whole/export?format=datacat",
      ),
    ],
    [
      "POST /api/sessions/import",
      ["", "?id=imported"].map((query) => ({
        path: `/api/sessions/import${query}`,
        bytes: async () => (await ask("/api/sessions/whole/export?format=datacat")).arrayBuffer(),
      })),
    ],
    ["GET /api/sessions/{id}/live", [{ path: "/api/sessions/whole/live", upgrade: true }]],
    ["GET /api/distinctions", get("/api/distinctions?product=game&status=crashed")],
    ["GET /api/products", get("/api/products", "/api/products?days=400&product=game")],
    ["GET /api/metrics", get("/api/metrics", "/api/metrics?product=game&limit=1")],
    [
      "GET /api/metrics/{name}",
      get(
        "/api/metrics/fps",
        "/api/metrics/hits?by=version",
        "/api/metrics/latency?quantiles=true&axis=elapsed",
        "/api/metrics/none",
        "/api/metrics/fps?format=csv",
      ),
    ],
    [
      "GET /api/metrics/{name}/sessions",
      get(
        "/api/metrics/fps/sessions",
        "/api/metrics/latency/sessions",
        "/api/metrics/fps/sessions?format=csv",
      ),
    ],
    ["GET /api/events", get("/api/events")],
    ["GET /api/tests", get("/api/tests?product=runs")],
    ["GET /api/tests/{key}", get(`/api/tests/${key}?product=runs`)],
    ["GET /api/exceptions", get("/api/exceptions", "/api/exceptions?product=game&sort=count")],
    ["GET /api/exceptions/{fingerprint}", get(`/api/exceptions/${fingerprint}?days=400`)],
    [
      "POST /api/exceptions/{fingerprint}",
      [
        {
          path: `/api/exceptions/${fingerprint}`,
          body: { product: "game", status: "resolved", version: "2" },
        },
      ],
    ],
    [
      "POST /api/exceptions/{fingerprint}/merges",
      [
        {
          path: `/api/exceptions/${fingerprint}/merges`,
          body: { product: "game", fingerprints: [second] },
        },
      ],
    ],
    ["GET /api/exceptions/{fingerprint}/merges", get(`/api/exceptions/${fingerprint}/merges`)],
    [
      "DELETE /api/exceptions/{fingerprint}/merges",
      get(`/api/exceptions/${second}/merges?product=game`),
    ],
    [
      "GET /api/tables/sessions",
      get("/api/tables/sessions", "/api/tables/sessions?completeness=true"),
    ],
    ["GET /api/tables/sessions/steps", get("/api/tables/sessions/steps?by=status")],
    [
      "GET /api/tables/metrics/{name}",
      get("/api/tables/metrics/fps", "/api/tables/metrics/fps?quantiles=true"),
    ],
    ["GET /api/tables/metrics/{name}/sessions", get("/api/tables/metrics/fps/sessions")],
    ["GET /api/tables/products", get("/api/tables/products")],
    ["GET /api/tables/days", get("/api/tables/days?from=0")],
    ["GET /api/tables/exceptions", get("/api/tables/exceptions")],
    ["GET /api/tables/exceptions/days", get("/api/tables/exceptions/days?from=0")],
    ["GET /api/tables/names", get("/api/tables/names?of=event")],
    [
      "PUT /api/sourcemaps",
      [{ path: "/api/sourcemaps?product=game&version=1&file=a.js", bytes: map }],
    ],
    ["GET /api/sourcemaps", get("/api/sourcemaps", "/api/sourcemaps?product=game&version=1")],
    ["DELETE /api/sourcemaps", get("/api/sourcemaps?product=game&version=1")],
    [
      "POST /api/keys",
      [
        { path: "/api/keys", body: { kind: "read", product: "game", label: "a" } },
        {
          path: "/api/keys",
          body: { kind: "ingest", sessions_per_day: null, origins: ["https://example.org"] },
        },
      ],
    ],
    ["GET /api/keys", get("/api/keys")],
    [
      "POST /api/keys/{id}",
      [{ path: `/api/keys/${other.id}`, body: { rows_per_day: 7, continues_others: true } }],
    ],
    ["DELETE /api/keys/{id}", get(`/api/keys/${other.id}`)],
    ["GET /api/audit", get("/api/audit", "/api/audit?limit=1")],
    [
      "POST /api/reindex",
      [
        { path: "/api/reindex", body: { sessions: ["whole"] } },
        { path: "/api/reindex", body: {} },
        { path: "/api/reindex" },
      ],
    ],
    [
      "POST /api/sessions",
      [{ path: "/api/sessions", body: { product: "old" } }, { path: "/api/sessions" }],
    ],
    ["POST /api/sessions/{id}/state", [{ path: "/api/sessions/more/state", body: { level: 4 } }]],
    [
      "POST /api/sessions/{id}/events",
      [
        {
          path: "/api/sessions/more/events",
          body: {
            name: "a",
            category: { x: 1 },
            labels: ["b", null],
            timestamp: "2026-01-05T12:00:00Z",
          },
        },
      ],
    ],
    [
      "POST /api/sessions/{id}/metrics",
      [
        {
          path: "/api/sessions/more/metrics",
          body: { name: "a", type: "gauge", value: 1, tags: ["b"], metadata: { x: 1 } },
        },
      ],
    ],
    ["POST /api/sessions/{id}/heartbeat", [{ path: "/api/sessions/more/heartbeat" }]],
    [
      "GET /api/sessions/{id}",
      get("/api/sessions/whole", "/api/sessions/more", "/api/sessions/failed"),
    ],
    ["GET /api/data/sessions", get("/api/data/sessions")],
    ["GET /api/grafana/sessions", get("/api/grafana/sessions")],
    [
      "POST /api/sessions/{id}/crash",
      [{ path: "/api/sessions/more/crash", body: { reason: "x" } }],
    ],
    ["POST /api/sessions/{id}/end", [{ path: "/api/sessions/more/end" }]],
    ["DELETE /api/sessions/{id}", get("/api/sessions/good5")],
  ]);
}

test("the document has the routes of the server, and no others", () => {
  const served = api.routes
    .filter(({ method }) => method !== "ALL")
    .map(
      ({ method, path }) =>
        `${method} /api${path.replaceAll(/:(\w+)/g, "{$1}").replace(/\/$/, "")}`,
    );
  expect([...operations.keys()].toSorted()).toEqual(
    [...new Set(served), "GET /health", "GET /metrics"].toSorted(),
  );
});

test("every route takes the bodies and gives the answers of its schemas", async () => {
  await recordAll();
  const second = { ...thrown, at: NOON + 1, exception_type: "Other", fingerprint: "second" };
  const start = { op: "start", at: NOON, product: "game" };
  await ask(
    "/api/ingest",
    post({ batches: [{ session: "other", lane: "l", first: 1, last: 2, ops: [start, second] }] }),
  );
  await ask("/api/reindex", post({ sessions: ["other"] }));

  const requests = await examples();
  expect([...requests.keys()].toSorted()).toEqual([...operations.keys()].toSorted());
  for (const [route, list] of requests) {
    const [method = ""] = route.split(" ");
    const operation = operations.get(route);
    for (const { path, body, bytes, upgrade } of list) {
      const what = `${route}: ${path}`;
      if (body !== undefined)
        check(operation?.requestBody?.content["application/json"]?.schema, body, `${what}, body`);
      const headers: Record<string, string> = upgrade ? { upgrade: "websocket" } : {};
      if (path === "/metrics") headers["accept"] = "text/plain";
      const content = typeof bytes === "function" ? await bytes() : bytes;
      const sent = body === undefined ? content : JSON.stringify(body);
      const answer = await ask(path, {
        method,
        headers,
        ...(sent !== undefined && { body: sent }),
      });
      const documented = operation?.responses[String(answer.status)];
      expect(
        documented,
        `${what}: ${answer.status} ${answer.webSocket ? "" : await answer.clone().text()}`,
      ).toBeDefined();
      const refusal = answer.ok || answer.webSocket ? "" : await answer.clone().text();
      expect(answer.ok || answer.status === 101, `${what} ${refusal}`).toBe(true);
      if (answer.webSocket) {
        answer.webSocket.accept();
        answer.webSocket.close();
        continue;
      }
      const type = answer.headers.get("content-type")?.split(";")[0] ?? "";
      expect(Object.keys(documented?.content ?? {}), what).toContain(type);
      // The document of an export is what its lines are.
      if (type === "application/json" && !path.includes("/export"))
        check(documented?.content?.[type]?.schema, await answer.json(), what);
      else await answer.arrayBuffer();
    }
  }
});

describe("refusals", () => {
  async function checkRefusal(answer: Response, status: number, what: string): Promise<void> {
    expect(answer.status, what).toBe(status);
    const value = await answer.json();
    check(document.components.schemas["Refusal"], value, what);
  }

  test("a key is needed wherever the document names one", async () => {
    for (const [route, { "x-datacat-key": key }] of operations) {
      const [method = "", path = ""] = route.split(" ");
      const init = { method, headers: { accept: "text/plain" } };
      const answer = await deployed(path.replaceAll(/\{\w+\}/g, "x"), init);
      if (key === "none") expect(answer.status).toBe(200);
      else await checkRefusal(answer, 401, route);
    }
  });

  test("values of another type than the document's are refused, with the parameter's name", async () => {
    let checked = 0;
    for (const [route, { parameters = [] }] of operations) {
      const [method = "", path = ""] = route.split(" ");
      const choices = parameters
        .filter(({ in: place, schema }) => place === "query" && schema.enum !== undefined)
        .map(({ name, schema }) => `${name}=${schema.enum?.[0]}`);
      for (const { name, in: place, schema } of parameters) {
        const isTyped =
          schema.enum !== undefined || /^(number|integer|boolean)$/.test(schema.type ?? "");
        if (place !== "query" || !isTyped) continue;
        const others = choices.filter((each) => !each.startsWith(`${name}=`));
        const address = `${path.replaceAll(/\{\w+\}/g, "whole")}?${[...others, `${name}=x-y`].join("&")}`;
        if (route === "GET /api/sessions/{id}/attachments/{attachment}") continue; // it looks for the attachment as well
        const answer = await ask(address, { method });
        await checkRefusal(answer.clone(), 400, `${method} ${address}`);
        expect(await answer.text(), address).toContain(`parameter ${name}`);
        checked++;
      }
    }
    expect(checked).toBeGreaterThan(90);
  });

  test("a body of another type is refused", async () => {
    for (const [route, { requestBody }] of operations) {
      if (!requestBody?.content["application/json"]) continue;
      const [method = "", path = ""] = route.split(" ");
      if (path.endsWith("/crash")) continue; // 1.x took any body
      const answer = await ask(
        path.replaceAll("{id}", "whole").replaceAll("{fingerprint}", "second"),
        { method, body: "1" },
      );
      await checkRefusal(answer, 400, route);
    }
  });
});
