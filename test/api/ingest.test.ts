import { expect, test } from "vitest";
import { MAX_BATCHES, MAX_BODY_BYTES, MAX_INFLATED_BYTES } from "../../src/core/limits.ts";
import type { IngestAnswer } from "../../src/core/wire.ts";
import { gzip, post, server } from "./server.ts";

const ask = server();
const at = Date.UTC(2026, 10, 23, 12);

/** A lane's first records: the start of a session and an event. */
function batch(session: string, more: object = {}) {
  return {
    session,
    lane: `lane-of-${session}`,
    first: 1,
    last: 2,
    ops: [
      { op: "start", at, product: "game", version: "1" },
      { op: "event", at: at + 5, name: "ready" },
    ],
    ...more,
  };
}

async function send(
  batches: unknown[],
  headers: Record<string, string> = {},
): Promise<IngestAnswer> {
  const response = await ask("/api/ingest", post({ sent_at: at, batches }, headers));
  expect(response.status).toBe(200);
  return response.json();
}

async function events(session: string): Promise<string[]> {
  const { items } = (await (await ask(`/api/sessions/${session}/events`)).json()) as {
    items: { name: string }[];
  };
  return items.map((event) => event.name);
}

test("many sessions in one gzip request are each answered, in the order they came", async () => {
  const text = JSON.stringify({
    batches: [
      batch("a"),
      batch("b"),
      batch("a", { first: 3, last: 3, ops: [{ op: "end", at: at + 9 }] }),
    ],
  });
  const response = await ask("/api/ingest", {
    method: "POST",
    body: await gzip(text),
    headers: { "content-encoding": "gzip" },
  });
  const { results } = (await response.json()) as IngestAnswer;
  expect(results).toEqual([
    { session: "a", lane: "lane-of-a", applied: 2 },
    { session: "b", lane: "lane-of-b", applied: 2 },
    { session: "a", lane: "lane-of-a", applied: 3 },
  ]);
  expect(await events("a")).toEqual(["ready"]);
});

test("sending again is always safe", async () => {
  await send([batch("again")]);
  for (let n = 0; n < 3; n++) expect((await send([batch("again")])).results[0]?.applied).toBe(2);
  expect(await events("again")).toEqual(["ready"]);
});

test("a batch that is wrong never holds up one that is right", async () => {
  const gap = batch("gap", { first: 7, last: 8 });
  const { results } = await send([
    batch("good-1"),
    { session: "bad", lane: "l", first: 1, last: 1, ops: [{ op: "nonsense", at }] },
    null,
    "text",
    { session: "../etc", lane: "l", first: 1, last: 1, ops: [] },
    gap,
    batch("good-2"),
  ]);
  expect(results.map((result) => [result.session, result.applied, result.error?.code])).toEqual([
    ["good-1", 2, undefined],
    ["bad", 0, "invalid_body"],
    ["", 0, "invalid_body"],
    ["", 0, "invalid_body"],
    ["../etc", 0, "invalid_body"],
    ["gap", 0, "lane_gap"],
    ["good-2", 2, undefined],
  ]);
});

test("a batch of a deleted session is refused as gone", async () => {
  await send([batch("deleted")]);
  const receipt = await ask("/api/sessions/deleted", { method: "DELETE" });
  expect(await receipt.json()).toMatchObject({ events: 1 });
  const { results } = await send([
    batch("deleted", { first: 3, last: 3, ops: [{ op: "end", at }] }),
    batch("deleted"),
  ]);
  expect(results.map((result) => result.error?.code)).toEqual(["gone", "gone"]);
  for (const path of ["", "/summary", "/events", "/export"])
    expect((await ask(`/api/sessions/deleted${path}`)).status).toBe(410);
  expect(await (await ask("/api/sessions")).text()).not.toContain("deleted");
  expect(await (await ask("/api/data/sessions")).text()).not.toContain("deleted");
});

test("too many batches, or none, are refused whole", async () => {
  for (const batches of [[], Array.from({ length: MAX_BATCHES + 1 }, () => batch("many"))]) {
    expect((await ask("/api/ingest", post({ batches }))).status).toBe(400);
  }
  expect((await ask("/api/sessions/many/summary")).status).toBe(404);
});

test("a body that is too large is refused by its declared length, and by its real one", async () => {
  const refused = async (init: RequestInit) => {
    const response = await ask("/api/ingest", init);
    expect(await response.json()).toMatchObject({ error: { code: "too_large" } });
    expect(response.status).toBe(413);
  };
  await refused(post("x".repeat(MAX_BODY_BYTES + 1)));
  const endless = new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(65_536).fill(32)),
  });
  await refused({ method: "POST", body: endless });
});

test("a gzip bomb is stopped at the limit", async () => {
  const bomb = await gzip(" ".repeat(MAX_INFLATED_BYTES * 4));
  expect(bomb.length).toBeLessThan(MAX_BODY_BYTES / 50);
  const response = await ask("/api/ingest", {
    method: "POST",
    body: bomb,
    headers: { "content-encoding": "gzip" },
  });
  expect(response.status).toBe(413);
});

test.each([
  ["cut short", async () => (await gzip('{"batches":[]}')).slice(0, -9)],
  ["not gzip", async () => new TextEncoder().encode("{}")],
  ["empty", async () => new Uint8Array()],
])("gzip that is %s is a clear error", async (_, body) => {
  const response = await ask("/api/ingest", {
    method: "POST",
    body: await body(),
    headers: { "content-encoding": "gzip" },
  });
  expect(response.status).toBe(400);
});

test("an encoding that is not known is named", async () => {
  const response = await ask("/api/ingest", post("{}", { "content-encoding": "br" }));
  expect(await response.json()).toMatchObject({
    error: { code: "invalid_encoding", message: expect.stringContaining("br") },
  });
});
