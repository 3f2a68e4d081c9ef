/**
 * workerd, which Miniflare starts as a child, keeps running when its parent is killed with SIGKILL: it would keep the port and
 * the data. So a shell waits for the end of a pipe that only this process holds, and then kills workerd.
 */
import { execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { programPath } from "../program-path.ts";
import { listProcesses } from "../watch/processes.ts";

/** Has the workerd children of this process killed when it ends. Returns the function to call once they have ended by themselves. */
export function guardRuntime(): () => void {
  if (process.platform === "win32") return () => {}; // no such shell: a remaining workerd must be ended by hand
  const runtimes = listProcesses().filter(
    ({ parent, pid }) => parent === process.pid && nameOf(pid).includes("workerd"),
  );
  if (runtimes.length === 0) return () => {};

  const script = `read _; kill -9 ${runtimes.map(({ pid }) => pid).join(" ")}`;
  const guard = spawn("/bin/sh", ["-c", script], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true, // Ctrl-C in the terminal must not end it before workerd
  });
  guard.on("error", () => {}); // no shell: as on Windows
  guard.stdin.on("error", () => {});
  guard.unref();
  return () => guard.kill("SIGKILL");
}

function nameOf(pid: number): string {
  try {
    if (process.platform === "linux") return readFileSync(`/proc/${pid}/comm`, "utf8");
    return execFileSync(programPath("ps") ?? "", ["-o", "comm=", "-p", String(pid)], {
      encoding: "utf8",
    });
  } catch {
    return ""; // it ended meanwhile
  }
}
