import fc from "fast-check";
import { expect, test } from "vitest";
import { summariseSegment } from "../../../src/core/segments/segment-summary.ts";
import { Distribution } from "../../../src/core/metrics/distribution.ts";
import { RollupBuilder } from "../../../src/core/metrics/rollup.ts";
import { newContents } from "../../../src/core/segments/contents.ts";
import { newSeries } from "../../../src/core/metrics/series.ts";

type Point = [at: number, value: number];

function rollupOf(batches: Point[][]): RollupBuilder {
  const rollup = new RollupBuilder({ type: "gauge" });
  for (const batch of batches)
    rollup.add({
      at: Float64Array.from(batch, ([at]) => at),
      fields: [Float64Array.from(batch, ([, value]) => value)],
    });
  return rollup;
}

const point: fc.Arbitrary<Point> = fc.tuple(
  fc.oneof(fc.nat(200_000), fc.nat(5_000_000), fc.constantFrom(0, 1.79e12, 8.64e15)),
  fc.integer({ min: -100, max: 100 }),
);

test("a rollup does not depend on order and batches", () => {
  fc.assert(
    fc.property(
      fc.array(point, { minLength: 1, maxLength: 60 }),
      fc.infiniteStream(fc.nat()),
      (points, keys) => {
        const shuffled = points
          .map((one) => ({ one, key: keys.next().value ?? 0 }))
          .sort((a, b) => a.key - b.key)
          .map(({ one }) => one);
        const whole = rollupOf([points]);
        const other = rollupOf(shuffled.map((one) => [one]));
        expect(other.rollup).toEqual(whole.rollup);
        expect(other.quantiles()).toEqual(whole.quantiles());
      },
    ),
    { numRuns: 500 },
  );
});

test("a rollup has at most 120 buckets, all points in them, each in its own", () => {
  fc.assert(
    fc.property(fc.array(point, { minLength: 1, maxLength: 60 }), (points) => {
      const rollup = rollupOf([points]).rollup;
      if (!rollup) throw new Error("no rollup");
      const { from, step_ms: step, count, sum, min, max } = rollup;
      expect(count.length).toBeLessThanOrEqual(120);
      for (const list of [sum, min, max]) expect(list).toHaveLength(count.length);
      count.forEach((n, i) => {
        const inside = points.filter(([at]) => Math.floor((at - from) / step) === i);
        const values = inside.map(([, value]) => value);
        expect(n).toBe(inside.length);
        expect(sum[i]).toBe(values.reduce((a, b) => a + b, 0));
        expect(min[i]).toBe(n === 0 ? null : Math.min(...values));
        expect(max[i]).toBe(n === 0 ? null : Math.max(...values));
      });
      expect(count.reduce((a, b) => a + b)).toBe(points.length);
    }),
    { numRuns: 500 },
  );
});

test("a rollup has the smallest width that suffices", () => {
  const seconds = (count: number) =>
    rollupOf([Array.from({ length: count }, (_, i): Point => [i * 1_000, 1])]).rollup;
  expect(seconds(120)).toMatchObject({ step_ms: 1_000, from: 0 });
  expect(seconds(121)).toMatchObject({ step_ms: 2_000, from: 0 });
  expect(seconds(241)).toMatchObject({ step_ms: 4_000 });
});

test("sums of the largest doubles stay numbers, whose mean is theirs", () => {
  const { rollup } = rollupOf([
    [
      [0, Number.MAX_VALUE],
      [1, Number.MAX_VALUE],
      [5_000, 7],
    ],
  ]);
  const { sum = [], count = [], scale = 1 } = rollup ?? {};
  expect((sum[0] ?? 0) / (count[0] ?? 0) / scale).toBe(Number.MAX_VALUE);
  expect((sum[5] ?? 0) / scale).toBe(7);
});

test("a counter has a rollup, and no quantiles of its total", () => {
  const rollup = new RollupBuilder({ type: "counter" });
  rollup.add({ at: Float64Array.of(1, 2), fields: [Float64Array.of(5, 6)] });
  expect(rollup.rollup).toMatchObject({ count: [2], increase: [1] });
  expect([rollup.quantiles(), rollup.quantileSteps()]).toEqual([null, null]);
});

