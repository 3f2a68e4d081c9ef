/** How a command ended, as an op. */
import { isStopRequest } from "../../../src/core/signals.ts";
import type { Op } from "../../../src/core/wire.ts";

/** One of the two is set, as Node reports it. */
export type Exit = { code: number | null; signal: string | null };

/** What else is known about the end. */
type Circumstances = {
  /** The system killed a process of its control group because memory ran out. */
  killedForMemory: boolean;
  /** The reader of the command's output has ended, which ends the command with SIGPIPE. */
  readerLeft: boolean;
};

export function outcomeOf({ code, signal }: Exit, known: Circumstances, at: number): Op {
  if (signal === null) return { op: "end", at, exit_code: code ?? 0 };
  if (isStopRequest(signal)) return { op: "end", at, signal };
  if (signal === "SIGPIPE" && known.readerLeft) return { op: "end", at, signal };
  if (signal === "SIGKILL" && known.killedForMemory) {
    return { op: "crash", at, signal, reason: "out_of_memory", out_of_memory: true };
  }
  return { op: "crash", at, signal, reason: "killed" };
}
