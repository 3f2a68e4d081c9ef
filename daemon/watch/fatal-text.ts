/** What a runtime wrote as its process ended (clients/README.md, "Stacks and fatal errors"), as an exception with the stacks of all threads. */
import { constants } from "node:os";
import { MAX_MATCHED_LENGTH, MAX_STACKS_LENGTH } from "../../src/core/limits.ts";
import { bounded, parsedObject, type Runtime, type Sample, threadsIn } from "./stack-text.ts";

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
  const block = from < 0 ? text : text.slice(from);
  const stacks = threadsIn("go", block);
  if (from < 0 && stacks === undefined) return undefined;
  // The runtime prints the line of a fatal error to stderr alone (Go 1.23 to 1.26), and then the goroutines to the file as well.
  const line = from < 0 ? `fatal error: ${goCause(block, stacks)}` : firstLine(block);
  const isPanic = line.startsWith("panic: ");
  const [, signal] = /^\[signal (SIG[A-Z]+)/m.exec(block.slice(0, MAX_MATCHED_LENGTH)) ?? [];
  return {
    type: isPanic ? "panic" : line,
    message: isPanic ? goMessage(block) : undefined,
    stacktrace: (stacks?.threads[0]?.frames ?? []).flatMap((frame) => frame.split("\n")),
    signal,
    stacks,
  };
}

/** The message of a panic: its further lines, and those of panics while it was handled, are indented. */
function goMessage(block: string): string {
  const lines = block.slice("panic: ".length, MAX_MATCHED_LENGTH).split("\n");
  const end = lines.findIndex((line) => line === "" || /^\[signal |^goroutine /.test(line));
  return lines
    .slice(0, end < 0 ? undefined : end)
    .map((line) => line.trim())
    .join("\n");
}

/** What a fatal error of Go's runtime was, by the functions that report it. */
function goCause(block: string, stacks: Sample | undefined): string {
  const [first] = stacks?.threads ?? [];
  // In no other fatal error the goroutine that is printed first waits.
  if (first?.state !== undefined && !/^run|^syscall/.test(first.state))
    return "all goroutines are asleep - deadlock!";
  const functions = block.slice(0, MAX_STACKS_LENGTH);
  return GO_CAUSES.find(({ name }) => functions.includes(`\n${name}(`))?.cause ?? "unknown";
}

const GO_CAUSES = [
  { name: "internal/runtime/maps.fatal", cause: "concurrent map access" },
  { name: "runtime.newstack", cause: "stack overflow" },
  { name: "internal/sync.fatal", cause: "unlock of unlocked mutex" },
  { name: "sync.fatal", cause: "unlock of unlocked mutex" },
  { name: "runtime.(*mcache).allocLarge", cause: "out of memory" },
  { name: "runtime.(*mheap).allocSpan", cause: "out of memory" },
  { name: "runtime.(*mheap).grow", cause: "out of memory" },
  { name: "runtime.sysMapOS", cause: "out of memory" },
  { name: "runtime.persistentalloc1", cause: "out of memory" },
];

/** The keys of Node's report are in this order: header, javascriptStack, javascriptHeap, nativeStack, resourceUsage, …, environmentVariables. */
const NOT_READ = '"resourceUsage":';

/** Of the report, only the header and the stacks are read: the rest has the environment. */
function javascriptFatal(text: string): Fatal | undefined {
  const end = text.indexOf(NOT_READ);
  const read = end < 0 ? text.trim() : `${text.slice(0, end).trim().replace(/,$/, "")}}`;
  const report = parsedObject(read);
  if (!report) return undefined;
  const { event, trigger } = objectIn(report["header"]);
  if (typeof event !== "string") return undefined;
  const { stack } = objectIn(report["javascriptStack"]);
  // With a full heap there is no other text than "Unavailable.".
  const scripts = textsIn(stack).filter((line) => line.startsWith("at "));
  const native = textsIn(listIn(report["nativeStack"]).map((frame) => objectIn(frame)["symbol"]))
    .map((symbol) => symbol.replace(/ \[[^[\]]*\]$/, "").trim()) // the executable's path
    .filter((symbol) => symbol !== "")
    .map((symbol) => `at ${symbol}`);
  const isOutOfMemory = /out of memory/i.test(event) || trigger === "OOMError";
  const threads = [
    { name: "main", current: true, frames: scripts },
    { name: "native code", frames: native },
  ];
  return {
    type: isOutOfMemory ? "JavaScript heap out of memory" : "V8 fatal error",
    message: event,
    stacktrace: scripts.map((line) => `    ${line}`),
    signal: "SIGABRT",
    stacks: bounded({ threads }),
  };
}

function listIn(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function textsIn(value: unknown): string[] {
  return listIn(value).filter((text) => typeof text === "string");
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
