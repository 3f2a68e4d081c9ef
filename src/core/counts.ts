/** The counts of the session index: events by name, exceptions by fingerprint, losses by cause. Each is bounded. */
import {
  MAX_DROP_CAUSES,
  MAX_EVENT_NAMES,
  MAX_EVENT_NAMES_BYTES,
  MAX_EXCEPTION_LENGTH,
  MAX_FINGERPRINTS,
} from "./limits.ts";
import type { EventRow } from "./answers.ts";
import type { SessionIndex } from "./session-index.ts";

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
      return noteOverLimit(index, "event_names");
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
      noteOverLimit(index, "exceptions");
      return false;
    }
    entry = {
      fingerprint,
      type: exception_type.slice(0, MAX_EXCEPTION_LENGTH),
      message: exception_msg.slice(0, MAX_EXCEPTION_LENGTH),
      count: 0,
      firstAt: at,
      lastAt: at,
      firstSeq: event.seq,
    };
    exceptions.push(entry);
  }
  entry.count++;
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

/** Notes that the index does not list all entries of a kind. */
export function noteOverLimit(
  { overLimit }: SessionIndex,
  what: SessionIndex["overLimit"][number],
): void {
  if (!overLimit.includes(what)) overLimit.push(what);
}
