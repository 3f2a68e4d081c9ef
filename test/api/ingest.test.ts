import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { SERVER } from "../../src/core/access/authority.ts";
import { MAX_BATCHES, MAX_BODY_BYTES, MAX_INFLATED_BYTES } from "../../src/core/limits.ts";
import type { IngestAnswer } from "../../src/core/batch.ts";
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

/** A D1 that counts the requests sent to it. */
function counting(db: D1Database): D1Database & { requests: number } {
  const counted = {
    requests: 0,
    batch: (statements: D1PreparedStatement[]) => {
      counted.requests++;
      return db.batch(statements);
    },
    prepare: (sql: string) => ({
      bind: (...values: unknown[]) => {
        const statement = db.prepare(sql).bind(...values);
        const run = statement.run.bind(statement);
        const send = () => {
          counted.requests++;
          return run();
        };
        return Object.assign(statement, { run: send, all: send });
      },
    }),
  };
  return counted as unknown as D1Database & { requests: number }; // what publishing uses of it
}

test("as many new sessions as fit into a request are in the catalog with its answer, for as few requests to D1 as one", async () => {
  const run = async (name: string, sessions: number) => {
    const [CATALOG, REGISTRY] = [counting(env.CATALOG), counting(env.REGISTRY)];
    const ids = Array.from({ length: sessions }, (_, n) => `${name}-${n}`);
    const writer = { machine_id: "m", boot_id: "b" };
    const batches = ids.flatMap((id) => [
      batch(id, { writer }),
      batch(id, { first: 3, last: 3, ops: [{ op: "end", at: at + 9 }] }),
    ]);
    const counted = server({ LOCAL: "1", CATALOG, REGISTRY });
    const response = await counted("/api/ingest", post({ batches: batches.slice(0, MAX_BATCHES) }));
    const { results } = (await response.json()) as IngestAnswer;
    expect(results.every(({ error }) => error === undefined)).toBe(true);
    const found = await env.CATALOG.prepare("SELECT id FROM sessions WHERE id LIKE ?1")
      .bind(`${name}-%`)
      .all();
    expect(found.results).toHaveLength(sessions);
    const alarms = await Promise.all(
      ids.map((id) =>
        runInDurableObject(env.SESSIONS.getByName(id), (_, { storage }) => storage.getAlarm()),
      ),
    );
    expect(alarms).toEqual(ids.map(() => null)); // nothing is left to do
    return { catalog: CATALOG.requests, registry: REGISTRY.requests };
  };
  const one = await run("alone", 1);
  expect(await run("together", MAX_BATCHES / 2)).toEqual(one);
  expect(one).toEqual({ catalog: 3, registry: 2 }); // what it has of them, the rows, sessions of an earlier boot; the roster, the usage
});

test("a session whose publication was interrupted is published when its sender repeats the batch", async () => {
  const [id, end] = ["interrupted", { op: "end", at: at + 9 }];
  const batches = [batch(id), batch(id, { first: 3, last: 3, ops: [end] })];
  const object = env.SESSIONS.getByName(id);
  const interrupted = new Promise<never>(() => {});
  const body = JSON.stringify({ batches });
  const first = object.ingest(SERVER, body, () => interrupted).catch(() => "ended");
  await expect.poll(() => stored(id)).toBe(true);
  await runInDurableObject(object, (_, context) => context.abort("the process was killed")).catch(
    () => null,
  );
  await first;
  expect(await catalogued(id)).toBe(false);
  const { results } = await send(batches);
  expect(results).toMatchObject([{ applied: 3 }, { applied: 3 }]);
  await expect.poll(() => catalogued(id)).toBe(true);
});

async function stored(id: string): Promise<boolean> {
  return (await ask(`/api/sessions/${id}/summary`)).status === 200;
}

async function catalogued(id: string): Promise<boolean> {
  return (
    (await env.CATALOG.prepare("SELECT 1 FROM sessions WHERE id = ?1").bind(id).first()) !== null
  );
}
