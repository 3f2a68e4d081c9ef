/** /metrics: the figures of a small fleet, for whom, and in which format. */
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { HEALTH_CHECK_MS, MAX_MONITORED_PRODUCTS } from "../../src/api/limits.ts";
import { post, server, withKey } from "./server.ts";

const SECRET = "correct horse battery staple 42";
const ask = server();
const deployed = server({ ADMIN_SECRET: SECRET }, "https://datacat.example.com");
const OPENMETRICS =
  "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
const HOSTILE = 'a"b\\c\nd\u0000{x="1"} 2\r# EOF';
const NOW = Date.now();

async function record(session: string, start: object, ops: object[]): Promise<void> {
  const all = [{ op: "start", ...start }, ...ops].map((op, n) => ({ at: NOW - 60_000 + n, ...op }));
  const batch = { session, lane: "l", first: 1, last: all.length, ops: all };
  const answer = await ask("/api/ingest", post({ batches: [batch] }));
  expect(await answer.json()).toMatchObject({ results: [{ applied: all.length }] });
  expect((await ask("/api/reindex", post({ sessions: [session] }))).status).toBe(200);
}

async function scraped(
  accept = "text/plain",
  asker = ask,
  init: RequestInit = {},
): Promise<Map<string, number>> {
  const headers = [...new Headers(init.headers), ["accept", accept]] as [string, string][];
  const answer = await asker("/metrics", { ...init, headers });
  expect(answer.status).toBe(200);
  return samplesOf(await answer.text());
}

/** Values by name and labels, of text with one sample a line. */
function samplesOf(text: string): Map<string, number> {
  const samples = text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line): [string, number] => {
      const [, name = "", value] = /^(.*) (\S+)$/.exec(line) ?? [];
      return [name.replace(/^datacat_/, ""), Number(value)];
    });
  const byName = new Map(samples);
  expect(byName.size, "no series twice").toBe(samples.length);
  return byName;
}

const exception = (handled: boolean) => ({
  op: "event",
  name: "e",
  exception_type: "ValueError",
  exception_msg: "no",
  handled,
});
const tested = (id: string, result: string) => ({
  op: "event",
  name: "test",
  test: { id: [id], result },
});

beforeAll(async () => {
  await record("g1", { product: "game", version: "1" }, [
    exception(true),
    { op: "end", exit_code: 0 },
  ]);
  await record("g2", { product: "game", version: "2" }, [
    exception(false),
    { op: "crash", signal: "SIGSEGV" },
  ]);
  await record("g3", { product: "game", version: "2" }, [{ op: "end", exit_code: 3 }]);
  await record("g4", { product: "game", version: "2" }, []);
  await record("t1", { product: "runs" }, [tested("a", "passed"), { op: "end", exit_code: 0 }]);
  await record("t2", { product: "runs" }, [tested("a", "failed"), { op: "end", exit_code: 1 }]);
  await record("t3", { product: "runs" }, [tested("a", "passed"), { op: "end", exit_code: 0 }]);
  await record("e1", { product: "editor" }, [{ op: "end", exit_code: 0 }]);
  await record("n1", {}, [{ op: "end", exit_code: 0 }]);
  await record("h1", { product: HOSTILE }, [{ op: "end", exit_code: 0 }]);
}, 60_000);

test("figures are those of the sessions", async () => {
  const found = await scraped();
  const game = Object.fromEntries(
    [...found]
      .filter(([name]) => name.includes('product="game"'))
      .map(([name, value]) => [name.replace(/product="game",?/, ""), value]),
  );
  expect(game).toMatchObject({
    'sessions{status="active"}': 1,
    'sessions{status="suspended"}': 0,
    'sessions{status="hung"}': 0,
    'sessions{status="crashed"}': 1,
    'sessions{status="ended"}': 2,
    "sessions_failed{}": 1,
    "sessions_ever_hung{}": 0,
    "versions{}": 2,
    'exceptions{handled="true"}': 1,
    'exceptions{handled="false"}': 1,
    "last_session_start_timestamp_seconds{}": (NOW - 60_000) / 1_000,
  });
  expect(game["stored_bytes{}"]).toBeGreaterThan(0);
  expect(found.get('sessions{product="(none)",status="ended"}')).toBe(1);
  expect(found.get('test_runs{product="runs",result="passed"}')).toBe(2);
  expect(found.get('test_runs{product="runs",result="failed"}')).toBe(1);
  expect(found.get('exception_groups{product="game"}')).toBe(1);
  expect(found.get("figures_partial")).toBe(0);
  expect(found.get("catalog_bytes")).toBeGreaterThan(0);
  for (const component of ["catalog", "registry", "disk", "settings"])
    expect(found.get(`component_healthy{component="${component}"}`)).toBe(1);
  expect(found.get("sessions_opened_total")).toBeTypeOf("number");
});

test("a product's name stays in its label", async () => {
  const answer = await ask("/metrics", { headers: { accept: "text/plain" } });
  const lines = (await answer.text()).split("\n");
  const label = String.raw`a\"b\\c�d�{x=\"1\"} 2�# EOF`;
  expect(lines).toContain(`datacat_sessions{product="${label}",status="ended"} 1`);
  expect(lines.filter((line) => line.startsWith("# EOF"))).toEqual([]);
});

