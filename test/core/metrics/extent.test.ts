import { expect, test } from "vitest";
import { extentOf } from "../../../src/core/metrics/extent.ts";

const session = { from: 1_000, to: 2_000 };

test("points that are a little outside of a session widen its range", () => {
  expect(extentOf(session, [])).toEqual({ ...session, outside: undefined });
  expect(extentOf(session, [{ from: 950, to: 2_100 }])).toEqual({
    from: 950,
    to: 2_100,
    outside: undefined,
  });
});

test("points far outside do not, but are announced", () => {
  const points = [
    { from: 1_200, to: 1_700 },
    { from: 0, to: 1_800 },
    { from: 1_990, to: 2_050 },
  ];
  expect(extentOf(session, points)).toEqual({
    from: 1_000,
    to: 2_050,
    outside: { from: 0, to: 2_050 },
  });
});
