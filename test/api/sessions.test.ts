import { expect, test } from "vitest";
import type { Summary } from "../../src/core/answers/summary.ts";
import { open, post, type Server, server } from "./server.ts";

const ask = server();
const at = Date.UTC(2026, 10, 23, 12);
let sessions = 0;

async function json<Answer>(path: string, asker: Server = ask): Promise<Answer> {
  const response = await asker(path);
  expect(response.status, path).toBe(200);
  expect(response.headers.get("content-type")).toMatch(/^application\/json/);
  return response.json() as Promise<Answer>;
}

/** A short run of a game, its ops a second apart from `at`, all in the catalog. */
async function record(ops: object[], product = "game"): Promise<string> {
  const session = `run-${++sessions}`;
  const all = [{ op: "start", product, version: "1.0", tags: ["ci"] }, ...ops].map((op, n) => ({
    at: at + n * 1_000,
    ...op,
  }));
  const batch = {
    session,
    lane: `lane-${session}`,
    first: 1,
    last: all.length,
    ops: all,
    writer: { hostname: "workshop", machine_id: "m1" },
  };
  const response = await ask("/api/ingest", post({ sent_at: Date.now(), batches: [batch] }));
  expect(await response.json()).toMatchObject({ results: [{ applied: all.length }] });
  expect((await ask("/api/reindex", post({ sessions: [session] }))).status).toBe(200);
  return session;
}

const game = [
  { op: "state", patch: { level: 1, player: { hp: 10 } } },
  {
    op: "event",
    name: "door_opened",
    category: "info",
    group: "world",
    labels: ["door"],
    data: { door: 7 },
  },
  { op: "metric", type: "gauge", name: "fps", value: 60, unit: "1/s", tags: ["main"] },
  { op: "state", patch: { level: 2, player: { hp: 3 } } },
  {
    op: "event",
    name: "exception",
    exception_type: "ValueError",
    exception_msg: "no such door",
    stacktrace: ['File "a.py", line 3, in open'],
  },
  { op: "metric", type: "gauge", name: "fps", value: 20, unit: "1/s", tags: ["main"] },
];

test("a session can be asked for everything that it was", async () => {
  const id = await record([...game, { op: "end", exit_code: 0 }]);
  const path = `/api/sessions/${id}`;
  expect(await json<Summary>(`${path}/summary`)).toMatchObject({
    id,
    product: "game",
    tags: ["ci"],
    hostname: "workshop",
    exit_code: 0,
    verdict: { status: "ended" },
    counts: { states: 2, events: 2, exceptions: 1, points: 2, series: 1 },
  });
  expect(await json(`${path}/state`)).toMatchObject({ state: { level: 2, player: { hp: 3 } } });
  expect(await json(`${path}/state?at=${at + 1_500}`)).toMatchObject({
    state: { level: 1, player: { hp: 10 } },
  });
  expect(await json(`${path}/state?seq=2`)).toMatchObject({ seq: 2, state: { level: 1 } });
  expect(await json(`${path}/state/history`)).toMatchObject({
    items: [{ patch: { level: 1 } }, { patch: { level: 2 } }],
  });
  for (const asked of ["player.hp", '["player","hp"]']) {
    const changes = await json<{ items: unknown[] }>(
      `${path}/state/history?path=${encodeURIComponent(asked)}`,
    );
    expect(changes.items).toMatchObject([
      { after: 10 },
      { before: 10, after: 3, cause: { name: "door_opened" } },
    ]);
  }
  expect(await json(`${path}/state/diff?from=${at + 1_500}&to=${at + 9_000}`)).toMatchObject({
    differences: expect.arrayContaining([
      { path: ["level"], kind: "changed", before: 1, after: 2 },
    ]),
  });
  expect(await json(`${path}/events?order=desc&limit=1`)).toMatchObject({
    items: [{ name: "exception" }],
    next: expect.any(String),
  });
  expect(await json(`${path}/events?label=door&group=world`)).toMatchObject({
    items: [{ data: { door: 7 } }],
  });
  expect(await json(`${path}/events?tag=door&group=world`)).toMatchObject({
    items: [{ data: { door: 7 } }],
  });
  expect(await json(`${path}/events?tag=window`)).toMatchObject({ items: [] });
  expect(await json(`${path}/events?exceptions=true`)).toMatchObject({
    items: [{ exception_type: "ValueError", fingerprint: expect.any(String) }],
  });
  expect(await json(`${path}/events/counts`)).toMatchObject([{ count: 1 }, { count: 1 }]);
  expect(await json(`${path}/metrics`)).toMatchObject([
    { name: "fps", points: 2, min: 20, max: 60, mean: 40 },
  ]);
  expect(await json(`${path}/metrics/fps?tags=main`)).toMatchObject([
    {
      total: 2,
      points: [
        [at + 3_000, 60],
        [at + 6_000, 20],
      ],
    },
  ]);
  expect((await ask(`${path}/metrics/fps?tags=other`)).status).toBe(404);
  expect((await ask(`${path}/metrics/nothing`)).status).toBe(404);
  expect(await json(`${path}/timeline?buckets=10`)).toMatchObject({ step_ms: expect.any(Number) });
});

