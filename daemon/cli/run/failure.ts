/** The error that ended a command, as the exception of its session. */
import type { Cause, Event } from "../../../src/core/wire.ts";
import {
  ERROR_AGE_MS,
  ERROR_CAUSES,
  ERROR_FRAMES,
  ERROR_LENGTH,
  ERROR_LINES_AFTER,
  ERROR_TYPE_LENGTH,
  MAX_LINE_LENGTH,
} from "../limits.ts";
import { isStopRequest } from "../../../src/core/status/signals.ts";
import { EVENT_EXCEPTION } from "../../../src/core/vocabulary.ts";
import { lastError } from "./errors/find.ts";
import type { PrintedError } from "./errors/printed-error.ts";
import type { Printed } from "./errors/tail.ts";
import type { Exit } from "./outcome.ts";
import type { OutputRecorder, StreamName } from "./output.ts";

/**
 * The exception of a command that failed at `at`; undefined if it printed none. An error that a command printed and then ended with 0
 * did not end it, and one that was printed long before the end is not known to have ended it: their lines are output only.
 */
export function failureOf(
  exit: Exit,
  tails: OutputRecorder["tails"],
  at: number,
): Event | undefined {
  if (exit.code === 0) return undefined;
  const found = search(tails, at);
  if (!found) return undefined;
  const { error } = found;
  // Asked to stop, a command ends by that request. Only Python's report of Ctrl-C shows where it was then.
  const isStop = exit.signal !== null && isStopRequest(exit.signal);
  if (isStop && error.type !== "KeyboardInterrupt") return undefined;
  return eventOf(found, at);
}

/** An error, and when and to which stream it was printed. */
type Dated = { error: PrintedError; printedAt: number; stream: StreamName };

/** Standard error first. Some programs print their errors among their results, where only unmistakable ones are read. */
function search({ stderr, stdout }: OutputRecorder["tails"], at: number): Dated | undefined {
  const own = recent("stderr", stderr.last, at) ?? whole("stderr", stderr.start, at);
  if (own && !own.error.isWeak) return own;
  return recent("stdout", stdout.last, at) ?? whole("stdout", stdout.start, at) ?? own;
}

function recent(stream: StreamName, { lines, times }: Printed, at: number): Dated | undefined {
  const error = lastError(lines, stream === "stdout");
  if (!error) return undefined;
  const printedAt = times[error.end - 1] ?? at;
  const after = lines.slice(error.end).filter((line) => line.trim() !== "").length;
  if (at - printedAt > ERROR_AGE_MS || after > ERROR_LINES_AFTER) return undefined;
  return { error, printedAt, stream };
}

/** An error of thousands of lines, of which this is the start. */
function whole(stream: StreamName, { lines, times }: Printed, at: number): Dated | undefined {
  const error = lastError(lines, true);
  const isLong = error !== undefined && error.end === lines.length;
  return isLong ? { error, printedAt: times.at(-1) ?? at, stream } : undefined;
}

function eventOf({ error, printedAt, stream }: Dated, endedAt: number): Event {
  const { type, message, stack, causes = [], source } = error;
  const room = { left: ERROR_LENGTH };
  return {
    op: "event",
    at: Math.min(printedAt, endedAt),
    name: EVENT_EXCEPTION,
    group: stream,
    category: "error",
    ...bounded({ exception_type: type, exception_msg: message, stacktrace: stack }, room),
    source_file: source?.file,
    source_line: source?.line,
    source_function: source?.function,
    causes:
      causes.length > 0
        ? causes.slice(0, ERROR_CAUSES).map((cause) => bounded(cause, room))
        : undefined,
    causes_left_out: Math.max(0, causes.length - ERROR_CAUSES) || undefined,
    handled: false,
  };
}

/** The error in what room is left, which becomes less. */
function bounded(
  { exception_type = "", exception_msg = "", stacktrace = [], kind, parent }: Cause,
  room: { left: number },
): Cause {
  const frames = framesOf(stacktrace).filter((line) => {
    room.left -= line.length;
    return room.left >= 0;
  });
  return {
    exception_type: exception_type.slice(0, ERROR_TYPE_LENGTH),
    exception_msg: exception_msg.slice(0, MAX_LINE_LENGTH),
    stacktrace: frames,
    kind,
    parent,
  };
}

/** The first and the last frames. */
function framesOf(stack: string[]): string[] {
  if (stack.length <= ERROR_FRAMES) return stack;
  const half = ERROR_FRAMES / 2;
  const left = stack.length - ERROR_FRAMES;
  return [...stack.slice(0, half), `  … ${left} more lines`, ...stack.slice(-half)];
}
