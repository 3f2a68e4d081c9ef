/** What sessions' series add up to: exact where that is possible, within 1 % where it is not. */
import { expect, test } from "vitest";
import {
  type ComparedSeries,
  distribution,
  overTime,
  sessionQuantiles,
  statistics,
} from "../../src/core/comparison.ts";
import { newSketch, packSketch } from "../../src/core/sketch.ts";

const NOON = Date.UTC(2026, 10, 23, 12);
const HOUR = 3_600_000;

/** A series with these values, one a second, from the start of its session on. */
function series(
  id: string,
  startedAt: number,
  values: number[],
  { type = "gauge", version = "1.0" }: { type?: ComparedSeries["type"]; version?: string } = {},
): ComparedSeries {
  const sketch = newSketch();
  for (const value of values) sketch.accept(value);
  return {
    session: {
      id,
      product: "game",
      version,
      status: "active",
      machine_id: "machine-1",
      hostname: "workshop",
      created_at: startedAt,
    },
    type,
    points: values.length,
    count: values.length,
    sum: values.reduce((a, b) => a + b, 0),
    sum_squares: values.reduce((a, b) => a + b * b, 0),
    min: Math.min(...values),
    max: Math.max(...values),
    first: values[0] ?? 0,
    last: values.at(-1) ?? 0,
    first_at: startedAt,
    last_at: startedAt + (values.length - 1) * 1_000,
    sketch: packSketch(sketch),
    rollup: {
      from: startedAt,
      step_ms: 1_000,
      count: values.map(() => 1),
      sum: values,
      min: values,
      max: values,
    },
  };
}

const fps = [
  series("b", NOON + HOUR, [60, -5], { version: "2.0" }),
  series("a", NOON, [60, 58, 20]),
];
const requests = series("c", NOON + HOUR, [0, 5, 20], { type: "counter", version: "2.0" });

test("sums, extremes and deviation of a group are exact, its quantiles within 1 %", () => {
  const [all] = statistics(fps);
  expect(all).toMatchObject({
    sessions: 2,
    points: 5,
    count: 5,
    sum: 193,
    mean: 38.6,
    min: -5,
    max: 60,
    rate: null,
  });
  expect(all?.p50).toBeGreaterThan(57.4);
  expect(all?.p50).toBeLessThan(58.6);
  const mean = 193 / 5;
  expect(all?.stddev).toBeCloseTo(
    Math.sqrt([60, 58, 20, 60, -5].reduce((sum, x) => sum + (x - mean) ** 2, 0) / 5),
  );
  expect(statistics(fps, "version").map(({ group, points }) => [group, points])).toEqual([
    ["game 1.0", 3],
    ["game 2.0", 2],
  ]);
});

test("by clock time steps are at their own times, by elapsed time all sessions begin at 0", () => {
  const clock = overTime(fps, { buckets: 3_602 });
  expect(clock.groups[0]?.steps.map((step) => (step.at - NOON) / 1_000)).toEqual([
    0, 1, 2, 3_600, 3_601,
  ]);
  const elapsed = overTime(fps, { axis: "elapsed", buckets: 3 });
  expect(elapsed).toMatchObject({ from: 0, to: 3_000, step_ms: 1_000 });
  expect(elapsed.groups[0]?.steps).toMatchObject([
    { at: 0, count: 2, mean: 60 },
    { at: 1_000, count: 2, mean: 26.5, min: -5, max: 58 },
    { at: 2_000, count: 1, mean: 20 },
  ]);
});

test("a counter has its increase per second", () => {
  expect(statistics([requests])[0]).toMatchObject({ total: 20, rate: 10 });
  expect(
    overTime([requests], { axis: "elapsed", buckets: 3 }).groups[0]?.steps.map((step) => step.rate),
  ).toEqual([0, 5, 15]);
});

/** A counter that rises by `each` a second, in buckets of `bucketMs`, in as many sessions as there are starts. */
function counters(starts: number[], each: number, bucketMs: number, seconds: number) {
  return starts.map((start, index) => {
    const buckets = Array.from({ length: (seconds * 1_000) / bucketMs }, (_, n) => n);
    const total = (n: number) => (n * bucketMs * each) / 1_000;
    return {
      ...requests,
      session: { ...requests.session, id: `s${index}`, created_at: start },
      first: each,
      last: each * seconds,
      first_at: start + 1_000,
      last_at: start + seconds * 1_000,
      rollup: {
        from: start,
        step_ms: bucketMs,
        count: buckets.map(() => bucketMs / 1_000),
        sum: buckets.map((n) => total(n + 1)),
        min: buckets.map((n) => total(n) + each),
        max: buckets.map((n) => total(n + 1)),
      },
    };
  });
}

