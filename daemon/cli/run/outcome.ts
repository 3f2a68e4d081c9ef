/** How a command ended, as an op. */
import { isStopRequest } from "../../../src/core/status/signals.ts";
import { formatBytes } from "../../../src/core/text/format.ts";
import type { Op } from "../../../src/core/wire.ts";
import type { Growth } from "./memory.ts";

/** `code` or `signal` is set, as Node reports it. `number`: of a signal for which Node has no name. */
export type Exit = { code: number | null; signal: string | null; number?: number };

/** What else is known about the end. */
type Circumstances = {
  /** The system killed a process of its control group because memory ran out. */
  killedForMemory: boolean;
  /** The reader of the command's output has ended, which ends the command with SIGPIPE. */
  readerLeft: boolean;
  /** How its memory grew before the end. */
  growth?: Growth | undefined;
  /** The least limit of memory of its control groups. */
  limitBytes?: number | undefined;
};

const SIGKILL = 9;

export function outcomeOf({ code, signal }: Exit, known: Circumstances, at: number): Op {
  const { growth: last, limitBytes } = known;
  const message =
    limitBytes === undefined ? undefined : `Its memory is limited to ${formatBytes(limitBytes)}`;
  const outOfMemory = { reason: "out_of_memory", out_of_memory: true, message, last } as const;
  if (signal === null) {
    // A shell whose child was killed reports that as its own exit code.
    if (known.killedForMemory && code === 128 + SIGKILL)
      return { op: "crash", at, exit_code: code, ...outOfMemory };
    return { op: "end", at, exit_code: code ?? 0 };
  }
  if (isStopRequest(signal)) return { op: "end", at, signal };
  if (signal === "SIGPIPE" && known.readerLeft) return { op: "end", at, signal };
  if (signal === "SIGKILL" && known.killedForMemory) {
    return { op: "crash", at, signal, ...outOfMemory };
  }
  return {
    op: "crash",
    at,
    signal,
    reason: "killed",
    last: signal === "SIGKILL" ? last : undefined,
  };
}
