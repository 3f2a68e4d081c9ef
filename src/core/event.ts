/** Events: their defaults, filters, and the fingerprint that groups exceptions. */
import type { EventRow } from "./answers.ts";
import { MAX_EVENT_BYTES } from "./limits.ts";
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
  /** Occurs in name, message, group, labels, exception or data, in any case. */
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
  if (isException(op)) row.fingerprint = fingerprint(op);
  // Counts characters instead of bytes: faster, and precise enough for a limit.
  if (JSON.stringify(row).length > MAX_EVENT_BYTES) {
    throw new Refusal(
      "too_large",
      `Event "${op.name}" exceeds ${MAX_EVENT_BYTES} bytes; send less data or a shorter stack.`,
    );
  }
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
  return filter.text === undefined || searchText(event).includes(filter.text.toLowerCase());
}

/** The text that full-text search examines, in lower case. */
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
  return parts.filter(Boolean).join("\n").toLowerCase();
}

/**
 * The fingerprint of an exception, equal for the same failure in all sessions and versions: a hash of its type and of the functions
 * in its stack, without line numbers, folders, addresses and ids. Without frames, of its type and its message without numbers and ids.
 */
export function fingerprint(
  event: Pick<Event, "exception_type" | "exception_msg" | "stacktrace">,
): string {
  const frames = (event.stacktrace ?? [])
    .flatMap((entry) => entry.split("\n"))
    .flatMap(normalFrame);
  const distinct = frames.filter((frame, index) => frame !== frames[index - 1]); // recursion counts once
  const what = distinct.length > 0 ? distinct.join("\n") : normalMessage(event.exception_msg ?? "");
  return hash(`${event.exception_type ?? ""}\n${what}`);
}

/** A stack line of Python, JavaScript, Go, Java, Rust or .NET as "file function"; empty for a line that is not a frame. */
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
  const net = /^\s*at ([\w.`<>[\]]+)\(.*\)(?: in .*)?$/.exec(line);
  if (net) return [net[1] ?? ""];
  const goFunction = /^([\w./*()-]+\.[\w.*()]+?)\((?:0x[0-9a-f]+|\.\.\.|[{},? ])*\)$/.exec(line);
  if (goFunction) return [goFunction[1] ?? ""];
  const firefox = /^([^@\s]*)@(.+?):\d+:\d+$/.exec(line);
  if (firefox) return [`${basename(firefox[2])} ${firefox[1] || "<anonymous>"}`];
  const plain = /^\s*([^\s:()]+\.[A-Za-z]{1,4}):\d+(?::\d+)?(?: in)?\s*(.*)$/.exec(line);
  if (plain) return [`${basename(plain[1])} ${normalMessage(plain[2] ?? "")}`];
  return [];
}

/** The file name without folders, query string and the hash that bundlers add. */
function basename(path = ""): string {
  const name = path.split(/[\\/]/).at(-1) ?? path;
  return name.replace(/[?#].*$/, "").replace(/[-.][0-9a-f]{8,}(?=\.)/i, "");
}

function normalMessage(message: string): string {
  return message
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, "<id>")
    .replace(/\b0x[0-9a-f]+\b/gi, "<address>")
    .replace(/(?:[A-Za-z]:)?(?:[\\/][\w.@ -]+)+[\\/]([\w.@-]+)/g, "$1")
    .replace(/\b(?=[a-f]*\d)[0-9a-f]{8,}\b/gi, "<id>")
    .replace(/\d+(?:\.\d+)?/g, "<number>");
}

/** 16 hex digits: FNV-1a (32 bits) and a second 32-bit hash of the same kind that also takes its carry. Not for secrets. */
function hash(text: string): string {
  let low = 0x811c9dc5;
  let high = 0xcbf29ce4;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    low = Math.imul(low ^ unit, 0x01000193) >>> 0;
    high = Math.imul(high ^ (unit + (low >>> 24)), 0x01000193) >>> 0;
  }
  return high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");
}
