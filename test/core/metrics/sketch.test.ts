import fc from "fast-check";
import { expect, test } from "vitest";
import { MAX_EXACT_VALUES, MAX_SKETCH_BINS } from "../../../src/core/limits.ts";
import { Sketch } from "../../../src/core/metrics/sketch.ts";
import expected from "../../fixtures/figures/figures.json" with { type: "json" };
import { exactQuantile } from "../exact.ts";

function sketchOf(values: number[], limit?: number): Sketch {
  const sketch = new Sketch(limit);
  for (const value of values) sketch.add(value);
  return sketch;
}

function stored(sketch: Sketch, limit?: number): Sketch {
  const read = new Sketch(limit);
  read.addPacked(JSON.parse(JSON.stringify(sketch.pack())));
  return read;
}

function quantile(sketch: Sketch, share: number): number | null {
  return sketch.quantiles([share] as const)?.[0] ?? null;
}

/** Within 1 % of the values at the two ranks that a quantile is between. */
function expectWithin(found: number, values: number[], share: number) {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = share * (values.length - 1);
  const ends = [sorted[Math.floor(rank)] ?? NaN, sorted[Math.ceil(rank)] ?? NaN];
  const size = Math.max(...ends.map(Math.abs));
  const truth = exactQuantile(values, share);
  const isNear = Math.abs(found / 2 - truth / 2) * 2 <= size * 0.01 + 4 * Number.MIN_VALUE;
  expect({ share, found, truth, isNear }).toEqual({ share, found, truth, isNear: true });
}

