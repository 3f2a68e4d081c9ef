/**
 * Which processes are alive, and what they do. A process is identified by its pid and its start, because pids are used again.
 * Linux is read here; other systems through `ps` or PowerShell (ps.ts, powershell.ts).
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { programPath } from "../program-path.ts";
import { POWERSHELL_TIMEOUT_MS } from "../limits.ts";
import { parsePowerShell, powershellQuery } from "./powershell.ts";
import type { ProcessInfo } from "./process-info.ts";
import { parsePs, PS_COLUMNS } from "./ps.ts";

/** One process; undefined if there is none or reading it is not permitted. */
export function readProcess(
  pid: number,
  platform: string = process.platform,
): ProcessInfo | undefined {
  if (!Number.isSafeInteger(pid) || pid < 1) return undefined;
  if (platform === "linux") return readStat(pid);
  return askSystem(platform, pid).find((found) => found.pid === pid);
}

/** Every process that this user may read. */
export function listProcesses(platform: string = process.platform): ProcessInfo[] {
  if (platform !== "linux") return askSystem(platform);
  return readdirSync("/proc").flatMap((name) => {
    const found = /^\d+$/.test(name) ? readStat(Number(name)) : undefined;
    return found ? [found] : [];
  });
}

/** How many files and sockets a process has open; Linux only. */
export function openFiles(pid: number): number | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return undefined;
  }
}

/**
 * Whether that very process is alive: same pid and, if its start is known, same start. A process that may not be read (another
 * user's) counts as alive: a wrong answer would be a false crash.
 */
export function isAlive(pid: number, started?: string): boolean {
  const found = readProcess(pid);
  if (!found) return answersSignal(pid);
  return found.state !== "ended" && (started === undefined || found.started === started);
}

/** Signal 0 only tests: EPERM means that the process exists, but is another user's. */
function answersSignal(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function readStat(pid: number): ProcessInfo | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return undefined;
  }
}

/** `/proc/<pid>/stat`, see proc(5). The name in brackets may contain blanks and brackets. */
export function parseStat(text: string): ProcessInfo | undefined {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, parent] = fields;
  const started = fields[19];
  if (state === undefined || parent === undefined || started === undefined) return undefined;
  return {
    pid: Number.parseInt(text, 10),
    parent: Number(parent),
    started,
    state: STATES[state] ?? "waiting",
    // The status of waitpid(2). It is 0 for a process that this user may not trace.
    signal: STATES[state] === "ended" ? Number(fields[49] ?? 0) & 0x7f || undefined : undefined,
    cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS,
    childrenCpuMs: (Number(fields[13]) + Number(fields[14])) * TICK_MS,
    residentBytes: Number(fields[21]) * pageBytes(),
    threads: Number(fields[17]),
  };
}

/** Linux counts CPU time for user space in hundredths of a second on every architecture that Node runs on. */
const TICK_MS = 10;
const STATES: Record<string, ProcessInfo["state"]> = {
  R: "running",
  T: "stopped",
  t: "stopped",
  Z: "ended",
  X: "ended",
  x: "ended",
};

/** 4 KiB nearly everywhere, but 16 or 64 on some ARM machines. Node has no call for it, so it is computed from this process's memory. */
let knownPageBytes = 0;
function pageBytes(): number {
  if (knownPageBytes > 0) return knownPageBytes;
  const pages = Number(readFileSync("/proc/self/statm", "utf8").split(" ")[1]);
  const ratio = process.memoryUsage.rss() / pages;
  knownPageBytes = 2 ** Math.round(Math.log2(ratio));
  return knownPageBytes;
}

function askSystem(platform: string, pid?: number): ProcessInfo[] {
  try {
    if (platform === "win32") {
      const query = powershellQuery(pid);
      const options = {
        encoding: "utf8",
        windowsHide: true,
        timeout: POWERSHELL_TIMEOUT_MS,
      } as const;
      return parsePowerShell(
        execFileSync(installed("powershell.exe"), ["-NoProfile", "-Command", query], options),
      );
    }
    const which = pid === undefined ? ["-A"] : ["-p", String(pid)];
    const options = { encoding: "utf8", env: { ...process.env, LC_ALL: "C" } } as const;
    return parsePs(execFileSync(installed("ps"), [...which, "-o", PS_COLUMNS], options));
  } catch {
    return [];
  }
}

function installed(name: string): string {
  const path = programPath(name);
  if (path === undefined) throw new Error(`${name} is not installed`);
  return path;
}
