import { describe, expect, test } from "vitest";
import { addHistogram, boundsOf } from "../../../src/core/metrics/histogram.ts";
import { addPoints, addScalar } from "../../../src/core/metrics/points.ts";
import type { Columns } from "../../../src/core/metrics/columns.ts";
import {
  keyOf,
  newSeries,
  type Series,
  seriesKey,
  summarise,
} from "../../../src/core/metrics/series.ts";
import { DEFAULT_BUCKETS } from "../../../src/core/vocabulary.ts";
import type { Metric, Points } from "../../../src/core/wire.ts";

const metric = (op: Partial<Metric>): Metric => ({
  op: "metric",
  at: 1_000,
  type: "gauge",
  name: "fps",
  ...op,
});
const points = (op: Partial<Points>): Points => ({
  op: "points",
  at: 1_000,
  type: "gauge",
  name: "fps",
  dt: [],
  values: [],
  ...op,
});

/** A series and its columns after these ops. */
function after(...ops: (Metric | Points)[]): { series: Series; columns: Columns } {
  const [first = metric({})] = ops;
  const bounds = first.op === "metric" && first.type === "histogram" ? boundsOf(first) : [];
  const series = newSeries(0, first, bounds);
  const columns: Columns = { at: [], fields: [] };
  for (const op of ops) {
    if (op.op === "points") addPoints(series, columns, op);
    else if (op.type === "histogram") addHistogram(series, columns, op);
    else addScalar(series, columns, op);
  }
  return { series, columns };
}

describe("a gauge", () => {
  test("is its values, first and last by time and not by arrival", () => {
    const { series, columns } = after(
      metric({ at: 3_000, value: 5 }),
      metric({ at: 1_000, value: -2 }),
      metric({ at: 2_000, value: 9 }),
    );
    expect(columns).toEqual({ at: [3_000, 1_000, 2_000], fields: [[5, -2, 9]] });
    expect(summarise(series)).toMatchObject({
      points: 3,
      first: -2,
      first_at: 1_000,
      last: 5,
      last_at: 3_000,
      min: -2,
      max: 9,
      mean: 4,
      sum: 12,
    });
    expect(summarise(series).stddev).toBeCloseTo(Math.sqrt((1 + 36 + 25) / 3));
  });

  test("is the same from points as from single metrics, whichever came first", () => {
    const ops = [1_000, 1_016, 1_010].map((at, i) => metric({ at, value: i * 1.5 }));
    const run = points({ at: 1_000, dt: [0, 16, -6], values: [0, 1.5, 3] });
    /** But for rounding. */
    const rounded = ({ series: { moments, ...series }, columns }: ReturnType<typeof after>) => ({
      series,
      columns,
      moments: { ...moments, deviation: moments.deviation.toFixed(9) },
    });
    expect(rounded(after(run))).toEqual(rounded(after(...ops)));
    expect(rounded(after(...ops, run))).toEqual(rounded(after(run, ...ops)));
  });

  test("of huge values keeps sums that JSON can carry", () => {
    const huge = Number.MAX_VALUE;
    for (const ops of [
      [metric({ value: huge }), metric({ value: huge }), metric({ value: -huge })],
      [metric({ value: 0 }), points({ dt: [0, 0, 0, 0], values: [huge, huge, -huge, -huge] })],
    ]) {
      const { series } = after(...ops);
      expect(JSON.parse(JSON.stringify(series))).toEqual(series);
      expect(series.max).toBe(huge);
    }
  });

  test("takes counts of some points only", () => {
    const { columns } = after(
      metric({ value: 1 }),
      metric({ value: 2, count: 7 }),
      metric({ value: 3 }),
    );
    expect(columns.fields).toEqual([
      [1, 2, 3],
      [0, 7, 0],
    ]);
  });
});

