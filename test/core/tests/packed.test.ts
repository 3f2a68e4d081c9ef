import fc from "fast-check";
import { expect, test } from "vitest";
import { testKey } from "../../../src/core/tests/id.ts";
import {
  findPacked,
  packTests,
  partOf,
  partsOf,
  readPacked,
} from "../../../src/core/tests/packed.ts";
import { TESTS_SHOWN } from "../../../src/core/tests/vocabulary.ts";

test("tests are read as they were packed, their durations nearly", () => {
  const one = fc.record({
    id: fc.array(fc.string(), { minLength: 1, maxLength: 3 }),
    result: fc.constantFrom(...TESTS_SHOWN),
    duration_ms: fc.option(fc.double({ min: 0, max: 1e9, noNaN: true })),
  });
  fc.assert(
    fc.property(fc.uniqueArray(one, { selector: ({ id }) => testKey(id) }), (tests) => {
      const parts = partsOf(tests.length);
      const packed = packTests(
        tests.map((each) => ({ ...each, key: testKey(each.id) })),
        parts,
      );
      for (const { id, result, duration_ms } of tests) {
        const key = testKey(id);
        const found = findPacked(packed[partOf(key, parts)] ?? "", key);
        expect(found?.result).toBe(result);
        if (duration_ms === null) expect(found?.duration_ms).toBeNull();
        else
          expect(Math.abs((found?.duration_ms ?? 0) - duration_ms)).toBeLessThanOrEqual(
            (duration_ms + 1) * 1e-4,
          );
        expect(readPacked(packed[partOf(key, parts)] ?? "").get(key)).toEqual(found);
      }
      expect(findPacked(packed[0] ?? "", testKey(["never", "ran"]))).toBeUndefined();
    }),
  );
});

test.each([
  [0, 1],
  [337, 1],
  [999, 1],
  [1_000, 2],
  [10_000, 16],
  [100_000, 128],
  [1_000_000, 256],
])("%i tests are in %i parts: at most one row for 500", (tests, parts) => {
  expect(partsOf(tests)).toBe(parts);
  expect(parts).toBeLessThanOrEqual(Math.max(1, tests / 500));
});
