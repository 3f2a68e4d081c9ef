/** The counts of the session index: events by name, exceptions by fingerprint, losses by cause. Each is bounded. */
import {
  MAX_ALTERED_FIELDS,
  MAX_CALLS_LENGTH,
  MAX_DROP_CAUSES,
  MAX_EVENT_NAMES,
  MAX_EVENT_NAMES_BYTES,
  MAX_EXCEPTION_LENGTH,
  MAX_FINGERPRINTS,
  MAX_LABELS,
  MAX_NAME_LENGTH,
} from "../limits.ts";
import type { EventRow } from "../answers/events.ts";
import type { CountedOut, SessionIndex } from "./session-index.ts";
import { callsText, whereText } from "../stack/where.ts";
import type { Dropped } from "../wire.ts";

/** Counts all causes of loss after the first MAX_DROP_CAUSES. */
const OTHER_CAUSES = "other";

/** Counts an event by name and category. */
export function countEvent(index: SessionIndex, event: EventRow): void {
  const { name, category, at } = event;
  const { names } = index;
  let entry = names.find((known) => known.name === name && known.category === category);
  if (!entry) {
    const size = names.reduce(
      (sum, known) => sum + known.name.length + known.category.length,
      name.length + category.length,
    );
    if (names.length >= MAX_EVENT_NAMES || size > MAX_EVENT_NAMES_BYTES)
      return noteLeftOut(index, "event_names", 1);
    entry = { name, category, count: 0, first_at: at, last_at: at };
    names.push(entry);
  }
  entry.count++;
  entry.first_at = Math.min(entry.first_at, at);
  entry.last_at = Math.max(entry.last_at, at);
}

/** Counts an exception by its fingerprint. True if it is the first one with it in the session. */
export function countException(index: SessionIndex, event: EventRow): boolean {
  const { exceptions } = index;
  const { fingerprint = "", at, exception_type = "", exception_msg = "" } = event;
  let entry = exceptions.find((known) => known.fingerprint === fingerprint);
  if (!entry) {
    if (exceptions.length >= MAX_FINGERPRINTS) {
      noteLeftOut(index, "exceptions", 1);
      return false;
    }
    const place = whereText(event);
    entry = {
      fingerprint,
      type: exception_type.slice(0, MAX_EXCEPTION_LENGTH),
      message: exception_msg.slice(0, MAX_EXCEPTION_LENGTH),
      place: place.slice(0, MAX_EXCEPTION_LENGTH),
      calls: callsText(event, place).slice(0, MAX_CALLS_LENGTH),
      count: 0,
      unhandled: 0,
      firstAt: at,
      lastAt: at,
      firstSeq: event.seq,
    };
    exceptions.push(entry);
  }
  entry.count++;
  if (event.handled === false) entry.unhandled++;
  entry.firstAt = Math.min(entry.firstAt, at);
  entry.lastAt = Math.max(entry.lastAt, at);
  return entry.count === 1;
}

/** Counts lost ops by cause. */
export function countLoss({ dropped }: SessionIndex, cause: string, count: number): void {
  if (count === 0) return;
  const isListed = Object.hasOwn(dropped, cause) || Object.keys(dropped).length < MAX_DROP_CAUSES;
  // An assignment to __proto__ would set the prototype and count nothing.
  const key = isListed && cause !== "__proto__" ? cause : OTHER_CAUSES;
  dropped[key] = (Object.hasOwn(dropped, key) ? (dropped[key] ?? 0) : 0) + count;
}

/** Counts what a `dropped` op reports: lost ops, or ops that are stored with less than the program recorded. */
export function noteDropped(index: SessionIndex, op: Dropped): void {
  const { cause, count, first_at = op.at, last_at = op.at } = op;
  if (isAlteration(op)) {
    index.altered[cause] = (index.altered[cause] ?? 0) + count;
    noteField(index.alteredFields, op.detail);
    return;
  }
  // Ops with a sequence are counted with their batch.
  index.accepted += Math.max(0, count - (op.sequences ?? 0));
  countLoss(index, cause, count);
  const isTimed = op.first_at !== undefined || op.at_least === true;
  if (!isTimed) return;
  const before = index.lossTimes.find((times) => times.cause === cause);
  if (before === undefined) {
    if (index.lossTimes.length >= MAX_DROP_CAUSES) return;
    index.lossTimes.push({ cause, from: first_at, to: last_at, at_least: op.at_least });
    return;
  }
  before.from = Math.min(before.from, first_at);
  before.to = Math.max(before.to, last_at);
  before.at_least ||= op.at_least;
}

/** Counts fields that are stored with less than the program recorded, and notes their names. */
export function noteAltered(index: SessionIndex, cause: string, fields: string[]): void {
  if (fields.length === 0) return;
  index.altered[cause] = (index.altered[cause] ?? 0) + fields.length;
  for (const field of fields) noteField(index.alteredFields, field);
}

function noteField(fields: string[], detail = ""): void {
  const field = detail.slice(0, MAX_NAME_LENGTH);
  if (field === "" || fields.length >= MAX_ALTERED_FIELDS || fields.includes(field)) return;
  fields.push(field);
}

/** How many sequences of a lane a report of a loss accounts for: its own, and those of the lost ops. */
export function sequencesOf(op: Dropped): number {
  return isAlteration(op) ? 1 : 1 + Math.min(op.sequences ?? 0, op.count);
}

/** The op itself is stored: a value of it was described or cut. Only a patch over its limit is missing as a whole. */
export function isAlteration({ cause, detail = "" }: Dropped): boolean {
  return cause === "unserialisable" || (cause === "too_large" && !detail.startsWith("state: "));
}

/** Counts times that cannot be true: of ops (`future_time`), or of a request (`sent_at`). */
export function noteBoundTimes({ altered }: SessionIndex, cause: string, count: number): void {
  if (count > 0) altered[cause] = (altered[cause] ?? 0) + count;
}

/** Lists tags of the session, each once. */
export function addTags(index: SessionIndex, tags: readonly string[]): void {
  const all = new Set([...index.tags, ...tags]);
  index.tags = [...all].slice(0, MAX_LABELS);
  noteLeftOut(index, "tags", all.size - index.tags.length);
}

/** Counts what a list of the index leaves out because it is full. */
export function noteLeftOut({ leftOut }: SessionIndex, what: CountedOut, count: number): void {
  if (count > 0) leftOut[what] = (leftOut[what] ?? 0) + count;
}