test("an export holds the summary and every op in order, a line each; points lie in columns", async () => {
  const id = await record(game);
  const response = await ask(`/api/sessions/${id}/export`);
  expect(response.headers.get("content-type")).toBe("application/x-ndjson; charset=utf-8");
  expect(response.headers.get("content-disposition")).toBe(
    `attachment; filename="datacat-${id}.ndjson"`,
  );
  const text = new TextDecoder().decode(await response.arrayBuffer());
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { id?: string; op?: string });
  expect(lines[0]?.id).toBe(id);
  expect(lines.slice(1).map((line) => line.op)).toEqual([
    "start",
    "state",
    "event",
    "state",
    "event",
    "points",
  ]);
});

test("a page that watches a session gets each change", async () => {
  const id = await open(ask);
  const response = await ask(`/api/sessions/${id}/live`, { headers: { upgrade: "websocket" } });
  expect(response.status).toBe(101);
  const socket = response.webSocket;
  if (!socket) throw new Error("no socket");
  socket.accept();
  const messages: string[] = [];
  const received = Promise.withResolvers<void>();
  socket.addEventListener("message", (event) => {
    messages.push(String(event.data));
    if (messages.length === 2) received.resolve();
  });
  await ask(`/api/sessions/${id}/events`, post({ name: "here" }));
  await received.promise;
  expect(JSON.parse(messages[1] ?? "")).toMatchObject({
    status: "active",
    kinds: expect.arrayContaining(["event"]),
  });
  socket.close();
  expect((await ask(`/api/sessions/${id}/live`)).status).toBe(400);
  expect(
    (await ask("/api/sessions/unknown/live", { headers: { upgrade: "websocket" } })).status,
  ).toBe(404);
});

test("a deleted session is gone from its object, the catalog and every export, with a receipt", async () => {
  const id = await record(game, "secret-product");
  const response = await ask(`/api/sessions/${id}`, { method: "DELETE" });
  expect(await response.json()).toMatchObject({ events: 2, points: 2, states: 2 });
  for (const path of ["", "/summary", "/state", "/events", "/metrics", "/export", "/timeline"]) {
    expect((await ask(`/api/sessions/${id}${path}`)).status, path).toBe(410);
  }
  for (const path of [
    "/api/sessions",
    "/api/data/sessions",
    "/api/products",
    "/api/exceptions",
    "/api/metrics/fps/sessions",
  ]) {
    const text = await (await ask(path)).text();
    expect(text, path).not.toContain(id);
    expect(text, path).not.toContain("secret-product");
  }
  expect((await ask(`/api/sessions/${id}`, { method: "DELETE" })).status).toBe(410);
  expect((await ask("/api/sessions/unknown", { method: "DELETE" })).status).toBe(404);
});

test("the list is searched by all that a session has", async () => {
  const id = await record(game, "finder");
  await record([], "finder");
  const found = async (query: string) => {
    const { items } = await json<{ items: { id: string }[] }>(
      `/api/sessions?product=finder&${query}`,
    );
    return items.map((row) => row.id);
  };
  for (const query of [
    "event=door_opened",
    "metric=fps",
    "state_path=player.hp&state_value=10",
    "state_path=level",
    "text=workshop%20finder&event=exception",
  ]) {
    expect(await found(query), query).toEqual([id]);
  }
  expect(await found("tag=ci")).toHaveLength(2);
  expect(await found("status=active,suspended&sort=events")).toHaveLength(2);
  expect(await found("status=crashed")).toEqual([]);
  expect(await found("limit=1&order=asc")).toHaveLength(1);
  for (const bad of [
    "limit=0",
    "limit=1001",
    "limit=x",
    "sort=id",
    "status=fine",
    "from=yesterday",
    "order=up",
    "cursor=x",
  ]) {
    const response = await ask(`/api/sessions?${bad}`);
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { error: { code: "invalid_query" } },
    ]);
  }
});

test("a path that held too many values is asked of the session itself", async () => {
  const id = await record(
    Array.from({ length: 40 }, (_, n) => ({ op: "state", patch: { progress: n } })),
    "worker",
  );
  const found = async (value: string) =>
    (
      await json<{ items: { id: string }[] }>(
        `/api/sessions?product=worker&state_path=progress&state_value=${value}`,
      )
    ).items.map((row) => row.id);
  expect(await found("33")).toEqual([id]);
  expect(await found("41")).toEqual([]);
});

