import { expect, test } from "vitest";
import {
  formatAge,
  formatBytes,
  formatCount,
  formatDuration,
  formatNumber,
  formatQuantity,
  formatTick,
  formatZone,
} from "../../../src/core/text/format.ts";

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
  [3 * 86_400_000 + 4.7 * 3_600_000, "3 d 4 h"],
  [9_990, "9.99 s"],
  [0.2, "< 1 ms"],
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

test.each([
  [0, "0"],
  [1_204, "1,204"],
  [-1_204, "-1,204"],
  [999_999_999_999, "999,999,999,999"],
  [1e12, "1,000,000,000,000"],
  [9_007_199_254_740_991, "9,007,199,254,740,991"],
  [9_007_199_254_740_992, "9.01e15"],
  [-0, "0"],
  [59.94, "59.94"],
  [1 / 3, "0.3333"],
  [999.96, "1000"],
  [1_000.4, "1,000"],
  [123_456.7, "123,457"],
  [999_999_999.5, "1,000,000,000"],
  [1_500_000_000.5, "1.50e9"],
  [1e-4, "0.0001"],
  [0.000_099, "9.90e-5"],
])("the number %d is %s", (value, text) => expect(formatNumber(value)).toBe(text));

test.each([
  [431_951_872, "bytes", "412 MiB"],
  [1_536, "Byte", "1.5 KiB"],
  [512, "b", "512 B"],
  [-512, "b", "−512 B"],
  [0, "seconds", "0 s"],
  [1.5, "second", "1.5 s"],
  [1, "s", "1 s"],
  [0.001_25, "seconds", "1.25 ms"],
  [0.000_001, "s", "1 µs"],
  [0.000_000_5, "s", "500 ns"],
  [5e-12, "s", "0.005 ns"],
  [-2, "s", "-2 s"],
  [87.4321, "percent", "87.43 %"],
  [5, "%", "5 %"],
  [41.5, "celsius", "41.5 °C"],
  [41.5, "°C", "41.5 °C"],
  [70, "Fahrenheit", "70 °F"],
  [70, "°f", "70 °F"],
  [8, "threads", "8 threads"],
  [8, "constructor", "8 constructor"],
  [8, undefined, "8"],
])("%d in %s is %s", (value, unit, text) => expect(formatQuantity(value, unit)).toBe(text));

test("an axis label has the symbol of a unit, and no name", () => {
  const units = ["byte", "b", "seconds", "s", "percent", "%", "celsius", "°C", "fahrenheit"];
  expect(units.map((unit) => formatTick(8, unit))).toEqual([
    "8 B",
    "8 B",
    "8 s",
    "8 s",
    "8 %",
    "8 %",
    "8 °C",
    "8 °C",
    "8 °F",
  ]);
  expect([formatTick(8, "threads"), formatTick(8, "kilobytes"), formatTick(8)]).toEqual([
    "8",
    "8",
    "8",
  ]);
});

test("counts have a singular and a plural", () => {
  expect([0, 1, 1_204].map((count) => formatCount(count, "event"))).toEqual([
    "0 events",
    "1 event",
    "1,204 events",
  ]);
  expect(formatCount(2, "series", "series")).toBe("2 series");
});

test("a zone is named by its offset", () => {
  expect([0, 60, -300, 345, -210, 570].map(formatZone)).toEqual([
    "UTC",
    "UTC+1",
    "UTC−5",
    "UTC+5:45",
    "UTC−3:30",
    "UTC+9:30",
  ]);
});
