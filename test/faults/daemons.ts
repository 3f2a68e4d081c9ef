/** The daemon as its own process, with the system's figures of it. */
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { World } from "../daemon/world.ts";

export const PROGRAM = join(import.meta.dirname, "../../daemon/launch/datacat-daemon.mjs");

export function startDaemon(world: World, env: NodeJS.ProcessEnv = {}): ChildProcess {
  return spawn(process.execPath, [PROGRAM], {
    cwd: world.home.folder,
    env: { ...process.env, ...world.env, DATACAT_DAEMON_PORT: "0", ...env },
    stdio: "ignore",
  });
}

/** 0 after it exited, and where there is no /proc. */
export function residentBytes(pid: number | undefined): number {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]);
    return pages * 4_096;
  } catch {
    return 0;
  }
}

/** 0 where there is no /proc. */
export function openFiles(pid: number | undefined): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}
