/**
 * The signal that ended a process, where Node has no name for it: it reports real-time signals as exit code 0. Linux keeps the exit
 * status of a process until its parent reads it, which Node does after the event in which this is called, unless another child ends in
 * the same millisecond: then exit code 0 stands. So those that read the context begin after the command, and end after it (ask.ts).
 */
import { readFileSync } from "node:fs";
import { EXIT_STATUS_MS } from "../limits.ts";

/** Its number; undefined if the process ended otherwise, or still runs. Call it when the process's output has ended. */
export function unnamedSignal(pid: number): number | undefined {
  if (process.platform !== "linux") return undefined;
  const until = performance.now() + EXIT_STATUS_MS;
  do {
    const status = exitStatus(pid);
    if (status === "gone" || status === "running") return undefined;
    // The lower seven bits are the signal (waitpid(2)).
    if (status !== "exiting") return (status & 0x7f) >= 32 ? status & 0x7f : undefined;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  } while (performance.now() < until);
  return undefined;
}

/** A process that ends closes its files before its status can be read (PF_EXITING of Linux's sched.h). */
const EXITING = 0x4;

/** Field 52 of `/proc/<pid>/stat` (proc(5)), once the process has ended. */
function exitStatus(pid: number): number | "running" | "exiting" | "gone" {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z") return Number(fields[49]);
    return Number(fields[6]) & EXITING ? "exiting" : "running";
  } catch {
    return "gone";
  }
}
