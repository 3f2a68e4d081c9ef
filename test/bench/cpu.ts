/** Processor time of programs that a benchmark started. Linux only (/proc). */
import { readdirSync, readFileSync } from "node:fs";

const TICK_MS = 10; // of /proc's clock: sysconf(_SC_CLK_TCK) is 100 on every Linux that matters

/** User and system time, in milliseconds, of a process's children of that name (its first 15 characters). Default: this process's. */
export function cpuMs(program: string, parent = process.pid): number {
  let ticks = 0;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const [name = "", rest = ""] = readFileSync(`/proc/${pid}/stat`, "utf8")
        .split(/\((.*)\) /)
        .slice(1);
      const fields = rest.split(" ");
      if (name.startsWith(program) && fields[1] === String(parent))
        ticks += Number(fields[11]) + Number(fields[12]);
    } catch {
      // A process that ended meanwhile.
    }
  }
  return ticks * TICK_MS;
}