test("products and versions are counted, with exact rates", async () => {
  await record([{ op: "end", exit_code: 0 }], "rated");
  await record([{ op: "crash", signal: "SIGKILL" }], "rated");
  const failed = [
    await record([{ op: "end", exit_code: 3 }], "rated"),
    await record(
      [
        { op: "event", name: "error", exception_type: "TypeError", handled: false },
        { op: "end", exit_code: 0 },
      ],
      "rated",
    ),
  ];
  const { items, days } = await json<{ items: object[]; days: object[] }>(
    "/api/products?product=rated&days=400",
  );
  expect(items).toMatchObject([
    {
      product: "rated",
      version: "1.0",
      sessions: 4,
      crashed: 1,
      ended: 3,
      failed: 2,
      crash_free: 0.75,
      failure_free: 0.25,
      hang_free: 1,
    },
  ]);
  expect(days).toMatchObject([{ sessions: 4, crashed: 1, failed: 2 }]);

  const listed = await json<{ items: { id: string }[] }>(
    "/api/sessions?product=rated&status=failed",
  );
  expect(listed.items.map(({ id }) => id).toSorted()).toEqual(failed.toSorted());
});

test("exceptions are grouped, and what people decide about them is kept", async () => {
  await record(game, "failing");
  await record(game, "failing");
  const { items } = await json<{ items: { fingerprint: string }[] }>(
    "/api/exceptions?product=failing",
  );
  expect(items).toMatchObject([
    { type: "ValueError", message: "no such door", sessions: 2, count: 2, status: "open" },
  ]);
  const path = `/api/exceptions/${items[0]?.fingerprint}`;
  expect(await json(`${path}?product=failing&days=400`)).toMatchObject({
    items: [{ days: [{ sessions: 2, count: 2, version: "1.0" }] }],
  });
  const decided = await ask(path, post({ product: "failing", status: "resolved", version: "1.1" }));
  expect(await decided.json()).toMatchObject({
    items: [{ status: "resolved", resolved_version: "1.1" }],
  });
  expect((await ask(path, post({ product: "none", status: "resolved" }))).status).toBe(404);
  expect((await ask(path, post({ product: "failing", status: "ignored" }))).status).toBe(400);
  expect((await ask("/api/exceptions/unknown")).status).toBe(404);
});

test("a metric is compared over sessions, and its table is there as CSV", async () => {
  await record([{ op: "metric", type: "gauge", name: "rss", value: 10 }], "=cmd()");
  await record([{ op: "metric", type: "gauge", name: "rss", value: 30 }], "comma,product");
  expect(await json("/api/metrics?prefix=r")).toMatchObject({
    items: [{ name: "rss", type: "gauge" }],
  });
  const compared = await json<{ over_time: { groups: unknown[] } }>(
    "/api/metrics/rss?by=product&axis=elapsed",
  );
  expect(compared).toMatchObject({
    sessions: 2,
    partial: false,
    statistics: [{ mean: 10 }, { mean: 30 }],
  });
  expect(compared.over_time.groups).toHaveLength(2);
  expect(await json("/api/metrics/rss?status=crashed")).toMatchObject({
    sessions: 0,
    statistics: [],
  });
  const csv = await (await ask("/api/metrics/rss/sessions?format=csv")).text();
  expect(csv.split("\r\n")).toHaveLength(4);
  expect(csv).toContain(",'=cmd(),"); // not a formula
  const table = await (await ask("/api/metrics/rss?by=product&format=csv")).text();
  expect(table).toMatch(/^group,sessions,points,/);
  expect(table.split("\r\n")).toHaveLength(4);
  expect(csv).toContain(',"comma,product",');
});

test("a histogram has quantiles and a distribution over sessions, marked as not exact", async () => {
  const sample = (value: number) => ({
    op: "metric",
    type: "histogram",
    name: "latency",
    unit: "seconds",
    value,
  });
  await record([0.01, 0.02, 0.3].map(sample), "histogram");
  const id = await record(
    [0.02, 4, { op: "metric", type: "gauge", name: "size", value: 1 }].map((each) =>
      typeof each === "number" ? sample(each) : each,
    ),
    "histogram",
  );
  const found = await json<{ distribution: { count: number }[] }>(
    "/api/metrics/latency?product=histogram&quantiles=true&bars=20",
  );
  expect(found).toMatchObject({
    unit: "seconds",
    sessions: 2,
    statistics: [
      {
        count: 5,
        min: 0.01,
        max: 4,
        stddev: null,
        p50: expect.any(Number),
        quantiles_exact: false,
      },
    ],
    quantiles_over_time: { groups: [{ steps: [{ count: 5, exact: false }] }] },
  });
  expect(found.distribution.reduce((sum, { count }) => sum + count, 0)).toBe(5);
  expect(await json(`/api/sessions/${id}/metrics/size?quantiles=true`)).toMatchObject([
    { series: { quantiles: { p50: 1, exact: true } }, quantiles: { p95: 1, exact: true } },
  ]);
  const csv = await (
    await ask("/api/metrics/latency/sessions?product=histogram&format=csv")
  ).text();
  expect(csv.split("\r\n")[0]).toContain("p99,quantiles_exact");
});
