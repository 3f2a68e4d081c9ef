/** Uncaught errors of Node, Deno and Bun: the source line above, the frames of V8 or JavaScriptCore, causes and own properties below. */
import {
  fileAndLine,
  linesWhile,
  ownSource,
  type PrintedError,
  type Scanner,
  type Source,
  typed,
} from "./printed-error.ts";

/** The type of what is no error: JavaScript throws any value. */
const THROWN = "Thrown value";
/** How far above the first frame the type is: a message may have as many lines. */
const MESSAGE_LINES = 30;
/** Lines of the properties and causes below the frames. */
const TAIL_LINES = 400;

export const javascript: Scanner = (lines, at) => {
  if (isFrame(lines[at] ?? "")) return withFrames(lines, at);
  return thrownValue(lines, at) ?? withoutFrames(lines, at);
};

/** `at f (file.js:1:2)`, `at file.js:1:2`, `at async f (…)`, `at new Promise (<anonymous>)`. Frames of the JVM have no column. */
function isFrame(line: string): boolean {
  const text = line.trimStart();
  if (!text.startsWith("at ") || text.length === line.length) return false;
  const place = text.replace(/(?: \{|,)$/, "").replace(/\)$/, "");
  return (
    /:\d{1,9}:\d{1,9}$/.test(place) ||
    /\((?:<anonymous>|native:?\d*:?\d*|native code|unknown|\d+:\d+)$/.test(place)
  );
}

/** The first frame is at `at`. The type and the message are above. */
function withFrames(lines: readonly string[], at: number): PrintedError | undefined {
  const header = headerAbove(lines, at);
  if (!header) return undefined;
  const stack = linesWhile(lines, at, (line) => isFrame(line) || isElision(line));
  let end = at + stack.length;
  const last = stack.at(-1) ?? "";
  const tail = last.endsWith(" {") ? tailOf(lines, end) : [];
  if (tail.length > 0) stack[stack.length - 1] = last.slice(0, -2);
  end += tail.length;
  const more = causesBelow(lines, end);
  const causes = [...causesIn(tail), ...more.causes];
  // A syntax error has frames of Node alone: the place of its line is printed above.
  const source = ownSource(stack.map(placeOf)) ?? header.source;
  const reason =
    header.type === "UnhandledPromiseRejection" ? rejectedWith(header.message) : undefined;
  if (reason !== undefined) return { type: THROWN, message: reason, stack: [], end: more.end };
  return { ...header, stack, causes, source, end: more.end };
}

/** "[AggregateError: All promises were rejected] {": an error whose stack is empty. */
function withoutFrames(lines: readonly string[], at: number): PrintedError | undefined {
  const line = lines[at] ?? "";
  const header = line.startsWith("[")
    ? headerOf(line.slice(1).replace(/\](?: \{)?$/, ""))
    : undefined;
  if (!header || !/\](?: \{)?$/.test(line)) return undefined;
  const tail = line.endsWith(" {") ? tailOf(lines, at + 1) : [];
  const causes = causesIn(tail);
  const source = ownSource((causes[0]?.stacktrace ?? []).map(placeOf));
  return { ...header, stack: [], causes, source, end: at + 1 + tail.length };
}

/** Node leaves out frames that a cause has in common with the error. */
const isElision = (line: string): boolean => /^\s+\.\.\. \d+ lines matching /.test(line);

type Header = { type: string; message: string; source?: Source | undefined };

function headerAbove(lines: readonly string[], at: number): Header | undefined {
  const first = Math.max(0, at - MESSAGE_LINES);
  for (let i = at - 1; i >= first; i--) {
    if (isFrame(lines[i] ?? "")) return undefined; // of another error
    const header = headerOf(lines[i] ?? "");
    if (!header) continue;
    const rest = lines.slice(i + 1, at);
    // Deno and Bun print the source line between the message and the frames.
    const caret = rest.findIndex(isCaret);
    const more = caret < 0 ? rest : rest.slice(0, Math.max(0, caret - 1));
    const message = [header.message, ...more].join("\n").trim();
    return { ...header, message, source: placeAbove(lines, i) };
  }
  return undefined;
}

const isCaret = (line: string): boolean => /^\s*[\^~]+\s*$/.test(line);

/** "Uncaught TypeError [ERR_X]: message", "error: Uncaught (in promise) Error: message"; Bun writes "error: message" for an Error. */
function headerOf(line: string): Header | undefined {
  const [prefix] = /^(?:error: )?(?:Uncaught )?(?:\(in promise\) )?/.exec(line) ?? [""];
  const text = line.slice(prefix.length).replace(/^(\w{1,80}) \[\w{1,80}\]/, "$1");
  const found = typed(text);
  if (found && /(?:Error|Exception|Failure|Rejection)\d*$/.test(found.type)) return found;
  if (found && prefix !== "" && /^[A-Z]/.test(found.type)) return found;
  if (prefix !== "" && text !== "") return { type: "Error", message: text };
  return undefined;
}

/** Node prints "file.js:3", the source line and a caret above the error. */
function placeAbove(lines: readonly string[], at: number): Source | undefined {
  const caret = lines.slice(Math.max(0, at - 3), at).findLastIndex(isCaret);
  if (caret < 0) return undefined;
  const index = Math.max(0, at - 3) + caret;
  for (const line of [lines[index - 2], lines[index - 3]]) {
    const place = fileAndLine(line ?? "");
    if (place) return { ...place, file: withoutScheme(place.file) };
  }
  return undefined;
}

function placeOf(line: string): Source | undefined {
  const text = line
    .trim()
    .slice(3)
    .replace(/(?: \{|,)$/, "");
  const open = text.endsWith(")") ? text.lastIndexOf(" (") : -1;
  const where = open >= 0 ? text.slice(open + 2, -1) : text.replace(/^async /, "");
  const column = fileAndLine(where);
  const place = column && fileAndLine(column.file);
  if (!place || /^\d+$/.test(place.file)) return undefined;
  const name = open >= 0 ? text.slice(0, open).replace(/^async /, "") : undefined;
  return { file: withoutScheme(place.file), line: place.line, function: name };
}

const withoutScheme = (file: string): string => file.replace(/^file:\/\//, "");

/** Own properties, the cause and the members of an AggregateError, in braces. */
function tailOf(lines: readonly string[], at: number): string[] {
  const end = lines
    .slice(at, at + TAIL_LINES)
    .findIndex((line) => /^\s*\},?$/.test(line) && line.trimEnd().length <= 2);
  return end < 0 ? [] : lines.slice(at, at + end + 1);
}

/** Each error in the tail, with its frames. Node indents the properties of the error itself by two blanks. */
function causesIn(tail: string[]): NonNullable<PrintedError["causes"]> {
  const causes: NonNullable<PrintedError["causes"]> = [];
  let isMember = false;
  for (const line of tail) {
    isMember ||= line.trim() === "[errors]: [";
    const text = line
      .trim()
      .replace(/^\[cause\]: /, "")
      .replace(/ \{$/, "");
    if (isFrame(line) || isElision(line))
      causes.at(-1)?.stacktrace?.push(line.replace(/(?: \{|,)$/, ""));
    else {
      const own = text.replace(/^\[(.*)\],?$/, "$1");
      const isCause = line.trimStart().startsWith("[cause]: ");
      const header = isCause ? (headerOf(own) ?? typed(own)) : headerOf(own);
      if (!header || text === "") continue;
      const relation = isCause
        ? { parent: /^ {2}\[/.test(line) ? 0 : undefined }
        : { kind: isMember ? ("member" as const) : undefined, parent: isMember ? 0 : undefined };
      const { type: exception_type, message: exception_msg } = header;
      causes.push({ exception_type, exception_msg, stacktrace: [], ...relation });
    }
  }
  return causes;
}

/** Deno prints causes as "Caused by: Error: message" with frames; Bun prints each as it prints the error, after a blank line. */
function causesBelow(lines: readonly string[], start: number) {
  const causes: NonNullable<PrintedError["causes"]> = [];
  let end = start;
  for (;;) {
    const line = lines[end] ?? "";
    if (line === "" && /^ *\d+ \| /.test(lines[end + 1] ?? "")) {
      const first = lines.slice(end, end + MESSAGE_LINES).findIndex(isFrame);
      const cause = first < 0 ? undefined : headerAbove(lines, end + first);
      if (!cause) return { causes, end };
      const stacktrace = linesWhile(lines, end + first, isFrame);
      causes.push({ exception_type: cause.type, exception_msg: cause.message, stacktrace });
      end += first + stacktrace.length;
      continue;
    }
    const header = line.startsWith("Caused by: ") ? typed(line.slice(11)) : undefined;
    if (!header) return { causes, end };
    const stacktrace = linesWhile(lines, end + 1, isFrame);
    causes.push({ exception_type: header.type, exception_msg: header.message, stacktrace });
    end += 1 + stacktrace.length;
  }
}

/** A thrown value that is no error has no frames. */
function thrownValue(lines: readonly string[], at: number): PrintedError | undefined {
  const line = lines[at] ?? "";
  const type = THROWN;
  if (line.startsWith("(Use `node --trace-uncaught ")) {
    const first = Math.max(0, at - MESSAGE_LINES);
    const caret = lines.slice(first, at).findLastIndex(isCaret);
    const from = caret < 0 ? at - 1 : first + caret + 1;
    const message = lines.slice(Math.max(0, from), at).join("\n").trim();
    return { type, message, stack: [], source: placeAbove(lines, from), end: at + 1 };
  }
  const reason = line.startsWith("[UnhandledPromiseRejection: ") ? rejectedWith(line) : undefined;
  if (reason !== undefined) return { type, message: reason, stack: [], end: at + 1 };
  const uncaught = /^error: (?:Uncaught (?:\(in promise\) )?)?/.exec(line)?.[0];
  if (uncaught === undefined) return undefined;
  const below = lines.slice(at + 1, at + MESSAGE_LINES);
  // With frames it is read from the first of them. Other programs, too, write "error: ".
  const isThrown = uncaught !== "error: " || below.some((text) => /^Bun v\d/.test(text));
  if (!isThrown || below.some(isFrame)) return undefined;
  return { type, message: line.slice(uncaught.length), stack: [], end: at + 1 };
}

/** The value in Node's report of a rejected promise. */
function rejectedWith(text: string): string | undefined {
  const before = 'The promise rejected with the reason "';
  const start = text.indexOf(before);
  const end = text.lastIndexOf('".');
  return start < 0 || end < start ? undefined : text.slice(start + before.length, end);
}
