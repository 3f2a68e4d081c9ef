/**
 * Rows that believable sessions write to their objects, the registry and the catalog, from start to end. Local D1 counts one row for a posting; what
 * Cloudflare counts for one is not known.
 */
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import type { Op } from "../../../src/core/wire.ts";
import { rowsOfDay } from "../../../src/registry/usage.ts";
import { post, server } from "../../api/server.ts";
import { event, gauge, start, state } from "../world.ts";

const ask = server();
let made = 0;

/** Records a session by these requests, and returns the rows written to its object and to both databases. */
async function rowsOf(...requests: Op[][]): Promise<{ object: number; d1: number }> {
  const session = `rows-${crypto.randomUUID()}-${++made}`;
  const before = await rowsOfDay(env.REGISTRY, Date.now());
  let first = 1;
  for (const ops of requests) {
    const last = first + ops.length - 1;
    const batch = { session, lane: `lane-${session}`, first, last, ops, lease_ms: 180_000 };
    const response = await ask("/api/ingest", post({ batches: [batch] }));
    expect(await response.json()).toMatchObject({ results: [{ applied: last }] });
    first = last + 1;
    // Exceptions are published by an alarm that is due at once.
    if (ops.some((op) => "exception_type" in op))
      await expect.poll(() => exceptionsOf(session)).toBeGreaterThan(0);
  }
  const after = await rowsOfDay(env.REGISTRY, Date.now());
  return {
    object: after.object_rows - before.object_rows,
    d1: after.d1_rows - before.d1_rows,
  };
}

async function exceptionsOf(session: string): Promise<number | null> {
  const found = env.CATALOG.prepare("SELECT exceptions FROM sessions WHERE id = ?").bind(session);
  return found.first("exceptions");
}

const end = (): Op => ({ op: "end", at: Date.now(), exit_code: 0 });

/** Four series, ten names of events, twelve values of the state. */
const work = (at = Date.now()): Op[] => [
  ...Array.from({ length: 4 }, (_, n) => gauge(at, `series-${n}`, n)),
  ...Array.from({ length: 10 }, (_, n) => event(at, `event-${n}`)),
  ...Array.from({ length: 12 }, (_, n) => state(at, { [`setting-${n % 4}`]: n })),
];

const thrown = (at = Date.now()): Op[] =>
  ["KeyError", "ValueError", "OSError"].map((exception_type) =>
    event(at, "exception", { exception_type, exception_msg: "no such door" }),
  );

// The names of the program are in the catalog from its first session on.
test("the first session of a program writes its names once", async () => {
  const ops = () => [start(Date.now()), ...work(), ...thrown(), end()];
  const [first, second] = [await rowsOf(ops()), await rowsOf(ops())];
  expect(first.d1 - second.d1).toBe(4 + 10 + 4 + 1);
});

test("a session in one request writes seven rows, and one for each kind of exception", async () => {
  // D1: roster, the session's row, its posting, its lists, its day; the day's usage.
  expect(await rowsOf([start(Date.now()), ...work(), end()])).toEqual({ object: 1, d1: 6 });
  const failing = [start(Date.now()), ...work(), ...thrown(), end()];
  expect(await rowsOf(failing)).toEqual({ object: 1, d1: 6 + 3 });
});

test("a session whose start is there at once writes twelve rows", async () => {
  // Object: two batches, and an alarm for the end of the lease. D1: roster, row, posting, day; row, posting, lists, day, usage.
  const rows = await rowsOf([start(Date.now())], [...work(), end()]);
  expect(rows).toEqual({ object: 3, d1: 9 });
});

test("of one that is recorded in several requests, each costs what it changes", async () => {
  const recorded = await rowsOf(
    [start(Date.now())],
    work(), // object: the batch, and an alarm for a publication in half a minute
    thrown(), // object: the batch, an alarm for one at once, and that of the lease again. D1: row, posting, lists, three kinds
    work(), // object: as before
    [end()], // D1: row, posting, lists, day, usage
  );
  expect(recorded).toEqual({ object: 5 + 5, d1: 4 + 6 + 5 });
});
