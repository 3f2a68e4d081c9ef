/** Mean and deviation against exact arithmetic, and against Python's `statistics`. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  addValues,
  meanOf,
  mergeMoments,
  type Moments,
  newMoments,
  sumOf,
} from "../../../src/core/metrics/moments.ts";
import expected from "../../fixtures/figures/figures.json" with { type: "json" };
import { exactDeviation, exactMean } from "../exact.ts";

function momentsOf(values: number[]): Moments {
  const moments = newMoments();
  addValues(moments, values);
  return JSON.parse(JSON.stringify(moments)) as Moments; // as they are stored
}

function mergedOf(parts: number[][]): Moments {
  const moments = newMoments();
  for (const part of parts) mergeMoments(moments, momentsOf(part));
  return moments;
}

/** Within `relative` of the truth, or within rounding of the values. */
function expectNear(found: number, truth: number, relative: number, least = 0) {
  const error = Math.abs(found / 2 - truth / 2) * 2;
  const allowed = Math.max(Math.abs(truth) * relative, least, 2 * Number.MIN_VALUE);
  expect({ found, truth, isNear: error <= allowed }).toEqual({ found, truth, isNear: true });
}

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
/** Series of usual values, of all magnitudes, with offsets that cancel, and of extremes. */
const series = fc.oneof(
  fc.array(finite, { minLength: 1, maxLength: 40 }),
  fc
    .tuple(
      fc.constantFrom(0, 1, 1e6, 1e12, 1.795864e12, 2 ** 53, 1e16, -1e200, 1e-200),
      fc.constantFrom(1e-9, 1, 1_000),
      fc.array(fc.integer({ min: -60, max: 60 }), { minLength: 1, maxLength: 60 }),
    )
    .map(([offset, step, all]) => all.map((each) => offset + each * step)),
  fc
    .tuple(fc.integer({ min: -320, max: 305 }), fc.array(fc.integer({ min: -999, max: 999 })))
    .map(([exponent, all]) => [1, ...all].map((each) => each * 10 ** exponent)),
  fc.array(fc.constantFrom(Number.MAX_VALUE, -Number.MAX_VALUE, 1.7e308, -1.7e308, 0, 1, 5e-324), {
    minLength: 1,
    maxLength: 12,
  }),
);

function sizeOf(values: number[]): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

test("mean and deviation are exact to rounding, for values of all magnitudes", () => {
  fc.assert(
    fc.property(series, (values) => {
      const moments = momentsOf(values);
      const size = sizeOf(values);
      expectNear(meanOf(moments, moments.count), exactMean(values), 1e-15, size * 1e-30);
      expectNear(moments.deviation, exactDeviation(values), 1e-12, size * 1e-17);
    }),
    { numRuns: 1_500 },
  );
});

test("parts merged in any order have the mean and deviation of the whole", () => {
  fc.assert(
    fc.property(fc.array(series, { minLength: 1, maxLength: 8 }), fc.nat(), (parts, turn) => {
      const values = parts.flat();
      const size = sizeOf(values);
      const start = turn % parts.length;
      for (const order of [parts, [...parts.slice(start), ...parts.slice(0, start)].toReversed()]) {
        const moments = mergedOf(order);
        expect(moments.count).toBe(values.length);
        expectNear(meanOf(moments, moments.count), exactMean(values), 1e-14, size * 1e-30);
        expectNear(moments.deviation, exactDeviation(values), 1e-11, size * 1e-17);
      }
    }),
    { numRuns: 700 },
  );
});

test("values one by one have the deviation of all together", () => {
  const START = 1_795_864_000_000;
  const values = Array.from({ length: 20_000 }, (_, i) => START + ((i * 7_919) % 60) * 1_000);
  const moments = mergedOf(values.map((value) => [value]));
  expectNear(meanOf(moments, moments.count), exactMean(values), 1e-16);
  expectNear(moments.deviation, exactDeviation(values), 1e-10);
});

test("sums of integers are integers", () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.integer(), { minLength: 1 })), (parts) => {
      expect(sumOf(mergedOf(parts))).toBe(parts.flat().reduce((sum, each) => sum + each, 0));
    }),
  );
});

test.each(expected)("$name: as Python's statistics has it", ({ values, mean, deviation }) => {
  const moments = momentsOf(values);
  expectNear(meanOf(moments, moments.count), mean, 1e-15);
  expectNear(moments.deviation, deviation, 1e-13);
});
