import { expect, test } from "vitest";
import { bytes, duration, signalMeaning } from "../../src/core/words.ts";

test.each([
  [0, "0 ms"],
  [840, "840 ms"],
  [999.4, "999 ms"],
  [999.6, "1 s"],
  [1_000, "1 s"],
  [12_400, "12.4 s"],
  [59_949, "59.9 s"],
  [59_999, "1 min"],
  [60_000, "1 min"],
  [185_000, "3 min 5 s"],
  [3_599_600, "1 h"],
  [7_800_000, "2 h 10 min"],
  [86_400_000, "1 d"],
  [3 * 86_400_000 + 4 * 3_600_000, "3 d 4 h"],
])("%d ms are %s", (ms, words) => expect(duration(ms)).toBe(words));

test.each([
  [0, "0 B"],
  [512, "512 B"],
  [1_023, "1023 B"],
  [1_024, "1 KB"],
  [1_536, "1.5 KB"],
  [64 * 1_024 * 1_024, "64 MB"],
  [1_048_575, "1 MB"],
  [1_023 * 1_024, "1023 KB"],
  [5 * 1_024 ** 4, "5 TB"],
  [5_000 * 1_024 ** 4, "5000 TB"],
])("%d bytes are %s", (size, words) => expect(bytes(size)).toBe(words));

test("signals say what they mean, unknown ones their name", () => {
  expect(signalMeaning("SIGSEGV")).toBe("Signal SIGSEGV: it touched memory that is not its own");
  expect(signalMeaning("SIGRTMIN")).toBe("Signal SIGRTMIN");
  expect(signalMeaning("toString")).toBe("Signal toString");
});