describe("a counter", () => {
  const counter = (op: Partial<Metric>) => metric({ type: "counter", ...op });

  test("has the largest increase by one update", () => {
    expect(summarise(after(counter({ delta: 5 })).series).largest_step).toBeUndefined();
    const { series } = after(
      counter({ delta: 50 }),
      counter({ at: 2_000, delta: 3 }),
      counter({ at: 3_000, value: 60 }),
      points({ type: "counter", at: 4_000, dt: [0, 100], values: [1, 9] }),
      counter({ at: 5_000, delta: -70 }),
    );
    expect(summarise(series)).toMatchObject({ last: 0, largest_step: 9 });
  });

  test("counts up by its deltas, and is set by a value", () => {
    const { series, columns } = after(
      counter({ delta: 5 }),
      counter({ at: 2_000, delta: 3 }),
      counter({ at: 3_000, value: 20 }),
      counter({ at: 4_000, delta: -1 }),
    );
    expect(columns.fields).toEqual([[5, 8, 20, 19]]);
    // The decrease is no increase.
    expect(summarise(series)).toMatchObject({ last: 19, rate: (20 - 5) / 3 });
  });

  test("keeps its total when clocks disagree", () => {
    const { series } = after(
      counter({ at: 5_000, delta: 5 }),
      counter({ at: 1_000, delta: 2 }),
      points({ type: "counter", at: 900, dt: [0, 100], values: [1, 1] }),
    );
    expect(series.last).toBe(9);
    expect(series.lastAt).toBe(5_000);
    expect(series.firstAt).toBe(900);
  });

  test("stops at the largest number there is", () => {
    const { series } = after(
      counter({ delta: Number.MAX_VALUE }),
      counter({ delta: Number.MAX_VALUE }),
    );
    expect(series.last).toBe(Number.MAX_VALUE);
  });
});

describe("a timer", () => {
  test("has a duration and how many iterations it covers", () => {
    const { series, columns } = after(
      metric({ type: "timer", value: 0.5, count: 10, unit: "seconds" }),
      points({ type: "timer", dt: [10, 10], values: [0.25, 0.75], counts: [1, 2] }),
    );
    expect(columns.fields).toEqual([
      [0.5, 0.25, 0.75],
      [10, 1, 2],
    ]);
    expect(series).toMatchObject({ points: 3, unit: "seconds", max: 0.75 });
  });
});

describe("a histogram", () => {
  const sample = (value: number, op: Partial<Metric> = {}) =>
    metric({ type: "histogram", name: "latency", value, ...op });

  test("sorts samples into 1.x's buckets, and one above the last bound", () => {
    const { series } = after(...[0.0005, 0.001, 0.0011, 60, 61, -3].map((value) => sample(value)));
    expect(series.bounds).toEqual([...DEFAULT_BUCKETS]);
    const buckets = summarise(series).buckets ?? [];
    expect(buckets).toHaveLength(DEFAULT_BUCKETS.length + 1);
    expect(buckets.filter(({ count }) => count > 0)).toEqual([
      { le: 0.001, count: 3 }, // a bound belongs to its bucket
      { le: 0.0025, count: 1 },
      { le: 60, count: 1 },
      { le: null, count: 1 },
    ]);
    expect(series).toMatchObject({ points: 6, moments: { count: 6 }, min: -3, max: 61 });
    expect(series.moments.sum).toBeCloseTo(118.0026);
  });

  test("has its own buckets, in any order and twice", () => {
    const { series } = after(sample(3, { buckets: [10, 1, 10, 5] }), sample(100));
    expect(series.bounds).toEqual([1, 5, 10]);
    expect(series.buckets).toEqual([0, 1, 0, 1]);
  });

  test.each(["inf", "Infinity", "+Inf", "+inf", "INF"])(
    "accepts 1.x's notation of an unbounded bucket: %s",
    (bound) => {
      const { series } = after(sample(7, { metadata: { buckets: [1, 5, bound] } }));
      expect(series.bounds).toEqual([1, 5]);
      expect(series.buckets).toEqual([0, 0, 1]);
    },
  );

  test("with no bound but infinity has one bucket", () => {
    expect(boundsOf(sample(1, { metadata: { buckets: ["inf"] } }))).toEqual([]);
    expect(after(sample(1, { bounds: [] })).series.buckets).toEqual([1]);
  });

  test.each([[["x"]], [[{}, "y"]], [[true]], [[" "]], ["no list"], [[]]])(
    "falls back to the default buckets for %j, which are none",
    (buckets) =>
      expect(boundsOf(sample(1, { metadata: { buckets } }))).toEqual([...DEFAULT_BUCKETS]),
  );

  test("comes aggregated: a window of counts", () => {
    const { series, columns } = after(
      sample(0, { bounds: [1, 2], counts: [3, 0, 1], sum: 9, min: 0.5, max: 7 }),
      sample(0, { bounds: [1, 2], counts: [0, 1, 0], sum: 1.5 }),
      sample(0, { bounds: [1, 2], counts: [0, 0, 0], sum: 0 }), // nothing happened
    );
    expect(series).toMatchObject({ points: 2, moments: { count: 5, sum: 10.5 }, min: 0.5, max: 7 });
    expect(columns.fields).toEqual([
      [4, 1],
      [9, 1.5],
      [0.5, 1.5],
      [7, 1.5],
      [3, 0],
      [0, 1],
      [1, 0],
    ]);
  });

  test("from 1.x's daemon is a running total, of which the increase counts", () => {
    const total = (counts: number[], sum: number) =>
      sample(0, {
        metadata: {
          buckets: counts.map((count, i) => ({ le: [1, 5, "Infinity"][i] ?? null, count })),
          sum,
          count: counts.reduce((a, b) => a + b, 0),
        },
      });
    const { series, columns } = after(
      total([2, 0, 0], 1),
      total([2, 0, 0], 1), // repeated at each flush, unchanged
      total([3, 1, 1], 13),
      total([1, 0, 0], 0.5), // it was restarted
    );
    expect(series.buckets).toEqual([4, 1, 1]);
    expect(series).toMatchObject({ points: 3, moments: { count: 6, sum: 13.5 } });
    expect(columns.fields[0]).toEqual([2, 3, 1]);
  });

  test("from 1.x's daemon without a sum takes the mean for each sample", () => {
    const buckets = [
      { le: 1, count: 2 },
      { le: 5, count: 1 },
    ];
    const { series } = after(sample(2, { metadata: { buckets } }));
    expect(series).toMatchObject({ moments: { count: 3, sum: 6 }, min: 2, max: 2 });
  });

  test.each([
    ["bounds that do not ascend", { bounds: [2, 1] }],
    ["bounds that repeat", { bounds: [1, 2, 2], counts: [1, 1, 1, 1] }],
    ["too few counts", { bounds: [1, 2], counts: [1, 1] }],
    ["negative counts", { bounds: [1], counts: [1, -1] }],
    ["broken counts", { bounds: [1], counts: [1, 0.5] }],
    ["too many buckets", { metadata: { buckets: Array.from({ length: 300 }, (_, i) => i) } }],
  ])("is refused with %s", (_, op) =>
    expect(() => after(sample(0, op))).toThrow(expect.objectContaining({ code: "invalid_body" })),
  );
});

