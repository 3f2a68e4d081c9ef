/** Charts across sessions of which only some have their values divided over time. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  dividedItems,
  overTime,
  quantilesOverTime,
} from "../../../src/core/comparison/over-time.ts";
import { statistics } from "../../../src/core/comparison/statistics.ts";
import { figuresOf, HOUR, NOON, series } from "./series.ts";

/** Sessions of a minute, one in each of the first hours of a day, and one over three hours. */
const short = [0, 1, 1, 2, 5].map((hour, i) =>
  series(
    `short-${i}`,
    NOON + hour * HOUR,
    Array.from({ length: 60 }, (_, n) => n + i),
  ),
);
const long = series(
  "long",
  NOON + HOUR / 2,
  Array.from({ length: 180 }, (_, n) => n),
  { everyMs: 60_000 },
);
const DAY = { from: NOON, to: NOON + 8 * HOUR, buckets: 8 };

describe("a session that is in one step as a whole", () => {
  test("adds its figures to it, as its rollup would", () => {
    const whole = overTime(short, DAY);
    expect(overTime(short.map(figuresOf), DAY)).toEqual(whole);
    expect(whole.groups[0]?.steps.map(({ at, count }) => [(at - NOON) / HOUR, count])).toEqual([
      [0, 60],
      [1, 120],
      [2, 60],
      [5, 60],
    ]);
    expect(whole.undrawn).toBe(0);
  });

  test("adds a counter's increase over the time in which it arose", () => {
    const counters = [3, 5].map((each, i) =>
      series(
        `c${i}`,
        NOON + i * HOUR,
        Array.from({ length: 61 }, (_, n) => n * each),
        { type: "counter" },
      ),
    );
    const { groups } = overTime(counters.map(figuresOf), DAY);
    expect(groups[0]?.steps.map(({ rate }) => rate)).toEqual([3, 5]);
  });

  test("adds its distribution to the quantiles of the step", () => {
    const whole = quantilesOverTime(
      short.map((item) => ({ ...item, quantile_steps: null })),
      DAY,
    );
    expect(whole.groups[0]?.steps.map(({ count }) => count)).toEqual([60, 120, 60, 60]);
    expect(whole.groups[0]?.steps[0]).toMatchObject({ p50: 29.5, exact: true });
    expect(whole.undrawn).toBe(0);
    expect(quantilesOverTime(short.map(figuresOf), DAY).undrawn).toBe(5);
  });
});

test("a longer one needs its rollup, without which it is counted and not drawn", () => {
  const items = [...short, long];
  expect(dividedItems(items.map(figuresOf), DAY).map(({ session }) => session.id)).toEqual([
    "long",
  ]);
  const without = overTime(items.map(figuresOf), DAY);
  expect(without.undrawn).toBe(1);
  expect(without.groups).toEqual(overTime(short, DAY).groups);
  const withRollup = overTime([...short.map(figuresOf), long], DAY);
  expect(withRollup).toEqual(overTime(items, DAY));
  const counts = withRollup.groups[0]?.steps.map(({ count }) => count) ?? [];
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(480);
  // A step is a whole number of the buckets of the long one.
  expect(withRollup.step_ms % (long.rollup?.step_ms ?? 0)).toBe(0);
  expect(withRollup.undrawn).toBe(0);
});

test("outside of the range a session is in no step, and missing in none", () => {
  const range = { from: NOON + 1.5 * HOUR, to: NOON + 4 * HOUR, buckets: 4 };
  const { groups, undrawn } = overTime(short.map(figuresOf), range);
  expect(groups[0]?.steps.map(({ count }) => count)).toEqual([60]);
  expect(undrawn).toBe(0);
});

describe("before the end", () => {
  const ended = [30, 60].map((seconds, i) =>
    series(
      `e${i}`,
      NOON + i * HOUR,
      Array.from({ length: seconds }, (_, n) => seconds - 1 - n),
    ),
  );

  test("all sessions end at 0, with their last values there", () => {
    const { from, to, step_ms, groups } = overTime(ended, { axis: "before_end", buckets: 6 });
    expect([from, to, step_ms]).toEqual([-60_000, 0, 10_000]);
    const steps = groups[0]?.steps ?? [];
    expect(steps.map(({ at, count }) => [at, count])).toEqual([
      [-60_000, 9],
      [-50_000, 10],
      [-40_000, 10],
      [-30_000, 19],
      [-20_000, 20],
      [-10_000, 22], // ten seconds before the end is in it, as is the end itself
    ]);
    expect(steps.at(-1)).toMatchObject({ min: 0, mean: 5, max: 10 });
  });

  test("sessions that have not ended are left out, and counted", () => {
    const running = series("r", NOON, [1, 2], { session: { ended_at: null, status: "active" } });
    const { groups, unended } = overTime([...ended, running, running], { axis: "before_end" });
    expect(unended).toBe(1);
    expect(groups[0]?.steps.reduce((sum, { count }) => sum + count, 0)).toBe(90);
    expect(overTime([...ended, running], { axis: "elapsed" }).unended).toBe(0);
    expect(overTime([running], { axis: "before_end" })).toMatchObject({ groups: [], unended: 1 });
  });
});

test("whatever is grouped and however it is divided, all values are in the steps, and in their range", () => {
  const session = fc.record({
    start: fc.integer({ min: 0, max: 20 * HOUR }),
    values: fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 40 }),
    everyMs: fc.constantFrom(1_000, 60_000),
    version: fc.constantFrom("1", "2"),
    hasRollup: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(session, { minLength: 1, maxLength: 12 }),
      fc.constantFrom("clock" as const, "elapsed" as const, "before_end" as const),
      (sessions, axis) => {
        const items = sessions.map(({ start, values, everyMs, version, hasRollup }, i) => {
          const item = series(`s${i}`, NOON + start, values, { everyMs, session: { version } });
          return hasRollup ? item : figuresOf(item);
        });
        const { groups, undrawn } = overTime(items, { axis, by: "version" });
        const steps = groups.flatMap((group) => group.steps);
        const drawn = steps.reduce((sum, { count }) => sum + count, 0);
        const all = statistics(items).at(0);
        if (undrawn === 0) expect(drawn).toBe(all?.count);
        else expect(drawn).toBeLessThan(all?.count ?? 0);
        for (const { min, max, mean } of steps) {
          expect(min).toBeGreaterThanOrEqual(all?.min ?? 0);
          expect(max).toBeLessThanOrEqual(all?.max ?? 0);
          expect(mean).toBeGreaterThanOrEqual(min - 1e-9);
          expect(mean).toBeLessThanOrEqual(max + 1e-9);
        }
      },
    ),
    { numRuns: 60 },
  );
});
