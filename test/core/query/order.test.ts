import fc from "fast-check";
import { expect, test } from "vitest";
import { compareVersions } from "../../../src/core/query/order.ts";

test.each([
  ["1.2", "1.10"],
  ["1.2.3", "1.2.4"],
  ["v1.9", "2.0"],
  ["1.0.0-alpha", "1.0.0-alpha.1"],
  ["1.0.0-alpha.1", "1.0.0-beta"],
  ["1.0.0-beta.2", "1.0.0-beta.11"],
  ["1.0.0-rc.1", "1.0.0"],
  ["2026.1.31", "2026.2.1"],
  ["20260131235959", "20260201000000"],
  ["1.0a", "1.0b"],
])("%s comes before %s", (a, b) => {
  expect(compareVersions(a, b)).toBeLessThan(0);
  expect(compareVersions(b, a)).toBeGreaterThan(0);
});

test.each([
  ["1.2", "1.2.0"],
  ["v1.2", "1.2"],
  ["1.2+build.5", "1.2+build.7"],
  ["01.2", "1.2"],
])("%s and %s are the same version", (a, b) => {
  expect(compareVersions(a, b)).toBe(0);
});

test("it is an order of all texts", () => {
  const version = fc.oneof(
    fc.string({ maxLength: 8 }),
    fc
      .array(fc.constantFrom("0", "1", "10", "2", ".", "-", "+", "a", "rc", "v", "_"), {
        maxLength: 8,
      })
      .map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      expect(compareVersions(a, a)).toBe(0);
      expect(Math.sign(compareVersions(a, b))).toBe(-Math.sign(compareVersions(b, a)) + 0);
      const isOrdered = compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0;
      if (isOrdered) expect(compareVersions(a, c)).toBeLessThanOrEqual(0);
    }),
    { numRuns: 2_000 },
  );
});
