/** Processes on Windows, from PowerShell as JSON. */
import * as v from "valibot";
import type { ProcessInfo } from "./process-info.ts";

/** One process, or all. `CreationDate` is in ticks, because dates depend on the locale. */
export function powershellQuery(pid?: number): string {
  const filter = pid === undefined ? "" : ` -Filter 'ProcessId=${pid}'`;
  return `ConvertTo-Json -Compress @(Get-CimInstance Win32_Process${filter} | Select-Object ProcessId,ParentProcessId,KernelModeTime,UserModeTime,WorkingSetSize,@{n='Started';e={[string]$_.CreationDate.Ticks}})`;
}

const Rows = v.array(
  v.object({
    ProcessId: v.number(),
    ParentProcessId: v.number(),
    KernelModeTime: v.nullable(v.number()),
    UserModeTime: v.nullable(v.number()),
    WorkingSetSize: v.nullable(v.number()),
    Started: v.nullable(v.string()),
  }),
);

export function parsePowerShell(output: string): ProcessInfo[] {
  if (output.trim() === "") return [];
  return v.parse(Rows, JSON.parse(output)).map((row) => ({
    pid: row.ProcessId,
    parent: row.ParentProcessId,
    started: row.Started ?? "",
    state: "waiting", // on Windows only threads have states, not the process
    cpuMs: ((row.KernelModeTime ?? 0) + (row.UserModeTime ?? 0)) / 10_000,
    residentBytes: row.WorkingSetSize ?? 0,
  }));
}
