/** How a command ended, as the op that says so. */
import type { Op } from "../../../src/core/wire.ts";

/** Either is set, as Node reports it. */
export type Exit = { code: number | null; signal: string | null };

/** What is known about the end besides. */
export type Circumstances = {
  /** The system killed something for want of memory meanwhile. */
  killedForMemory: boolean;
  /** Whoever read the command's output has gone, which ends a command in a pipe with SIGPIPE. */
  readerLeft: boolean;
};

/** Signals that ask a program to stop; with any other it did not get to say goodbye. */
const ASKING = ["SIGTERM", "SIGINT", "SIGHUP"];

export function outcomeOf({ code, signal }: Exit, known: Circumstances, at: number): Op {
  if (signal === null) return { op: "end", at, exit_code: code ?? 0 };
  if (ASKING.includes(signal)) return { op: "end", at, signal };
  if (signal === "SIGPIPE" && known.readerLeft) return { op: "end", at, signal };
  if (signal === "SIGKILL" && known.killedForMemory) {
    return { op: "crash", at, signal, reason: "out_of_memory", out_of_memory: true };
  }
  return { op: "crash", at, signal, reason: "killed" };
}
