/** Exceptions of Java, Kotlin, Scala and other languages of the JVM. */
import {
  linesWhile,
  type PrintedError,
  type Scanner,
  type Source,
  typed,
} from "./printed-error.ts";

/** Lines of a message above the first frame. */
const MESSAGE_LINES = 20;

export const jvm: Scanner = (lines, at) => {
  const line = lines[at] ?? "";
  if (line.startsWith("Error: Could not find or load main class ")) {
    const cause = headerOf((lines[at + 1] ?? "").replace(/^Caused by: /, ""));
    return { type: "Error", message: line.slice(7), stack: [], end: at + (cause ? 2 : 1) };
  }
  if (line.startsWith("# A fatal error has been detected by the Java Runtime"))
    return fatal(lines, at);
  return isFrame(line) ? withFrames(lines, at) : undefined;
};

/** `\tat app//com.shop.Cart.total(Cart.java:12)`, without a column. */
function isFrame(line: string): boolean {
  return /^\s+at [\w.$<>/@-]+\([^():]*(?::\d{1,9})?\)$/.test(line);
}

/** The first frame is at `at`; the type and the message are above. */
function withFrames(lines: readonly string[], at: number): PrintedError | undefined {
  const first = Math.max(0, at - MESSAGE_LINES);
  const index = lines.slice(first, at).findLastIndex((line) => headerOf(line) !== undefined);
  const header = headerOf(lines[first + index] ?? "");
  if (index < 0 || !header) return undefined;
  const message = [header.message, ...lines.slice(first + index + 1, at)].join("\n");
  const trace = framesFrom(lines, at);
  const causes: NonNullable<PrintedError["causes"]> = [];
  let end = trace.end;
  for (;;) {
    const line = (lines[end] ?? "").trimStart();
    const cause = /^(?:Caused by|Suppressed): /.exec(line);
    const found = cause && headerOf(line.slice(cause[0].length));
    if (!found) break;
    const more = linesWhile(lines, end + 1, (text) => !isFrame(text) && text !== "", MESSAGE_LINES);
    const isMessage = isFrame(lines[end + 1 + more.length] ?? "");
    const next = framesFrom(lines, end + 1 + (isMessage ? more.length : 0));
    causes.push({
      exception_type: found.type,
      exception_msg: [found.message, ...(isMessage ? more : [])].join("\n"),
      stacktrace: next.stack,
    });
    end = next.end;
  }
  return { ...header, message, stack: trace.stack, causes, source: sourceOf(trace.stack), end };
}

function framesFrom(lines: readonly string[], at: number): { stack: string[]; end: number } {
  const all = linesWhile(
    lines,
    at,
    (line) => isFrame(line) || /^\s+\.\.\. \d+ (?:more|common frames)/.test(line),
  );
  return { stack: all, end: at + all.length };
}

/** 'Exception in thread "main" java.lang.Error: message'. */
function headerOf(line: string): { type: string; message: string } | undefined {
  const found = typed(line.replace(/^Exception in thread "[^"]*" /, ""));
  return found && /(?:Exception|Error|Throwable)\d*$|\.[A-Z]\w*$/.test(found.type)
    ? found
    : undefined;
}

/** Packages of the runtime and of Kotlin's library. */
const RUNTIME = /^\s+at (?:[\w.]+(?:@[\w.]+)?\/)?(?:javax?|jdk|sun|kotlin|kotlinx|scala)\./;

function sourceOf(stack: string[]): Source | undefined {
  const frame = stack.find((line) => !RUNTIME.test(line)) ?? stack[0];
  const [, name, file, line] =
    /^\s+at (?:\S*\/)?([\w.$<>-]+)\(([^():]*)(?::(\d{1,9}))?\)$/.exec(frame ?? "") ?? [];
  return (
    (file && { file, line: line === undefined ? undefined : Number(line), function: name }) ||
    undefined
  );
}

/** A crash of the virtual machine itself: the signal, and the native frame in which it happened. */
function fatal(lines: readonly string[], at: number): PrintedError {
  const report = linesWhile(lines, at, (line) => line.startsWith("#")).map((line) =>
    line.replace(/^#\s*/, ""),
  );
  const message = report.slice(1).find((line) => line !== "") ?? "";
  const frame = report.indexOf("Problematic frame:");
  const stack = frame < 0 ? [] : report.slice(frame + 1, frame + 2);
  return { type: "Fatal error of the Java runtime", message, stack, end: at + report.length };
}
