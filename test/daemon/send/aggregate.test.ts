import { expect, test } from "vitest";
import { Aggregate } from "../../../daemon/send/aggregate.ts";
import type { Metric, Op } from "../../../src/core/wire.ts";

const at = 1_790_000_000_000;

test("gauges and timers become columns, every point with its time", () => {
  const ops = aggregate([
    { type: "gauge", name: "fps", value: 60, at },
    { type: "timer", name: "frame", value: 0.5, count: 3, at: at + 1 },
    { type: "gauge", name: "fps", value: 59, at: at + 16 },
    { type: "gauge", name: "fps", value: 61, at: at + 10 },
    { type: "timer", name: "frame", value: 0.6, count: 4, at: at + 20 },
  ]);
  expect(ops).toEqual([
    { op: "points", at, type: "gauge", name: "fps", dt: [0, 16, -6], values: [60, 59, 61] },
    {
      op: "points",
      at: at + 1,
      type: "timer",
      name: "frame",
      dt: [0, 19],
      values: [0.5, 0.6],
      counts: [3, 4],
    },
  ]);
});

test("counters are summed over a second, each sum with the time of its last delta", () => {
  const ops = aggregate([
    { type: "counter", name: "hits", delta: 1, at },
    { type: "counter", name: "hits", delta: 2, at: at + 999 },
    { type: "counter", name: "hits", delta: 4, at: at + 1_000 },
  ]);
  expect(ops).toEqual([
    { op: "points", at, type: "counter", name: "hits", dt: [999, 1], values: [3, 4] },
  ]);
});

test("a counter's total keeps its place among the deltas", () => {
  const ops = aggregate([
    { type: "counter", name: "hits", delta: 1, at },
    { type: "counter", name: "hits", value: 10, at },
    { type: "counter", name: "hits", delta: 2, at },
  ]);
  expect(ops.map((op) => (op.op === "points" ? op.values : "total"))).toEqual([[1], "total", [2]]);
});

test("histograms count each sample in the first bucket that is not below it", () => {
  const ops = aggregate([
    { type: "histogram", name: "size", value: 5, buckets: [10, 5, 100], at },
    { type: "histogram", name: "size", value: 6, buckets: [10, 5, 100], at },
    { type: "histogram", name: "size", value: 500, buckets: [10, 5, 100], at },
  ]);
  expect(ops).toMatchObject([
    { bounds: [5, 10, 100], counts: [1, 1, 0, 1], sum: 511, min: 5, max: 500 },
  ]);
});

test("series differ by tags, whatever their order, and by unit", () => {
  const ops = aggregate([
    { type: "gauge", name: "t", value: 1, tags: ["a", "b"], at },
    { type: "gauge", name: "t", value: 2, tags: ["b", "a"], at },
    { type: "gauge", name: "t", value: 3, tags: ["a"], at },
    { type: "gauge", name: "t", value: 4, unit: "ms", tags: ["a"], at },
    { type: "gauge", name: "ns:c", value: 5, tags: ["a"], at },
  ]);
  expect(ops.map((op) => (op.op === "points" ? op.values : []))).toEqual([[1, 2], [3], [4], [5]]);
});

test("the first metadata of a series is kept", () => {
  const ops = aggregate([
    { type: "gauge", name: "t", value: 1, at },
    { type: "gauge", name: "t", value: 2, metadata: { room: 1 }, at },
    { type: "gauge", name: "t", value: 3, metadata: { room: 2 }, at },
  ]);
  expect(ops).toMatchObject([{ metadata: { room: 1 }, values: [1, 2, 3] }]);
});

function aggregate(metrics: Omit<Metric, "op">[]): Op[] {
  const ops: Op[] = [];
  const aggregation = new Aggregate(ops);
  for (const metric of metrics) aggregation.add({ op: "metric", ...metric });
  return ops;
}

test("sums stay numbers that JSON can carry", () => {
  const value = Number.MAX_VALUE;
  const ops = aggregate([
    { type: "counter", name: "bytes", delta: value, at },
    { type: "counter", name: "bytes", delta: value, at },
    { type: "histogram", name: "size", value, at },
    { type: "histogram", name: "size", value, at },
  ]);
  expect(JSON.parse(JSON.stringify(ops))).toMatchObject([{ values: [value] }, { sum: value }]);
});
