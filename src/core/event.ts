/** Events: their defaults, filters, and the fingerprint that groups exceptions. */
import type { EventRow } from "./answers.ts";
import { fold } from "./fold.ts";
import { MAX_EVENT_BYTES, MAX_MATCHED_LENGTH, MAX_STACK_LINES } from "./limits.ts";
import { checkDepth } from "./merge.ts";
import { Refusal } from "./refusal.ts";
import type { Event } from "./wire.ts";

export type EventFilter = {
  from?: number;
  to?: number;
  name?: string;
  category?: string;
  group?: string;
  label?: string;
  /** Occurs in name, message, group, labels, exception or data, folded (fold.ts). */
  text?: string;
  exceptions?: boolean;
};

export const isException = (event: Pick<Event, "exception_type">): boolean =>
  event.exception_type !== undefined && event.exception_type !== "";

/** The row that is stored for an event op. Throws a Refusal: too_deep, too_large. */
export function eventRow(op: Event, seq: number): EventRow {
  if (op.data) checkDepth(op.data, `The data of event "${op.name}"`);
  const { op: _, ...event } = op;
  // As in 1.x, an exception has at least the category "error".
  const category =
    isException(op) && (!op.category || op.category === "info") ? "error" : op.category || "info";
  const row: EventRow = { seq, ...event, category };
  // Counts characters instead of bytes: faster, and precise enough for a limit.
  if (JSON.stringify(row).length > MAX_EVENT_BYTES) {
    throw new Refusal(
      "too_large",
      `Event "${op.name}" exceeds ${MAX_EVENT_BYTES} bytes; send less data or a shorter stack.`,
    );
  }
  if (isException(op)) row.fingerprint = fingerprint(op);
  return row;
}

export function matches(event: EventRow, filter: EventFilter): boolean {
  if (filter.from !== undefined && event.at < filter.from) return false;
  if (filter.to !== undefined && event.at > filter.to) return false;
  if (filter.name !== undefined && event.name !== filter.name) return false;
  if (filter.category !== undefined && event.category !== filter.category) return false;
  if (filter.group !== undefined && (event.group ?? "") !== filter.group) return false;
  if (filter.label !== undefined && !event.labels?.includes(filter.label)) return false;
  if (filter.exceptions && !isException(event)) return false;
  return filter.text === undefined || searchText(event).includes(fold(filter.text));
}

/** The text that full-text search examines, folded. */
export function searchText(event: EventRow): string {
  const parts = [
    event.name,
    event.message,
    event.group,
    ...(event.labels ?? []),
    event.exception_type,
    event.exception_msg,
    ...(event.stacktrace ?? []),
  ];
  if (event.data) parts.push(JSON.stringify(event.data));
  for (const cause of event.causes ?? []) parts.push(cause.exception_type, cause.exception_msg);
  return fold(parts.filter(Boolean).join("\n"));
}

/**
 * The fingerprint of an exception, equal for the same failure in all sessions and versions: a hash of its type and of the functions
 * in its stack, without line numbers, folders, addresses and ids. Without frames, of its type and its message without numbers and ids.
 */
export function fingerprint(
  event: Pick<Event, "exception_type" | "exception_msg" | "stacktrace">,
): string {
  const frames = stackLines(event.stacktrace ?? []).flatMap((line) =>
    normalFrame(line.slice(0, MAX_MATCHED_LENGTH)),
  );
  const distinct = frames.filter((frame, index) => frame !== frames[index - 1]); // recursion counts once
  const message = event.exception_msg?.slice(0, MAX_MATCHED_LENGTH) ?? "";
  const what = distinct.length > 0 ? distinct.join("\n") : normalMessage(message);
  return hash(`${event.exception_type ?? ""}\n${what}`);
}

/** The first MAX_STACK_LINES lines of a stack, whose entries may have several. */
function stackLines(stacktrace: string[]): string[] {
  const lines: string[] = [];
  for (const entry of stacktrace) {
    if (lines.length === MAX_STACK_LINES) break;
    lines.push(...entry.split("\n", MAX_STACK_LINES - lines.length));
  }
  return lines;
}

/**
 * A stack line of Python, JavaScript, Go, Java, Rust or .NET as "file function"; empty for a line that is not a frame. Each pattern takes
 * time proportional to the line's length: where one part of it can end, the next cannot continue it.
 */
