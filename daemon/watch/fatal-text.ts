/** What a runtime wrote as its process ended (clients/README.md, "Stacks and fatal errors"), as an exception with the stacks of all threads. */
import { constants } from "node:os";
import { MAX_MATCHED_LENGTH } from "../../src/core/limits.ts";
import { parsedObject, type Runtime, type Sample, threadsIn } from "./stack-text.ts";

export type Fatal = {
  /** "Segmentation fault", "fatal error: concurrent map writes"; undefined if only a signal is known, which requested the end. */
  type?: string;
  message?: string;
  /** The stack of the thread that caused it, in the order and with the lines that the language prints. */
  stacktrace: string[];
  /** The signal that ended the process. */
  signal?: string;
  stacks?: Sample;
};

/** The last fatal error in a text; undefined if it has none. */
export function fatalIn(runtime: Runtime, text: string): Fatal | undefined {
  return FATAL[runtime](text);
}

const FATAL = { python: pythonFatal, go: goFatal, javascript: javascriptFatal };

const PYTHON_SIGNALS: { [error: string]: string } = {
  "Segmentation fault": "SIGSEGV",
  Aborted: "SIGABRT",
  "Bus error": "SIGBUS",
  "Floating-point exception": "SIGFPE",
  "Floating point exception": "SIGFPE",
  "Illegal instruction": "SIGILL",
};

function pythonFatal(text: string): Fatal | undefined {
  const title = "Fatal Python error: ";
  const windows = "Windows fatal exception: ";
  const from = Math.max(lineStart(text, title), lineStart(text, windows));
  if (from >= 0) {
    const block = text.slice(from);
    const line = firstLine(block);
    const type = line.startsWith(title) ? line.slice(title.length) : line.slice(windows.length);
    const stacks = threadsIn("python", block);
    return {
      type,
      stacktrace: pythonTrace(stacks),
      signal: line.startsWith(title) ? (PYTHON_SIGNALS[type] ?? "SIGABRT") : undefined,
      stacks,
    };
  }
  // A file in which only signals are recorded begins with a line break.
  const zeros = /^\n?\0*/.exec(text)?.[0].length ?? 0;
  const signal = zeros === 0 ? undefined : signalName(zeros);
  if (signal === undefined) return undefined;
  const stacks = threadsIn("python", text.slice(zeros));
  return stacks && { stacktrace: pythonTrace(stacks), signal, stacks };
}

/** A traceback has the innermost frame last. */
function pythonTrace(stacks: Sample | undefined): string[] {
  const frames = stacks?.threads[0]?.frames ?? [];
  if (frames.length === 0) return [];
  return [
    "Traceback (most recent call last):",
    ...frames.toReversed().map((frame) => `  ${frame}`),
  ];
}

function signalName(number: number): string | undefined {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
}

function goFatal(text: string): Fatal | undefined {
  const from = Math.max(lineStart(text, "fatal error: "), lineStart(text, "panic: "));
  if (from < 0) return undefined;
  const block = text.slice(from);
  const line = firstLine(block);
  const isPanic = line.startsWith("panic: ");
  const [, signal] = /^\[signal (SIG[A-Z]+)/m.exec(block.slice(0, MAX_MATCHED_LENGTH)) ?? [];
  const stacks = threadsIn("go", block);
  return {
    type: isPanic ? "panic" : line,
    message: isPanic ? line.slice("panic: ".length) : undefined,
    stacktrace: (stacks?.threads[0]?.frames ?? []).flatMap((frame) => frame.split("\n")),
    signal,
    stacks,
  };
}

function javascriptFatal(text: string): Fatal | undefined {
  const report = parsedObject(text.trim());
  if (!report) return undefined;
  const { event, trigger } = objectIn(report["header"]);
  const { stack } = objectIn(report["javascriptStack"]);
  if (typeof event !== "string") return undefined;
  const frames = (Array.isArray(stack) ? stack : []).filter((line) => typeof line === "string");
  const isOutOfMemory = /out of memory/i.test(event) || trigger === "OOMError";
  return {
    type: isOutOfMemory ? "JavaScript heap out of memory" : "V8 fatal error",
    message: event,
    stacktrace: frames.map((line) => `    ${line}`),
    signal: "SIGABRT",
    stacks: frames.length > 0 ? { threads: [{ name: "main", current: true, frames }] } : undefined,
  };
}

function objectIn(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** Where the last line with this start begins; -1 without one. */
function lineStart(text: string, start: string): number {
  const found = text.lastIndexOf(`\n${start}`);
  if (found >= 0) return found + 1;
  return text.startsWith(start) ? 0 : -1;
}

function firstLine(text: string): string {
  return (text.split("\n", 1)[0] ?? "").slice(0, MAX_MATCHED_LENGTH).trim();
}
