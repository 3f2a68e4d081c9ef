import { expect, test } from "vitest";
import { parsePs } from "../../../daemon/watch/ps.ts";

const row = (state: string, time = "0:00.00") => `7 1 ${state} ${time} 4 Mon Nov 23 09:00:01 2026`;

test("ps is understood as macOS writes it", () => {
  const line = "  501   1 Ss   1-02:03:04.50   8192 Mon Nov 23 09:00:01 2026    \n";
  expect(parsePs(`${line}garbage\n`)).toEqual([
    {
      pid: 501,
      parent: 1,
      state: "waiting",
      cpuMs: (26 * 3600 + 3 * 60 + 4.5) * 1000,
      residentBytes: 8192 * 1024,
      started: "Mon Nov 23 09:00:01 2026",
    },
  ]);
});

test.each([
  ["R+", "running"],
  ["T", "stopped"],
  ["Z", "ended"],
  ["S", "waiting"],
  ["Ds", "waiting"],
])("the state %s is %s", (letters, state) => {
  expect(parsePs(row(letters))).toMatchObject([{ state }]);
});

test.each([
  ["0:00.07", 70],
  ["12:34.00", 754_000],
  ["1:00:00", 3_600_000],
  ["2-00:00:00", 172_800_000],
])("a CPU time of %s is %d ms", (time, cpuMs) => {
  expect(parsePs(row("S", time))).toMatchObject([{ cpuMs }]);
});

test("a process without a whole start time is left out, because it can't be compared", () => {
  expect(parsePs("7 1 S 0:00.00 4 Mon Nov 23")).toEqual([]);
  expect(parsePs("")).toEqual([]);
});
