import fc from "fast-check";
import { expect, test } from "vitest";
import { summariseSegment } from "../../src/core/segment-summary.ts";
import { RollupBuilder } from "../../src/core/rollup.ts";
import { newContents } from "../../src/core/segment.ts";
import { newSeries } from "../../src/core/series.ts";
import { quantile } from "../../src/core/sketch.ts";

type Point = [at: number, value: number];

function rollupOf(batches: Point[][]): RollupBuilder {
  const rollup = new RollupBuilder("gauge");
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
        const { rollup, sketch } = rollupOf([points]);
        const other = rollupOf(shuffled.map((one) => [one]));
        expect(other.rollup).toEqual(rollup);
        expect(quantile(other.sketch, 0.5)).toBe(quantile(sketch, 0.5));
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

test("sums of huge values stay numbers", () => {
  const { rollup } = rollupOf([
    [
      [0, Number.MAX_VALUE],
      [1, Number.MAX_VALUE],
    ],
  ]);
  expect(rollup?.sum).toEqual([Number.MAX_VALUE]);
});

test("a counter has a rollup, and no quantiles of its total", () => {
  const rollup = new RollupBuilder("counter");
  rollup.add({ at: Float64Array.of(1, 2), fields: [Float64Array.of(5, 6)] });
  expect(rollup.rollup?.count).toEqual([2]);
  expect(rollup.sketch.count).toBe(0);
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
      const range = { from: Math.min(...times), to: Math.max(...times) };
      const rollup = new RollupBuilder("gauge", range);
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
      for (const q of [0, 0.5, 0.99, 1])
        expect(quantile(rollup.sketch, q)).toBe(quantile(whole.sketch, q));
    }),
    { numRuns: 500 },
  );
  expect(unopened).toBeGreaterThan(300);
});
