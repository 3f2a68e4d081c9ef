/** Events: what a program left out, which ones a filter means, and which exceptions are the same failure. */
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
  /** Anywhere in name, message, group, labels, exception or data; case does not matter. */
  text?: string;
  exceptions?: boolean;
};

export const isException = (event: Pick<Event, "exception_type">): boolean =>
  event.exception_type !== undefined && event.exception_type !== "";

/** An event op as it is stored. Throws too_deep and too_large. */
export function eventRow(op: Event, seq: number): EventRow {
  if (op.data) checkDepth(op.data, `The data of event "${op.name}"`);
  const { op: _, ...event } = op;
  // As in 1.x: an exception is at least an error.
  const category =
    isException(op) && (!op.category || op.category === "info") ? "error" : op.category || "info";
  const row: EventRow = { seq, ...event, category };
  if (isException(op)) row.fingerprint = fingerprint(op);
  // Characters, not bytes: cheap, and right to a factor that a limit does not need.
  if (JSON.stringify(row).length > MAX_EVENT_BYTES) {
    throw new Refusal(
      "too_large",
      `Event "${op.name}" is larger than ${MAX_EVENT_BYTES} bytes; send less data or a shorter stack.`,
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

/** All that full-text search looks at. */
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
 * The same failure has the same fingerprint in every session and version: its type and the functions it went through, whatever
 * the line numbers, folders, addresses and ids. Without frames, type and message do, numbers and ids taken out.
 */
export function fingerprint(
  event: Pick<Event, "exception_type" | "exception_msg" | "stacktrace">,
): string {
  const frames = (event.stacktrace ?? [])
    .flatMap((entry) => entry.split("\n"))
    .flatMap(normalFrame);
  const distinct = frames.filter((frame, index) => frame !== frames[index - 1]); // however deep it recursed
  const what = distinct.length > 0 ? distinct.join("\n") : normalMessage(event.exception_msg ?? "");
  return hash(`${event.exception_type ?? ""}\n${what}`);
}

/** A frame as "file function", from Python, JavaScript, Go, Java, Rust or .NET; nothing from lines that are not frames. */
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

/** The file's name without folders, query and the hash that bundlers put in. */
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

/** 64 bits of FNV-1a in two halves, as 16 hex digits: for naming, not for secrets. */
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
