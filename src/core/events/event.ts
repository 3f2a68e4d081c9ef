/** Events: their defaults and filters. */
import type { EventRow } from "../answers/events.ts";
import { textsInData } from "./data-texts.ts";
import { fingerprint } from "./fingerprint.ts";
import { testName } from "../tests/id.ts";
import { fold } from "../text/fold.ts";
import { hasTag } from "../text/tag.ts";
import { MAX_EVENT_BYTES } from "../limits.ts";
import { checkDepth } from "../state/merge.ts";
import { Refusal } from "../refusal.ts";
import type { Event, JsonObject } from "../wire.ts";

export type EventFilter = {
  from?: number;
  to?: number;
  name?: string;
  category?: string;
  group?: string;
  /** One of its tags, or the key of one (core/text/tag.ts). */
  tag?: string;
  /** Occurs in name, message, group, tags, exception, data, source file or test, folded (core/text/fold.ts). */
  text?: string;
  exceptions?: boolean;
  /** Of exceptions. */
  fingerprint?: string;
  /** Leaves out the starts of tests, and the ends that are not of the category error. */
  quietTests?: false;
};

export const isException = (event: Pick<Event, "exception_type">): boolean =>
  event.exception_type !== undefined && event.exception_type !== "";

/** The row that is stored for an event op. Throws a Refusal: too_deep, too_large. */
export function eventRow(op: Event, seq: number): EventRow {
  if (op.data) checkDepth(op.data, `The data of event "${op.name}"`);
  for (const { attributes } of [op, ...(op.causes ?? [])])
    if (attributes) checkDepth(attributes, `The attributes of event "${op.name}"`);
  const { op: _, fingerprint: _own, ...event } = op;
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
  if (filter.tag !== undefined && !hasTag(event.labels ?? [], filter.tag)) return false;
  if (filter.exceptions && !isException(event)) return false;
  if (filter.quietTests === false && isQuietTest(event)) return false;
  if (filter.fingerprint !== undefined && event.fingerprint !== filter.fingerprint) return false;
  return filter.text === undefined || searchText(event).includes(fold(filter.text));
}

/** The start of a test, and the end of one that passed or was skipped. */
const isQuietTest = ({ test, category }: EventRow): boolean =>
  test !== undefined && category !== "error";

/** The text that full-text search examines, folded. */
export function searchText(event: EventRow): string {
  const { test } = event;
  const parts = [
    event.name,
    event.message,
    event.group,
    ...(event.labels ?? []),
    event.exception_type,
    event.exception_msg,
    ...(event.stacktrace ?? []),
    event.source_file,
    event.source_function,
  ];
  if (test) parts.push(testName(test), test.reason, test.output);
  if (event.data) parts.push(...jsonTexts(event.data));
  for (const cause of event.causes ?? []) parts.push(cause.exception_type, cause.exception_msg);
  for (const { attributes, notes = [] } of [event, ...(event.causes ?? [])]) {
    parts.push(...notes);
    if (attributes) parts.push(...jsonTexts(attributes));
  }
  return fold(parts.filter(Boolean).join("\n"));
}

/** The JSON, and the texts in it that are written otherwise there, as paths of Windows. */
function jsonTexts(data: JsonObject): string[] {
  const json = JSON.stringify(data);
  if (!json.includes("\\")) return [json];
  return [json, ...textsInData({ data }).filter((text) => JSON.stringify(text).includes("\\"))];
}