test("a counter's rate is that of a session, however many sessions there are", () => {
  for (const starts of [[NOON], [NOON, NOON + 500, NOON + HOUR, NOON + HOUR + 20_000]]) {
    const items = counters(starts, 3, 1_000, 60);
    expect(statistics(items)[0]?.rate).toBeCloseTo(3);
    const { groups } = overTime(items, { axis: "elapsed" });
    for (const { at, rate } of groups[0]?.steps.slice(1) ?? []) {
      expect({ at, rate }).toEqual({ at, rate: expect.closeTo(3) });
    }
  }
});

test("a session's series of one counter add up, over the same time", () => {
  const [web, worker] = counters([NOON, NOON], 3, 1_000, 60);
  const items = [web, worker].flatMap((item) => (item ? [item] : []));
  const ofOne = items.map((item) => ({ ...item, session: { ...item.session, id: "one" } }));
  expect(statistics(ofOne)[0]?.rate).toBeCloseTo(6);
  expect(overTime(ofOne).groups[0]?.steps[5]?.rate).toBeCloseTo(6);
});

test("a steady counter is drawn as a level line, whatever the width of buckets and steps", () => {
  for (const [bucketMs, buckets] of [
    [1_000, 100],
    [2_000, 120],
    [4_000, 7],
  ] as const) {
    const { groups } = overTime(counters([NOON], 3, bucketMs, 120), { axis: "elapsed", buckets });
    const [, ...steps] = groups[0]?.steps ?? [];
    expect(steps.length).toBeGreaterThan(4);
    for (const { rate } of steps) expect(rate).toBeCloseTo(3);
    // All but the last, which the session does not fill, hold equally many points.
    expect(new Set(steps.slice(0, -1).map(({ count }) => count)).size).toBe(1);
  }
});

test("a counter's increase between two points is divided evenly over the time between them", () => {
  const [item] = counters([NOON], 3, 1_000, 60);
  const rollup = item?.rollup;
  if (!rollup) throw new Error("no rollup");
  const isKept = (n: number) => n % 10 === 9;
  const min = rollup.min.map((value, n) => (isKept(n) ? value : null));
  const max = rollup.max.map((value, n) => (isKept(n) ? value : null));
  const count = rollup.count.map((value, n) => (isKept(n) ? value : 0));
  const rare = { ...item, first_at: NOON + 9_500, rollup: { ...rollup, count, min, max } };
  const { groups } = overTime([rare], { axis: "elapsed", buckets: 60 });
  expect(groups[0]?.steps.slice(1).map(({ rate }) => Math.round(rate ?? 0))).toEqual([
    3, 3, 3, 3, 3,
  ]);
});

test("a distribution counts every value once, in the bar that contains it", () => {
  const bars = distribution(fps, 13); // at least 5 wide: -5…60
  expect(bars.map((bar) => bar.count)).toEqual([1, 1, 3]);
  expect(bars.map(({ from, to }) => [Math.round(from), Math.round(to)])).toEqual([
    [-5, 0],
    [20, 25],
    [55, 60],
  ]);
  expect(bars.at(0)?.from).toBe(-5);
  expect(bars.at(-1)?.to).toBe(60);
});

test("values without gaps make bars without gaps, also where a bar is finer than the sketch", () => {
  const sketch = newSketch();
  for (let value = 50; value < 70; value += 0.01) sketch.accept(value);
  const bars = distribution([{ ...series("a", NOON, [1]), sketch: packSketch(sketch) }], 400);
  expect(bars.reduce((sum, bar) => sum + bar.count, 0)).toBe(sketch.count);
  expect(bars.slice(1).every((bar, index) => bar.from - (bars[index]?.to ?? 0) < 1e-9)).toBe(true);
  expect(bars.every((bar) => bar.to - bar.from < 2)).toBe(true);
});

test("elapsed time begins with the session, also if the rollup's first bucket begins before it", () => {
  const early = fps.map(({ session, ...item }) => ({
    ...item,
    session: { ...session, created_at: session.created_at + 900 },
  }));
  const { from, groups } = overTime(early, { axis: "elapsed" });
  expect([from, groups[0]?.steps[0]?.at]).toEqual([0, 0]);
  expect(groups[0]?.steps.reduce((sum, step) => sum + step.count, 0)).toBe(5);
});

test("without sessions there are no statistics, bars or lines", () => {
  expect([statistics([]), distribution([]), overTime([]).groups]).toEqual([[], [], []]);
  expect(overTime([])).toMatchObject({ from: 0, to: 1 });
});

test("a quantile is one point for each session, in order of their starts", () => {
  const [group] = sessionQuantiles(fps, "none", 0.5);
  expect(group?.points.map(([at]) => at)).toEqual([NOON, NOON + HOUR]);
  expect(group?.points[0]?.[1]).toBeCloseTo(58, -1);
});

test("more series than a call can take as arguments are compared", () => {
  const one = { ...series("many", NOON, [3]), sketch: null };
  const many = Array.from({ length: 200_000 }, () => one);
  expect(statistics(many)[0]).toMatchObject({ points: 200_000, min: 3, max: 3 });
  expect(overTime(many).groups[0]?.steps[0]?.count).toBe(200_000);
});
