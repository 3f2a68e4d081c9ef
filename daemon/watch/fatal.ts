/** The ops by which the daemon records what a runtime wrote as its process ended (clients/README.md, "Fatal errors"). */
import { EVENT_FATAL } from "../../src/core/vocabulary.ts";
import type { Op } from "../../src/core/wire.ts";
import type { Lane } from "../lanes/lane.ts";
import { emptySideFile, readSideFile } from "../lanes/side-file.ts";
import { type Fatal, fatalIn } from "./fatal-text.ts";
import { runtimeOf } from "./stack-text.ts";

export type FatalEnd = Fatal & { at: number };

/** What the file of a lane has; undefined if it has no fatal error and no signal. */
export function fatalOf(lane: Lane): FatalEnd | undefined {
  const runtime = runtimeOf(lane.header.writer.language);
  const read = runtime && readSideFile(lane, "fatal");
  const fatal = read && fatalIn(runtime, read.text);
  return fatal && { ...fatal, at: read.writtenAt };
}

/** The same, of a process that is gone: Node's report contains the environment, and is removed. */
export function takeFatalOf(lane: Lane): FatalEnd | undefined {
  const fatal = fatalOf(lane);
  if (fatal && runtimeOf(lane.header.writer.language) === "javascript")
    emptySideFile(lane, "fatal");
  return fatal;
}

/** Whose end it was: the writer's own, that of a process that joined the session, or that of a process which the writer forked. */
type Whose = "writer" | "joined" | "forked";

/** The exception and the stacks; of a signal that requests the end, the stacks alone. */
export function fatalOps(fatal: FatalEnd, lane: Lane, whose: Whose): Op[] {
  const { at, type, message, stacktrace, stacks } = fatal;
  const { pid } = lane.header.writer;
  const ops: Op[] = [];
  if (type !== undefined)
    ops.push({
      op: "event",
      at,
      name: EVENT_FATAL,
      category: "critical",
      message: MESSAGES[whose],
      data: whose === "joined" && pid !== undefined ? { pid } : undefined,
      exception_type: type,
      exception_msg: message,
      stacktrace: stacktrace.length > 0 ? stacktrace : undefined,
      handled: false,
    });
  if (stacks) {
    const { threads, left_out, cut } = stacks;
    ops.push({ op: "stacks", at, when: "died", threads, left_out, cut });
  }
  return ops;
}

const MESSAGES: { [whose in Whose]: string | undefined } = {
  writer: undefined,
  joined: "A process of the session ended by a fatal error",
  forked: "A process that the program forked ended by a fatal error",
};
