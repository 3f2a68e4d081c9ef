import { expect, test } from "vitest";
import { formatAge, formatBytes, formatDuration } from "../../src/core/format.ts";

test.each([
  [0, "0 ms"],
  [840, "840 ms"],
  [999.4, "999 ms"],
  [999.6, "1 s"],
  [1_000, "1 s"],
  [1_250, "1.25 s"],
  [9_999, "10 s"],
  [12_400, "12.4 s"],
  [59_949, "59.9 s"],
  [59_999, "1 min"],
  [60_000, "1 min"],
  [185_000, "3 min 5 s"],
  [3_599_600, "1 h"],
  [7_800_000, "2 h 10 min"],
  [86_400_000, "1 d"],
  [-840, "−840 ms"],
  [3 * 86_400_000 + 4 * 3_600_000, "3 d 4 h"],
])("%d ms are %s", (ms, text) => expect(formatDuration(ms)).toBe(text));

test.each([
  [0, "0 B"],
  [512, "512 B"],
  [1_023, "1023 B"],
  [1_024, "1 KiB"],
  [1_536, "1.5 KiB"],
  [64 * 1_024 * 1_024, "64 MiB"],
  [1_048_575, "1 MiB"],
  [1_023 * 1_024, "1023 KiB"],
  [5 * 1_024 ** 4, "5 TiB"],
  [5_000 * 1_024 ** 4, "4.88 PiB"],
])("%d bytes are %s", (size, text) => expect(formatBytes(size)).toBe(text));

test("an age has one unit and is never rounded up", () => {
  const ages = [-5_000, 4_999, 59_999, 60_000, 3_599_999, 86_399_999, 4 * 86_400_000];
  expect(ages.map(formatAge)).toEqual([
    "just now",
    "just now",
    "59 s ago",
    "1 min ago",
    "59 min ago",
    "23 h ago",
    "4 d ago",
  ]);
});
