/** Processor time and memory of programs that a benchmark started. Linux only (/proc). */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

const TICK_MS = 10; // of /proc's clock: sysconf(_SC_CLK_TCK) is 100 on every Linux that matters

/** User and system time, in milliseconds, of a process's children of that name (its first 15 characters). Default: this process's. */
export function cpuMs(program: string, parent = process.pid): number {
  // utime and stime of proc(5)
  return sumOf(program, parent, (fields) => Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Resident memory of such processes. */
export function residentMiB(program: string, parent = process.pid): number {
  return (sumOf(program, parent, (fields) => Number(fields[21])) * PAGE_BYTES) / 1024 / 1024;
}

/** On x86-64, and on most ARM systems. */
const PAGE_BYTES = 4_096;

/** The first such process. */
export function pidOf(program: string, parent = process.pid): number {
  let found = 0;
  sumOf(program, parent, (_, pid) => (found ||= pid));
  return found;
}

/** The most resident memory of a process since its start or since `resetPeak` (VmHWM of proc(5)); 0 of one that is ending. Throws if it has ended. */
export function peakMiB(pid: number): number {
  const [, kib] = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib ?? 0) / 1_024;
}

export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

function sumOf(
  program: string,
  parent: number,
  of: (fields: string[], pid: number) => number,
): number {
  let sum = 0;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const [name = "", rest = ""] = readFileSync(`/proc/${pid}/stat`, "utf8")
        .split(/\((.*)\) /)
        .slice(1);
      const fields = rest.split(" ");
      if (name.startsWith(program) && fields[1] === String(parent)) sum += of(fields, Number(pid));
    } catch {
      // A process that ended meanwhile.
    }
  }
  return sum;
}
