import { expect, test } from "vitest";
import { parsePowerShell, powershellQuery } from "../../../daemon/watch/powershell.ts";

const row = {
  ProcessId: 12,
  ParentProcessId: 4,
  KernelModeTime: 10_000_000,
  UserModeTime: 5_000_000,
  WorkingSetSize: 4096,
  Started: "638989128010000000",
};

test("PowerShell's JSON is understood", () => {
  expect(parsePowerShell(JSON.stringify([row]))).toEqual([
    {
      pid: 12,
      parent: 4,
      state: "waiting",
      cpuMs: 1500,
      residentBytes: 4096,
      started: "638989128010000000",
    },
  ]);
});

test("no output is no process", () => {
  expect(parsePowerShell("\r\n")).toEqual([]);
});

test("values that Windows hides from this user are zero", () => {
  const hidden = {
    ...row,
    KernelModeTime: null,
    UserModeTime: null,
    WorkingSetSize: null,
    Started: null,
  };
  expect(parsePowerShell(JSON.stringify([hidden]))).toMatchObject([
    { cpuMs: 0, residentBytes: 0, started: "" },
  ]);
});

test("output of another shape is an error, not a list of wrong processes", () => {
  expect(() => parsePowerShell("Get-CimInstance: Access denied")).toThrow();
  expect(() => parsePowerShell(JSON.stringify([{ ...row, ProcessId: "12" }]))).toThrow();
});

test("the query asks for one process, or for all", () => {
  expect(powershellQuery(12)).toContain("Win32_Process -Filter 'ProcessId=12' |");
  expect(powershellQuery()).toContain("Win32_Process |");
});