test.each([
  ["fewer times than values", { dt: [1], values: [1, 2] }],
  ["fewer counts than values", { dt: [1, 1], values: [1, 2], counts: [1] }],
  ["negative counts", { dt: [1], values: [1], counts: [-1] }],
  ["times before all time", { dt: [-2_000], values: [1] }],
  ["times outside of the calendar", { dt: [1, 1e300], values: [1, 1] }],
  ["times that overflow", { dt: [1e308, 1e308, -1e308], values: [1, 1, 1] }],
])("points with %s are refused", (_, op) => {
  const refused = expect.objectContaining({ code: "invalid_body" });
  expect(() => after(points(op))).toThrow(refused);
  expect(() => after(metric({ value: 1 }), points(op))).toThrow(refused);
});

test("a series is its name, type, tags in any order, and a histogram's bounds", () => {
  const key = seriesKey("a", "gauge", ["y", "x"], []);
  expect(seriesKey("a", "gauge", ["x", "y"], [])).toBe(key);
  const others = [
    seriesKey("a", "counter", ["x", "y"], []),
    seriesKey("a", "gauge", ["x"], []),
    seriesKey("a", "gauge", ["x,y"], []),
    seriesKey('a","gauge', "gauge", [], []),
    seriesKey("a", "histogram", ["x", "y"], [1]),
    seriesKey("a", "histogram", ["x", "y"], [1, 2]),
  ];
  expect(new Set([key, ...others]).size).toBe(7);
  const series = newSeries(3, metric({ name: "a", tags: ["y", "x"] }), []);
  expect(keyOf(series)).toBe(key);
});

test("values that hardly differ have their deviation, and equal ones have none", () => {
  const at = (values: number[]) =>
    summarise(after(...values.map((value, i) => metric({ at: i, value }))).series).stddev;
  expect(at([59.94, 59.94, 59.94])).toBe(0);
  expect(at([1e12, 1e12 + 1])).toBe(0.5);
  const START = 1_795_864_000_000;
  const minute = Array.from({ length: 60 }, (_, i) => START + i * 1_000);
  expect(at(minute)).toBeCloseTo(17_318.102, 3);
  const run = points({ dt: minute.map(() => 1), values: minute });
  expect(summarise(after(run).series).stddev).toBeCloseTo(17_318.102, 3);
});

test("the mean of the largest doubles is theirs", () => {
  const values = [1.7e308, 1.7e308, -1.7e308, 1.7e308];
  const run = points({ dt: values.map(() => 1), values });
  const { mean, stddev, sum } = summarise(after(run).series);
  expect([mean, sum]).toEqual([0.85e308, Number.MAX_VALUE]);
  expect(stddev).toBeCloseTo(1.4722431864335e308, -295);
});
