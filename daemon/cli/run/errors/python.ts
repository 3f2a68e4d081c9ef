/** Python's tracebacks: chains, groups, syntax errors, and the reports of faulthandler. */
import {
  asCause,
  linesWhile,
  ownSource,
  type PrintedError,
  type Scanner,
  type Source,
  typed,
} from "./printed-error.ts";

const HEADER = "Traceback (most recent call last):";
const GROUP_HEADER = "+ Exception Group Traceback (most recent call last):";
const CONTEXT = "During handling of the above exception, another exception occurred:";
const CHAINS = [CONTEXT, "The above exception was the direct cause of the following exception:"];
/** What Python prints before the traceback of an exception that does not end the program. */
const NOT_FATAL = /^(?:Exception ignored |Exception in thread |Task exception was never retrieved)/;
/** Lines of another thread or process that may stand within a traceback. */
const FOREIGN_LINES = 3;
const MESSAGE_LINES = 30;
/** Lines of a group, with the tracebacks of its members. */
const GROUP_LINES = 500;

export const python: Scanner = (lines, at) => {
  const line = lines[at] ?? "";
  if (line === HEADER || line.trimStart() === GROUP_HEADER) return chain(lines, at);
  if (line.startsWith("Fatal Python error: ")) return fatal(lines, at);
  return syntaxError(lines, at);
};

/** Tracebacks that are joined by CHAINS. The last one is the error, those before it are its causes. */
function chain(lines: readonly string[], start: number): PrintedError | undefined {
  const links: PrintedError[] = [];
  const kinds: ("context" | "cause")[] = [];
  let at = start;
  for (;;) {
    const link = lines[at] === HEADER ? traceback(lines, at) : group(lines, at);
    if (!link) break;
    links.unshift(link);
    if (lines[link.end] !== "" || !CHAINS.includes(lines[link.end + 1] ?? "")) break;
    kinds.unshift(lines[link.end + 1] === CONTEXT ? "context" : "cause");
    at = link.end + 3;
  }
  const [last] = links;
  if (!last) return undefined;
  const isHarmless = NOT_FATAL.test(lines[start - 1] ?? "");
  const causes: NonNullable<PrintedError["causes"]> = [];
  for (const [index, link] of links.entries()) {
    const kind = kinds[index - 1];
    // The chain continues with the link before, whose members stand between them.
    const parent = causes.length - (links[index - 1]?.causes?.length ?? 0);
    if (kind) causes.push({ ...asCause(link), kind, parent });
    const own = causes.length;
    causes.push(...(link.causes ?? []).map((member) => ({ ...member, parent: own })));
  }
  return { ...last, causes, isHarmless };
}

/** One traceback: its header, its frames, and the line with the exception. */
function traceback(lines: readonly string[], start: number): PrintedError | undefined {
  const stack: string[] = [];
  let at = start + 1;
  for (; at < lines.length; at++) {
    const line = lines[at] ?? "";
    if (line.startsWith("  ")) stack.push(line);
    else if (!isForeign(lines, at)) break;
  }
  const exception = typed(lines[at] ?? "");
  if (!exception) return undefined;
  const more = messageLines(lines, at + 1);
  const message = [exception.message, ...more].join("\n").trimEnd();
  const end = at + 1 + more.length;
  return { ...exception, message, stack, source: sourceOf(stack), end };
}

/** The other lines of a message: each one if another traceback of the chain follows, else those with an indentation. */
function messageLines(lines: readonly string[], at: number): string[] {
  const near = lines.slice(at, at + MESSAGE_LINES);
  const chained = near.findIndex(
    (line, index) => line === "" && CHAINS.includes(near[index + 1] ?? ""),
  );
  const header = near.findIndex((line) => line.includes(HEADER));
  if (chained >= 0 && (header < 0 || chained < header)) return near.slice(0, chained);
  return linesWhile(near, 0, (line) => /^\s+\S/.test(line) && !line.includes(HEADER));
}

/** Whether frames follow soon after this line, so that it is not the exception. */
function isForeign(lines: readonly string[], at: number): boolean {
  if (
    /^[\w.]*(?:Error|Exception|Exit|Group|Interrupt|Iteration|Warning)(?::|$)/.test(lines[at] ?? "")
  )
    return false;
  const next = lines.slice(at + 1, at + 1 + FOREIGN_LINES);
  const frame = next.findIndex(isFrame);
  return frame >= 0 && !next.slice(0, frame).some((line) => line === "" || line.includes(HEADER));
}

const isFrame = (line: string): boolean => line.startsWith('  File "');

/** The innermost frame of the program. It is printed last. */
function sourceOf(stack: string[]): Source | undefined {
  return ownSource(
    stack
      .map(placeOf)
      .filter((place) => place !== undefined)
      .reverse(),
  );
}

function placeOf(line: string): Source | undefined {
  const [, file, number, name] =
    /^\s*File "([^"]*)", line (\d{1,9})(?:,? in (.*))?$/.exec(line) ?? [];
  return file === undefined ? undefined : { file, line: Number(number), function: name };
}

/** A group: each line has a margin of bars, and rules separate the members, which are recorded as causes. */
function group(lines: readonly string[], start: number): PrintedError | undefined {
  const margin = linesWhile(lines, start, (line) => /^\s+[|+]/.test(line), GROUP_LINES);
  const parts: string[][] = [[]];
  for (const line of margin) {
    const text = line.trimStart();
    if (text.startsWith("+-")) parts.push([]);
    else parts.at(-1)?.push(text === GROUP_HEADER ? HEADER : text.replace(/^[|+] ?/, ""));
  }
  const [whole, ...members] = parts.flatMap((part) => {
    const header = part.lastIndexOf(HEADER);
    const found = header >= 0 ? traceback(part, header) : undefined;
    if (found) return [found];
    const exception = typed(part.find((line) => line.trim() !== "") ?? "");
    return exception ? [{ ...exception, stack: [], end: 0 }] : [];
  });
  return whole && { ...whole, causes: members.map(asMember), end: start + margin.length };
}

const asMember = (error: PrintedError) => ({ ...asCause(error), kind: "member" as const });

/** A syntax error of the program's own file has a place, but no traceback. */
function syntaxError(lines: readonly string[], at: number): PrintedError | undefined {
  const source = placeOf(lines[at] ?? "");
  if (!isFrame(lines[at] ?? "") || source?.function !== undefined) return undefined;
  const rest = linesWhile(lines, at + 1, (line) => line.startsWith("    ")).slice(0, 3);
  const end = at + 1 + rest.length;
  const exception = typed(lines[end] ?? "");
  if (!exception || !/^(?:Syntax|Indentation|Tab)Error$/.test(exception.type)) return undefined;
  return { ...exception, stack: lines.slice(at, end), source, end: end + 1 };
}

/** A signal that faulthandler handled, or an error of the interpreter. The innermost frame is printed first. */
function fatal(lines: readonly string[], at: number): PrintedError {
  const [, message = ""] = (lines[at] ?? "").split("Fatal Python error: ");
  const next = lines
    .slice(at + 1, at + 10)
    .findIndex((line) => line.endsWith(" (most recent call first):"));
  const from = next < 0 ? at + 1 : at + 2 + next;
  const stack = linesWhile(lines, from, isFrame);
  const source = ownSource(stack.map(placeOf));
  return { type: "Fatal Python error", message, stack, source, end: from + stack.length };
}
