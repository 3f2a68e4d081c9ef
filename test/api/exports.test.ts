import { expect, test } from "vitest";
import type { Op } from "../../src/core/wire.ts";
import { post, server } from "./server.ts";

const ask = server();
const at = Date.UTC(2026, 0, 5, 12);
let sessions = 0;

async function record(ops: Op[]): Promise<string> {
  const session = `exported:${++sessions}`;
  const batch = { session, lane: session, first: 1, last: ops.length, ops };
  const response = await ask("/api/ingest", post({ batches: [batch] }));
  expect(await response.json()).toMatchObject({ results: [{ applied: ops.length }] });
  return session;
}

const ops: Op[] = [
  { op: "start", at, product: "game", version: "1.0", state: { level: 1 } },
  { op: "state", at: at + 1, patch: { level: 2 } },
  { op: "event", at: at + 2, name: "door", data: { door: 7 } },
  { op: "metric", at: at + 3, type: "gauge", name: "fps", value: 60.5 },
  { op: "metric", at: at + 4, type: "gauge", name: "heap", value: 9 },
  { op: "heartbeat", at: at + 5, timeout_ms: 60_000 },
  { op: "end", at: at + 6, exit_code: 0 },
];

/** With its byte order mark, which `text()` leaves out. */
async function textOf(path: string): Promise<string> {
  const response = await ask(path);
  expect(response.status).toBe(200);
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
    await response.arrayBuffer(),
  );
}

test("a JSON document has the summary, the state and every op in lists", async () => {
  const id = await record(ops);
  const document = JSON.parse(await textOf(`/api/sessions/${id}/export?format=json`)) as object;
  expect(document).toMatchObject({
    summary: { id, counts: { states: 1, events: 1, points: 2 }, verdict: { status: "ended" } },
    state: { level: 2 },
    changes: [
      { op: "state", seq: 1, patch: { level: 1 }, initial: true },
      { op: "state", seq: 2, at: at + 1, patch: { level: 2 } },
    ],
    events: [{ op: "event", seq: 3, name: "door", data: { door: 7 } }],
    others: [{ op: "start" }, { op: "end", exit_code: 0 }],
    heartbeats: [{ at: at + 5 }],
    points: [
      { name: "fps", at: [at + 3], values: [60.5] },
      { name: "heap", at: [at + 4], values: [9] },
    ],
    contents: [],
    damaged_segments: [],
  });
});

test("the lines and the document hold the same ops", async () => {
  const id = await record(ops);
  const lines = (await textOf(`/api/sessions/${id}/export`))
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => JSON.parse(line) as { seq?: number });
  const { changes, events, others, heartbeats, points } = JSON.parse(
    await textOf(`/api/sessions/${id}/export?format=json`),
  ) as Record<string, { seq?: number }[]>;
  const all = [changes, events, others, heartbeats, points].flatMap((list) => list ?? []);
  const sorted = (list: { seq?: number }[]) => list.map((one) => JSON.stringify(one)).sort();
  expect(sorted(all)).toEqual(sorted(lines));
});

test.each([
  [
    "format=csv",
    "-events.csv",
    /^time_utc,at,recorded_at,seq,name,.*\r\n2026-01-05 12:00:00\.002,/,
  ],
  ["format=csv&table=metrics", "-metrics.csv", /,fps,,gauge,,60\.5,/],
  ["format=csv&table=metrics_wide", "-metrics-wide.csv", /^time_utc,at,fps,heap\r\n.*,60\.5,\r\n/],
  ["format=csv&table=metrics_wide&step=1000", "-metrics-wide.csv", /00,\d+,60\.5,9\r\n$/],
  ["format=csv&table=metrics_wide&metrics=heap", "-metrics-wide.csv", /^time_utc,at,heap\r\n/],
  [
    "format=csv&table=metrics&separator=semicolon&decimal=comma&bom=1",
    "-metrics.csv",
    /^\uFEFFtime_utc;at;.*\r\n.*;60,5;/,
  ],
  ["format=csv&separator=tab", "-events.csv", /^time_utc\tat\t/],
])("%s is a file that ends with %s", async (query, name, content) => {
  const id = await record(ops);
  const response = await ask(`/api/sessions/${id}/export?${query}`);
  expect(response.headers.get("content-type")).toBe("text/csv; charset=utf-8");
  expect(response.headers.get("content-disposition")).toBe(
    `attachment; filename="datacat-${id.replace(":", "_")}${name}"`,
  );
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  expect(decoder.decode(await response.arrayBuffer())).toMatch(content);
});

test.each([
  ["format=xml", /format/],
  ["format=csv&table=states", /table/],
  ["format=csv&decimal=comma", /decimal=comma/],
  ["format=csv&table=metrics&step=5", /metrics_wide/],
  ["format=csv&table=metrics_wide&step=0", /step/],
  ["format=csv&from=x", /from/],
])("%s is refused", async (query, message) => {
  const id = await record(ops);
  const response = await ask(`/api/sessions/${id}/export?${query}`);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    error: { code: "invalid_query", message: expect.stringMatching(message) },
  });
});