function normalFrame(line: string): string[] {
  const python = /^\s*File "([^"]+)", line \d+, in (.+)$/.exec(line);
  if (python) return [`${basename(python[1])} ${python[2]}`];
  const javascript =
    /^\s*at (?:async )?(?:(.+?) \()?((?:[a-z-]+:\/\/|[a-z]+:)?[^()\s]*?):\d+(?::\d+)?\)?$/.exec(
      line,
    );
  if (javascript) return [`${basename(javascript[2])} ${javascript[1] ?? "<anonymous>"}`];
  const java = /^\s*at ([\w$.<>]+)\(([^:)]*)(?::\d+)?\)$/.exec(line);
  if (java) return [`${java[2]} ${java[1]}`];
  const net = /^\s*at ([\w.`<>[\]]+)\((.*)$/.exec(line);
  if (net && /\)$|\) in /.test(net[2] ?? "")) return [net[1] ?? ""];
  const goFunction = goFunctionOf(line);
  if (goFunction !== undefined) return [goFunction];
  const firefox = /^([^@\s]*)@(.+?):\d+:\d+$/.exec(line);
  if (firefox) return [`${basename(firefox[2])} ${firefox[1] || "<anonymous>"}`];
  const plain = /^\s*([^\s:()]+\.[A-Za-z]{1,4}):\d+(?::\d+)?(?: in)?([^]*)$/.exec(line);
  const rest = plain?.[2]?.trimStart() ?? "";
  if (plain && /^.*$/.test(rest)) return [`${basename(plain[1])} ${normalMessage(rest)}`];
  return [];
}

/** The function of Go's `main.(*Door).Open(0xc000012345, {0x4a1b2c, 0x5})`. Its arguments contain no parentheses. */
function goFunctionOf(line: string): string | undefined {
  const open = line.lastIndexOf("(");
  const name = line.slice(0, Math.max(0, open));
  // The last dot that has a character after it: what follows it is the name within the package, without a path.
  const dot = name.lastIndexOf(".", name.length - 2);
  const isFunction =
    dot > 0 && /^[\w./*()-]+$/.test(name) && !/[/-]/.test(name.slice(dot)) && line.endsWith(")");
  if (!isFunction) return undefined;
  const parameters = line.slice(open + 1, -1);
  return /^(?:0x[0-9a-f]+|\.\.\.|[{},? ])*$/.test(parameters) ? name : undefined;
}

/** The file name without folders, query string and the hash that bundlers add. */
function basename(path = ""): string {
  const name = path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
  return name.replace(/[?#][^]*$/, "").replace(/[-.][0-9a-f]{8,}(?=\.)/i, "");
}

function normalMessage(message: string): string {
  const text = message
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, "<id>")
    .replace(/\b0x[0-9a-f]+\b/gi, "<address>");
  return withoutFolders(text)
    .replace(/\b(?=[a-f]*\d)[0-9a-f]{8,}\b/gi, "<id>")
    .replace(/\d+(?:\.\d+)?/g, "<number>");
}

/**
 * The text with the file name alone in place of each path of at least two parts. Parts may contain blanks, the file name none. One pattern
 * for path and file name would try each separator as the last one.
 */
function withoutFolders(text: string): string {
  const path = /(?:[A-Za-z]:)?(?:[\\/][\w.@ -]+)+/g;
  let kept = "";
  let from = 0;
  for (let found = path.exec(text); found; found = path.exec(text)) {
    const name = fileNameIn(found[0]);
    if (name === undefined) {
      path.lastIndex -= 1; // its last letter may be the drive of the next path
    } else {
      kept += text.slice(from, found.index) + name.text;
      from = path.lastIndex = found.index + name.end;
    }
  }
  return kept + text.slice(from);
}

/** What follows the last separator that no blank follows. The first separator begins a folder. */
function fileNameIn(path: string): { text: string; end: number } | undefined {
  const first = path.search(/[\\/]/);
  for (let start = path.length - 1; start > first + 1; start--) {
    const isStart = /[\\/]/.test(path.charAt(start - 1)) && path.charAt(start) !== " ";
    if (!isStart) continue;
    const [text = ""] = path.slice(start).split(/[\\/ ]/, 1);
    return { text, end: start + text.length };
  }
  return undefined;
}

/** 16 hex digits: FNV-1a (32 bits) and a second 32-bit hash of the same kind that also takes its carry. Not for secrets. */
export function hash(text: string): string {
  let low = 0x811c9dc5;
  let high = 0xcbf29ce4;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    low = Math.imul(low ^ unit, 0x01000193) >>> 0;
    high = Math.imul(high ^ (unit + (low >>> 24)), 0x01000193) >>> 0;
  }
  return high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");
}
