import { expect, test } from "vitest";
import type { Op } from "../../src/core/wire.ts";
import { World } from "./world.ts";

const SECOND = 1_000;
const YEARS = 56 * 365 * 86_400_000;

/** A program that works, whose clock is ahead by `before` until it is set, then by `after`. */
test.each([
  ["set from 1970 to today", -YEARS, 0],
  ["set back by a day", 86_400_000, 0],
  ["set forward by an hour", 0, 3_600_000],
])("a clock that is %s: true times in answers, its own in the export", async (_, before, after) => {
  const world = new World();
  const now = Date.now();
  const own: number[] = [];
  let first = 1;
  const deliver = async (skew: number, ...ops: Op[]) => {
    const skewed = ops.map((op) => ({ ...op, at: op.at + skew }));
    own.push(...skewed.map(({ at }) => at));
    const last = first + ops.length - 1;
    const batch = { session: world.id, lane: "l", first, last, ops: skewed };
    const [result] = await world.deliver([batch], Date.now() + skew);
    expect(result?.error).toBeUndefined();
    first = last + 1;
  };
  await deliver(
    before,
    { op: "start", at: now - 3 * SECOND },
    { op: "heartbeat", at: now - 2_500 },
  );
  await deliver(
    after,
    { op: "event", at: now - SECOND, name: "door" },
    { op: "metric", at: now - 500, type: "gauge", name: "fps", value: 1 },
    { op: "end", at: now - 100 },
  );

  const { client } = world;
  const summary = await client.ask("summary");
  expect(Math.abs(summary.created_at - (now - 3 * SECOND))).toBeLessThan(2 * SECOND);
  expect(summary.ran_ms).toBeLessThan(6 * SECOND);
  expect(summary.verdict).toMatchObject({
    status: "ended",
    evidence: expect.arrayContaining([expect.objectContaining({ kind: "clock" })]),
  });
  expect(summary.clock_steps).toHaveLength(1);
  const text = await new Response(await client.stream({ kind: "lines" })).text();
  const lines = text.trim().split("\n").slice(1);
  const exported = lines.flatMap((line) => (JSON.parse(line) as { at: number | number[] }).at);
  expect(new Set(exported)).toEqual(new Set(own));
});
