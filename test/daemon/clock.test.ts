import { expect, test } from "vitest";
import { gap, type Reading } from "../../daemon/clock.ts";

const before: Reading = { now: 0, monotonic: 0, uptime: 0 };
const after = (now: number, monotonic: number, uptime: number): Reading => ({
  now,
  monotonic,
  uptime,
});

test.each<[string, Reading, { sleptMs: number; heldUpMs: number }]>([
  ["an ordinary wait is neither", after(400, 400, 400), { sleptMs: 0, heldUpMs: 0 }],
  [
    "a machine whose uptime goes on while it sleeps",
    after(3_600_000, 400, 3_600_000),
    { sleptMs: 3_599_600, heldUpMs: 3_599_600 },
  ],
  ["a process that was stopped", after(9_400, 9_400, 9_400), { sleptMs: 0, heldUpMs: 9_000 }],
  [
    "a time of day set forwards is neither",
    after(86_400_000, 400, 400),
    { sleptMs: 0, heldUpMs: 0 },
  ],
  ["a time of day set back is neither", after(-86_400_000, 400, 400), { sleptMs: 0, heldUpMs: 0 }],
  ["two seconds late is still ordinary", after(2_400, 2_400, 2_400), { sleptMs: 0, heldUpMs: 0 }],
])("%s", (_, reading, expected) => {
  expect(gap(before, reading, 400)).toEqual(expected);
});
