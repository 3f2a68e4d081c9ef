import { deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { packTimes, packValues, unpack } from "../../../src/core/segments/column.ts";

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const decimal = fc
  .tuple(fc.integer({ min: -1e6, max: 1e6 }), fc.nat(6))
  .map(([n, d]) => n / 10 ** d);

function restored(packed: Uint8Array): number[] {
  return Array.from(unpack(packed));
}

describe("every finite double is restored exactly", () => {
  test("any bits", () => {
    fc.assert(
      fc.property(fc.array(finite, { maxLength: 60 }), (values) => {
        expect(restored(packValues(values))).toStrictEqual(values);
        // A time of minus zero is a time of zero.
        expect(restored(packTimes(values)).map((time) => time + 0)).toEqual(
          values.map((time) => time + 0),
        );
      }),
      { numRuns: 3_000 },
    );
  });

  test("decimals, alone and with one odd value among them", () => {
    fc.assert(
      fc.property(fc.array(decimal), finite, (values, odd) => {
        expect(restored(packValues(values))).toStrictEqual(values);
        expect(restored(packValues([...values, odd]))).toStrictEqual([...values, odd]);
        expect(restored(packValues([odd, ...values]))).toStrictEqual([odd, ...values]);
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([
    [[]],
    [[0]],
    [[-0]],
    [[0, -0]],
    [[-0, 0, 0]],
    [[Number.MAX_VALUE, -Number.MAX_VALUE]],
    [[5e-324, -5e-324, 2.2250738585072014e-308]],
    [[2 ** 49 - 1, -(2 ** 49 - 1)]],
    [[2 ** 49, 1]],
    [[2 ** 53, 2 ** 53 - 1, -(2 ** 53)]],
    [[1e22, 0.1]],
    [[0.1, 0.2, 0.1 + 0.2]],
    [[123456789012.123, 0.000000000001]],
    [[1e12, 1e-12, 562949953421.311]],
    [[2 ** 51 + 0.5, 0.5]],
  ])("%j", (values) => expect(restored(packValues(values))).toStrictEqual(values));
});

test("times are restored exactly: regular, irregular, decreasing, fractional, at the limits of the calendar", () => {
  const steps = fc.oneof(
    fc.constant(16),
    fc.integer({ min: -1e6, max: 1e6 }),
    fc.double({ min: -1, max: 1, noNaN: true }),
  );
  fc.assert(
    fc.property(fc.array(steps), fc.constantFrom(0, 1.8e12, 8.64e15), (gaps, start) => {
      let at = start;
      const times = gaps.map((gap) => (at += gap));
      expect(restored(packTimes(times))).toStrictEqual(times);
    }),
  );
});

/** Bytes a point takes in a sealed segment: both columns, deflated as segments are. */
function bytesPerPoint(times: number[], values: number[]): number {
  const size = (column: Uint8Array) => deflateRawSync(column, { level: 4 }).length;
  return (size(packTimes(times)) + size(packValues(values))) / times.length;
}

describe("sizes", () => {
  const COUNT = 4_000; // what a segment of 64 KB holds of a few series
  const random = mulberry(7);
  const series = (interval: () => number, value: (i: number) => number): [number[], number[]] => {
    let at = 1_790_000_000_000;
    return [
      Array.from({ length: COUNT }, () => (at += interval())),
      Array.from({ length: COUNT }, (_, i) => value(i)),
    ];
  };
  let walk = 512;

  test.each([
    [
      "a constant",
      ...series(
        () => 1_000,
        () => 42,
      ),
    ],
    [
      "a ramp",
      ...series(
        () => 1_000,
        (i) => i * 3,
      ),
    ],
    [
      "frames per second, one digit, every 16 or 17 ms",
      ...series(
        () => 16 + Math.round(random()),
        (i) => Math.round(600 + 20 * Math.sin(i / 50) + 4 * random()) / 10,
      ),
    ],
    [
      "memory in MB, two digits, a slow walk",
      ...series(
        () => 1_000,
        () => Math.round((walk += random() - 0.5) * 100) / 100,
      ),
    ],
    [
      "a temperature, one digit",
      ...series(
        () => 5_000,
        (i) => Math.round(200 + 50 * Math.sin(i / 300) + random()) / 10,
      ),
    ],
  ])("a regular gauge takes at most 2.5 bytes a point sealed: %s", (_, times, values) => {
    expect(bytesPerPoint(times, values)).toBeLessThanOrEqual(2.5);
  });

  test.each([
    [
      "five digits of noise, uneven times",
      ...series(
        () => 10 + Math.floor(random() * 90),
        () => Math.round(random() * 1e5) / 100,
      ),
    ],
    [
      "nanosecond timings",
      ...series(
        () => 16 + Math.round(random() * 3),
        () => Math.round(4e6 + random() * 12e6) / 1e9,
      ),
    ],
    [
      "a sensor's single-precision floats",
      ...series(
        () => 100 + Math.floor(random() * 5),
        () => Math.fround(20 + random() * 10),
      ),
    ],
    [
      "six digits of pure noise",
      ...series(
        () => 10 + Math.floor(random() * 90),
        () => Math.round(random() * 1e6) / 1e6,
      ),
    ],
  ])("a noisy one at most 6: %s", (_, times, values) => {
    expect(bytesPerPoint(times, values)).toBeLessThanOrEqual(6);
  });

  test("values with 52 random bits are restored, at little more than their own size", () => {
    const [times, values] = series(
      () => 1_000,
      () => random() * 100,
    );
    expect(bytesPerPoint(times, values)).toBeLessThanOrEqual(7.2);
  });
});

test("a damaged column is an error or other numbers, in bounded memory", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        expect(unpack(bytes).length).toBeLessThan(5_000_000);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
    { numRuns: 1_000 },
  );
});

function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