describe("the format", () => {
  test.each([
    ["text/plain", "text/plain; version=0.0.4; charset=utf-8"],
    [OPENMETRICS, "application/openmetrics-text; version=1.0.0; charset=utf-8"],
    [
      "text/plain;version=0.0.4,application/openmetrics-text;q=0.2",
      "text/plain; version=0.0.4; charset=utf-8",
    ],
  ])("for %s", async (accept, type) => {
    const answer = await ask("/metrics", { headers: { accept } });
    expect(answer.headers.get("content-type")).toBe(type);
    expect(answer.headers.get("cache-control")).toBe("private, no-store");
    expect((await answer.text()).endsWith("# EOF\n")).toBe(type.startsWith("application"));
  });

  test.each([
    undefined,
    "*/*",
    "text/html",
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
  ])("is the page for %s", async (accept) => {
    const answer = await ask("/metrics", accept === undefined ? {} : { headers: { accept } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toMatch(/^text\/html/);
  });

  test("both have the same figures", async () => {
    const [one, other] = [await scraped(), await scraped(OPENMETRICS)];
    const comparable = (found: Map<string, number>) =>
      [...found].filter(([name]) => !/_created|_written|^catalog_bytes/.test(name));
    expect(comparable(other)).toEqual(comparable(one));
  });
});

describe("a scraper", () => {
  test("needs a key that reads", async () => {
    const keyOf = async (body: object) => {
      const made = await deployed("/api/keys", withKey(SECRET, post(body)));
      return (await made.json<{ key: string }>()).key;
    };
    const headers = { accept: OPENMETRICS };
    expect((await deployed("/metrics", { headers })).status).toBe(401);
    expect((await deployed("/metrics", { headers })).headers.get("www-authenticate")).toBe(
      "Bearer",
    );
    const ingest = await keyOf({ kind: "ingest" });
    expect((await deployed("/metrics", withKey(ingest, { headers }))).status).toBe(403);
    const read = await keyOf({ kind: "read" });
    expect((await deployed("/metrics", withKey(read, { headers }))).status).toBe(200);
    expect((await server({}, "https://datacat.example.com")("/metrics", { headers })).status).toBe(
      403,
    );
  });

  test("with a key of one product gets no figure of another, or of all", async () => {
    const made = await deployed(
      "/api/keys",
      withKey(SECRET, post({ kind: "read", product: "editor" })),
    );
    const { key } = await made.json<{ key: string }>();
    const found = await scraped("text/plain", deployed, withKey(key));
    const products = [...found.keys()].flatMap((name) => /product="([^"]*)"/.exec(name)?.[1] ?? []);
    expect(new Set(products)).toEqual(new Set(["editor"]));
    expect([...found.keys()].filter((name) => name.endsWith("_total"))).toEqual([]);
  });
});

test("products after the first hundred are added up", async () => {
  const before = await scraped();
  const insert = env.CATALOG.prepare(
    `INSERT INTO version_days (product, version, day, sessions, active, suspended, hung, crashed, ended, failed, ever_hung, first_at, last_at, bytes, test_runs, failed_runs)
     VALUES (?1, '', 0, 2, 0, 0, 0, 0, 2, 0, 0, 1, ?2, 0, 0, 0)`,
  );
  const many = Array.from({ length: 150 }, (_, n) => insert.bind(`many-${n}`, n));
  await env.CATALOG.batch(many);
  const found = await scraped();
  const ended = [...found].filter(([name]) => /^sessions\{.*status="ended"/.test(name));
  expect(ended).toHaveLength(MAX_MONITORED_PRODUCTS + 1);
  const sum = (list: [string, number][]) => list.reduce((total, [, value]) => total + value, 0);
  const endedBefore = [...before].filter(([name]) => /^sessions\{.*status="ended"/.test(name));
  expect(sum(ended)).toBe(sum(endedBefore) + 300);
  expect(found.get('sessions{product="game",status="ended"}')).toBe(2);
  expect(found.get('sessions{product="(others)",status="ended"}')).toBe(
    2 * (150 - (MAX_MONITORED_PRODUCTS - endedBefore.length)),
  );
});

test("while the catalog does not answer there are no figures of sessions, and the rest is answered", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + HEALTH_CHECK_MS + 1 }); // the last check does not count any more
  try {
    const CATALOG = {
      prepare: () => {
        throw new Error("D1_ERROR: the database is down");
      },
    } as unknown as D1Database;
    const found = await scraped("text/plain", server({ LOCAL: "1", CATALOG }));
    expect(found.get('component_healthy{component="catalog"}')).toBe(0);
    expect(found.get('component_healthy{component="registry"}')).toBe(1);
    expect([...found.keys()].filter((name) => name.includes("product="))).toEqual([]);
    expect(found.has("sessions_opened_total")).toBe(true);
  } finally {
    vi.useRealTimers();
  }
});
