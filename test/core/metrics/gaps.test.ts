import { expect, test } from "vitest";
import { gapOf, runsOf, stepGap, usualInterval } from "../../../src/core/metrics/gaps.ts";
import { randomFrom } from "../../pages/world.ts";

const random = randomFrom(5);

/** The points of a series, divided where it has a gap. */
function runs(times: number[]): number[][] {
  const interval = usualInterval(times);
  const gap = gapOf(interval ? [interval] : []) ?? Infinity;
  return runsOf(times, (a, b) => b - a <= gap);
}

const everySecond = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => from + i * 1_000);

test("22 s without a point at 1 Hz divide the series, and 3 s do not", () => {
  expect(runs([...everySecond(0, 30), ...everySecond(51_000, 30)])).toHaveLength(2);
  expect(runs([...everySecond(0, 30), ...everySecond(32_000, 30)])).toHaveLength(1);
});

test("a series at random times is seldom divided, whatever its scale", () => {
  for (const scale of [1, 1_000, 1e7]) {
    let at = 0;
    const times = Array.from({ length: 5_000 }, () => (at -= Math.log(1 - random()) * scale));
    expect(runs(times).length).toBeLessThan(20);
  }
});

test("bursts are divided, and points of one time are one", () => {
  const bursts = [0, 60_000, 120_000].flatMap((start) =>
    [0, 0, 16, 32, 48, 64, 64].map((ms) => start + ms),
  );
  expect(runs(bursts)).toHaveLength(3);
});

test("too few points have no gap, and all points are in one of the parts", () => {
  expect(runs([])).toEqual([]);
  expect(runs([5])).toEqual([[5]]);
  expect(runs([0, 86_400_000])).toHaveLength(1);
  expect(runs([7, 7, 7])).toHaveLength(1);
  const times = [...everySecond(0, 10), 500_000, ...everySecond(900_000, 10)];
  expect(runs(times).flat()).toEqual(times);
  expect(runs(times)).toHaveLength(3);
});

test("segments weigh by their points", () => {
  expect(
    gapOf([
      { ms: 1_000, count: 100 },
      { ms: 90_000, count: 1 },
    ]),
  ).toBe(5_000);
  expect(gapOf([])).toBeUndefined();
});

test("steps of an overview are divided where points are missing", () => {
  const steps = (...at: number[]) => at.map((each) => ({ at: each * 1_000, count: 1 }));
  // One point in each step: five of them may be missing.
  const full = Array.from({ length: 30 }, (_, i) => i);
  const dense = stepGap(steps(...full), 1_000);
  expect([6_000, 7_000].map((distance) => distance <= dense)).toEqual([true, false]);
  // Many points in each: one empty step is a gap.
  const denser = stepGap(
    steps(...full).map((step) => ({ ...step, count: 60 })),
    1_000,
  );
  expect([1_000, 2_000].map((distance) => distance <= denser)).toEqual([true, false]);
  // A point in every tenth step.
  const sparse = stepGap(steps(0, 10, 20, 30, 40, 50), 1_000);
  expect([10_000, 30_000, 60_000].map((distance) => distance <= sparse)).toEqual([
    true,
    true,
    false,
  ]);
});