test("a rollup and its quantiles are the same from summaries as from points", () => {
  const segment = fc
    .tuple(fc.nat(3_000_000), fc.array(point, { minLength: 1, maxLength: 10 }))
    .map(([start, points]) => points.map(([at, value]): Point => [start + (at % 5_000), value]));
  let unopened = 0;
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1, maxLength: 10 }), (segments) => {
      const times = segments.flat().map(([at]) => at);
      const whole = rollupOf(segments);
      const [from, to] = [Math.min(...times), Math.max(...times)];
      const rollup = new RollupBuilder({ type: "gauge" }, { from, to, points: times.length });
      for (const points of segments) {
        const at = points.map(([time]) => time);
        const fields = [points.map(([, value]) => value)];
        const contents = { ...newContents(), series: new Map([[0, { at, fields }]]) };
        const series = newSeries(0, { op: "metric", at: 0, type: "gauge", name: "x" }, []);
        const [summary] = summariseSegment(contents, () => series).series;
        if (summary && rollup.addSummary(summary)) unopened++;
        else
          rollup.add({
            at: Float64Array.from(at),
            fields: fields.map((one) => Float64Array.from(one)),
          });
      }
      expect(rollup.rollup).toEqual(whole.rollup);
      expect(rollup.quantiles()).toEqual(whole.quantiles());
      expect(rollup.quantiles()?.exact).toBe(true);
    }),
    { numRuns: 500 },
  );
  expect(unopened).toBeGreaterThan(300);
});

test("quantiles over time are those of each step, for few points and for many", () => {
  for (const count of [200, 5_000]) {
    const points = Array.from({ length: count }, (_, i): Point => [i * 100, Math.floor(i / 50)]);
    const rollup = rollupOf([points.slice(0, 90), points.slice(90)]);
    const { step_ms = 1, first = 0, steps = [] } = rollup.quantileSteps() ?? {};
    expect(steps.length).toBeLessThanOrEqual(31);
    expect(steps.length).toBeGreaterThan(4);
    steps.forEach((packed, i) => {
      const inside = points
        .filter(([at]) => Math.floor(at / step_ms) === first + i)
        .map(([, value]) => value);
      const step = Distribution.unpack(packed ?? {});
      expect(step.count).toBe(inside.length);
      const truth = inside[Math.floor((inside.length - 1) / 2)] ?? NaN;
      expect(Math.abs((step.quantiles()?.p50 ?? NaN) - truth)).toBeLessThanOrEqual(
        truth * 0.01 + 1,
      );
    });
    expect(rollup.quantiles()?.exact).toBe(count <= 1_000);
  }
});

test("quantiles over time take a bounded length, however different the values are", () => {
  const points = Array.from({ length: 30_000 }, (_, i): Point => [
    i * 50,
    1.001 ** ((i * 7_919) % 30_000),
  ]);
  const rollup = rollupOf([points]);
  const steps = rollup.quantileSteps();
  expect(JSON.stringify(steps).length).toBeLessThan(9_000);
  const count = steps?.steps.reduce((sum, each) => sum + Distribution.unpack(each ?? {}).count, 0);
  expect(count).toBe(30_000);
});

test("a histogram has quantiles from its buckets, over time too", () => {
  const rollup = new RollupBuilder({ type: "histogram", bounds: [10, 20] });
  const windows = Array.from({ length: 60 }, (_, i) => [10, 150, 5, 25, 5, 4, i < 30 ? 1 : 0]);
  rollup.add({
    at: Float64Array.from(windows, (_, i) => i * 1_000),
    fields: Array.from({ length: 7 }, (_, field) =>
      Float64Array.from(windows, (window) => window[field] ?? 0),
    ),
  });
  expect(rollup.quantiles()).toMatchObject({ exact: false });
  expect(rollup.quantiles()?.p50).toBeGreaterThan(9);
  expect(rollup.quantiles()?.p50).toBeLessThan(11);
  const steps = rollup.quantileSteps()?.steps.map((step) => Distribution.unpack(step ?? {}));
  expect(steps?.[0]?.quantiles()?.p99).toBeGreaterThan(20);
  expect(steps?.at(-1)?.quantiles()?.p99).toBeLessThanOrEqual(20);
});