const SHARES = [0, 0.01, 0.25, 0.5, 0.75, 0.95, 0.99, 1];
const value = fc.oneof(
  fc.integer({ min: -1_000, max: 1_000 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc
    .tuple(fc.integer({ min: -999, max: 999 }), fc.integer({ min: -8, max: 5 }))
    .map(([n, e]) => n * 10 ** e),
  fc.constantFrom(Number.MAX_VALUE, -Number.MAX_VALUE, 5e-324, -5e-324, 1e-323, 0),
);
const values = fc
  .array(value, { minLength: 1, maxLength: 300 })
  .map((all) => all.map((each) => each + 0)); // JSON has no minus zero

test("quantiles of few values are exact", () => {
  fc.assert(
    fc.property(values, (all) => {
      const sketch = sketchOf(all);
      expect(sketch.isExact).toBe(true);
      for (const share of SHARES) {
        const truth = exactQuantile(all, share);
        const size = Math.max(...all.map(Math.abs));
        const error = Math.abs((quantile(sketch, share) ?? NaN) / 2 - truth / 2);
        expect(error).toBeLessThanOrEqual(size * 1e-15 + Number.MIN_VALUE);
      }
    }),
    { numRuns: 300 },
  );
});

test.each(expected)("$name: as numpy has it", ({ values: all, quantiles }) => {
  const exact = sketchOf(all);
  const estimated = sketchOf(all, 0);
  for (const [share = 0, truth = 0] of quantiles) {
    const found = quantile(exact, share) ?? NaN;
    const error = Math.abs(found / 2 - truth / 2) * 2;
    const ends = [truth, quantile(exact, Math.max(0, share - 1e-9)) ?? 0];
    expect(error).toBeLessThanOrEqual(Math.max(...ends.map(Math.abs)) * 1e-12 + Number.MIN_VALUE);
    expectWithin(quantile(estimated, share) ?? NaN, all, share);
  }
});

test("nineteen 1s and a 100, and 1, 2, 100, have the quantiles that one expects", () => {
  const [p50, p95, p99] = sketchOf([...Array.from({ length: 19 }, () => 1), 100]).quantiles([
    0.5, 0.95, 0.99,
  ] as const) ?? [0, 0, 0];
  expect(p50).toBe(1);
  expect(p95).toBeCloseTo(5.95, 10);
  expect(p99).toBeCloseTo(81.19, 10);
  expect(quantile(sketchOf([1, 2, 100]), 0.5)).toBe(2);
  expect(quantile(sketchOf([1, 2, 100]), 0.99)).toBeCloseTo(98.04, 10);
});

test("without the values, quantiles are within 1 % of the value at their rank", () => {
  fc.assert(
    fc.property(values, (all) => {
      const sketch = stored(sketchOf(all, 0));
      expect(sketch.isExact && all.length > 0).toBe(false);
      for (const share of SHARES) expectWithin(quantile(sketch, share) ?? NaN, all, share);
    }),
    { numRuns: 500 },
  );
});

test("merged parts have the quantiles of the whole, exact as long as they are few", () => {
  fc.assert(
    fc.property(fc.array(values, { minLength: 1, maxLength: 4 }), fc.nat(400), (parts, limit) => {
      const merged = new Sketch(limit);
      for (const part of parts) merged.merge(stored(sketchOf(part, 50)));
      const all = parts.flat();
      expect([merged.count, merged.min, merged.max]).toEqual([
        all.length,
        Math.min(...all),
        Math.max(...all),
      ]);
      for (const share of SHARES) {
        const found = quantile(merged, share) ?? NaN;
        if (merged.isExact) expect(found).toBe(quantile(sketchOf(all), share));
        else expectWithin(found, all, share);
      }
    }),
    { numRuns: 300 },
  );
});

test(`${MAX_EXACT_VALUES} values are kept, one more is not`, () => {
  const many = Array.from({ length: MAX_EXACT_VALUES }, (_, i) => i);
  const sketch = sketchOf(many);
  expect([sketch.isExact, quantile(sketch, 0.5)]).toEqual([true, 499.5]);
  sketch.add(1);
  expect(sketch.isExact).toBe(false);
  expectWithin(quantile(sketch, 0.5) ?? NaN, [...many, 1], 0.5);
});

test("values of all magnitudes widen the bins rather than fill memory", () => {
  const many = Array.from({ length: 40_000 }, (_, i) => {
    const exponent = ((i * 7_919) % 600_000) / 1_000 - 300;
    return (i % 2 === 0 ? 1 : -1) * 10 ** exponent;
  });
  const sketch = stored(sketchOf(many));
  expect(sketch.bins().length).toBeLessThanOrEqual(MAX_SKETCH_BINS + 1);
  expect(sketch.count).toBe(40_000);
  // What is shown beside the quantile is its true error.
  expect(sketch.accuracy).toBeGreaterThan(0.01);
  expect(sketch.accuracy).toBeLessThan(0.3);
  for (const share of [0.1, 0.9, 0.99]) {
    const error = (quantile(sketch, share) ?? NaN) / exactQuantile(many, share) - 1;
    expect(Math.abs(error)).toBeLessThanOrEqual(sketch.accuracy + 0.003); // the distance of two ranks
  }
});

test("values that hardly differ have a median between them", () => {
  const times = Array.from({ length: 6_000 }, (_, i) => 1_795_864_000_000 + i);
  const [p50, p95] = sketchOf(times).quantiles([0.5, 0.95] as const) ?? [];
  expect(Math.abs((p50 ?? 0) - exactQuantile(times, 0.5))).toBeLessThan(2);
  expect(Math.abs((p95 ?? 0) - exactQuantile(times, 0.95))).toBeLessThan(2);
});

test("an empty sketch has no quantiles, and adds nothing", () => {
  expect(quantile(new Sketch(), 0.5)).toBeNull();
  const sketch = sketchOf([3]);
  sketch.merge(new Sketch());
  expect(quantile(sketch, 0.5)).toBe(3);
  expect(stored(new Sketch()).quantiles(SHARES)).toBeNull();
});

test("bins ascend and hold every value", () => {
  fc.assert(
    fc.property(values, fc.constantFrom(0, 1_000), (all, limit) => {
      const bins = sketchOf(all, limit).bins();
      expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(all.length);
      for (const [i, { low, value: middle, high }] of bins.entries()) {
        expect(low <= middle && middle <= high).toBe(true);
        if (i > 0) expect(middle).toBeGreaterThan(bins[i - 1]?.value ?? NaN);
      }
      expect([bins[0]?.low, bins.at(-1)?.high]).toEqual([Math.min(...all), Math.max(...all)]);
    }),
    { numRuns: 300 },
  );
});
