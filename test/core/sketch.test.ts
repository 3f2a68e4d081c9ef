import fc from "fast-check";
import { expect, test } from "vitest";
import {
  mergeSketch,
  newSketch,
  packSketch,
  quantile,
  type Sketch,
  unpackSketch,
} from "../../src/core/sketch.ts";

function sketchOf(values: number[]): Sketch {
  const sketch = newSketch();
  for (const value of values) sketch.accept(value);
  return sketch;
}

/** The value that has this share of the others below it. */
function exactly(values: number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(q * (sorted.length - 1))] ?? NaN;
}

const QUANTILES = [0, 0.01, 0.25, 0.5, 0.75, 0.95, 0.99, 1];
// Sixteen orders of magnitude on both sides of zero.
const value = fc.oneof(
  fc.integer({ min: -1_000, max: 1_000 }),
  fc
    .tuple(fc.integer({ min: -999, max: 999 }), fc.integer({ min: -8, max: 5 }))
    .map(([n, e]) => n * 10 ** e),
);
const values = fc.array(value, { minLength: 1, maxLength: 300 });

test("quantiles are within 1 % of the true value, negative ones too", () => {
  fc.assert(
    fc.property(values, (all) => {
      const sketch = sketchOf(all);
      for (const q of QUANTILES) {
        const truth = exactly(all, q);
        const estimate = quantile(sketch, q) ?? NaN;
        expect(Math.abs(estimate - truth)).toBeLessThanOrEqual(Math.abs(truth) * 0.0101);
      }
    }),
    { numRuns: 500 },
  );
});

test("merged parts have the quantiles of the whole", () => {
  fc.assert(
    fc.property(fc.array(values, { minLength: 1, maxLength: 4 }), (parts) => {
      const merged = newSketch();
      for (const part of parts) mergeSketch(merged, sketchOf(part));
      const whole = sketchOf(parts.flat());
      for (const q of QUANTILES) expect(quantile(merged, q)).toBe(quantile(whole, q));
      expect([merged.count, merged.min, merged.max]).toEqual([whole.count, whole.min, whole.max]);
    }),
    { numRuns: 300 },
  );
});

test("a sketch is restored from JSON and accepts further values", () => {
  fc.assert(
    fc.property(values, values, (before, later) => {
      const restored = unpackSketch(JSON.parse(JSON.stringify(packSketch(sketchOf(before)))));
      mergeSketch(restored, sketchOf(later));
      const whole = sketchOf([...before, ...later]);
      for (const q of QUANTILES) expect(quantile(restored, q)).toBe(quantile(whole, q));
    }),
    { numRuns: 300 },
  );
});

test("an empty sketch has no quantiles, and adds nothing", () => {
  expect(quantile(newSketch(), 0.5)).toBeNull();
  const sketch = sketchOf([3]);
  mergeSketch(sketch, newSketch());
  expect(quantile(sketch, 0.5)).toBe(3);
});

test("quantiles of the largest doubles stay within min and max", () => {
  const extremes = [Number.MAX_VALUE, -Number.MAX_VALUE, 5e-324, -5e-324, 0, -0];
  const sketch = unpackSketch(JSON.parse(JSON.stringify(packSketch(sketchOf(extremes)))));
  for (const q of QUANTILES) expect(Number.isFinite(quantile(sketch, q))).toBe(true);
  expect(quantile(sketch, 1)).toBe(Number.MAX_VALUE);
});
