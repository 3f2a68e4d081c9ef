/**
 * Compares the log of a file with its index, segment by segment from the newest to the oldest: what the index counts must be what the log
 * has, each segment must begin with the state at the end of the one before it, and every state must be within its limits. Of a session
 * whose storage was damaged, a part is missing, so only the limits are checked.
 */
import type { Attachment } from "../attachments/attachments.ts";
import type { EventRow } from "../answers/events.ts";
import { isException } from "../events/event.ts";
import type { Columns } from "../metrics/columns.ts";
import type { Series } from "../metrics/series.ts";
import type { Contents, StoredOp } from "../segments/contents.ts";
import type { SessionIndex } from "../session/session-index.ts";
import { copy, equal, merge } from "../state/merge.ts";
import { StateSize } from "../state/size.ts";
import type { JsonObject } from "../wire.ts";
import { BadFile } from "./bad-file.ts";
import type { FileSegment } from "./segment-part.ts";

type Numbers = Pick<FileSegment, "id" | "fromAt" | "firstSeq" | "lastSeq">;
type Next = Numbers & { keyframe: JsonObject | null };

/** Occurrences of an event's name or of an exception's fingerprint. */
type Seen = { count: number; unhandled: number; firstAt: number; lastAt: number; firstSeq: number };
/** Points of a series. */
type Extremes = { points: number; min: number; max: number; firstAt: number; lastAt: number };

export class LogCheck {
  readonly #index: SessionIndex;
  #next: Next | undefined;
  /** What the log and the index differ in first. */
  #difference: string | undefined;
  readonly #counts = { states: 0, events: 0, exceptions: 0, points: 0, heartbeats: 0 };
  readonly #series = new Map<number, Extremes>();
  readonly #names = new Map<string, Seen>();
  readonly #exceptions = new Map<string, Seen>();
  readonly #unlisted = { event_names: 0, exceptions: 0 };
  /** Of the attachments that the index lists: the op at their sequence. */
  readonly #announced = new Map<number, StoredOp | undefined>();

  /** `index`: at the end of the session. */
  constructor(index: SessionIndex) {
    this.#index = index;
    for (const { name, category } of index.names) this.#names.set(keyOf(name, category), unseen());
    for (const { fingerprint } of index.exceptions) this.#exceptions.set(fingerprint, unseen());
    for (const { seq } of index.attachments) this.#announced.set(seq, undefined);
  }

  /** Adds the segment before the one that was added last. Throws a Refusal for a state over its limits. */
  add(numbers: Numbers, keyframe: JsonObject | null, contents: Contents): void {
    this.#checkPlace(numbers);
    this.#checkStates(numbers, keyframe, contents);
    const { events, others, heartbeats, recorded, series } = contents;
    for (const list of [contents.states, events, others]) this.#checkSequences(numbers, list);
    this.#counts.states += contents.states.filter(({ initial }) => !initial).length;
    this.#counts.heartbeats += heartbeats.length + recorded.at.length;
    for (const event of events) this.#count(event);
    for (const op of others) if (this.#announced.has(op.seq)) this.#announced.set(op.seq, op);
    for (const [id, columns] of series) this.#measure(id, columns);
    this.#next = { ...numbers, keyframe };
  }

  /** Throws a BadFile if the log and the index differ. */
  finish(): void {
    const { counts, leftOut } = this.#index;
    const first = this.#next;
    if (first?.id !== 1) this.#note("The first segment is missing");
    for (const [what, count] of Object.entries(this.#counts))
      if (counts[what as keyof typeof counts] !== count)
        this.#note(`The number of ${what} differs`);
    if (this.#unlisted.event_names !== (leftOut.event_names ?? 0))
      this.#note("The names of events differ");
    if (this.#unlisted.exceptions !== (leftOut.exceptions ?? 0))
      this.#note("The exceptions differ");
    this.#compareNames();
    for (const series of this.#index.series) this.#compareSeries(series);
    for (const attachment of this.#index.attachments) this.#compareAttachment(attachment);
    if (this.#difference !== undefined)
      throw new BadFile(`it contradicts itself (${this.#difference})`);
  }

  #note(difference: string): void {
    this.#difference ??= difference;
  }

  #checkPlace({ id, fromAt, firstSeq, lastSeq }: Numbers): void {
    const next = this.#next;
    if (lastSeq < firstSeq - 1 || lastSeq > this.#index.seq)
      this.#note(`The sequences of segment ${id} are not in order`);
    if (!next) return;
    if (next.id !== id + 1) this.#note(`Segment ${next.id - 1} is missing`);
    if (next.firstSeq <= lastSeq) this.#note(`The sequences of segment ${id} are not in order`);
    if (next.fromAt < fromAt) this.#note(`The times of segment ${id} are not in order`);
  }

  /** Applies the changes to the state at the start of the segment. */
  #checkStates({ id, fromAt }: Numbers, keyframe: JsonObject | null, { states }: Contents): void {
    const state = copy(keyframe ?? {}) as JsonObject; // of an object
    const size = new StateSize();
    size.check(state, {});
    let clockAt = fromAt;
    for (const { patch, effectiveAt } of states) {
      merge(state, patch);
      size.check(state, patch);
      if (effectiveAt < clockAt) this.#note(`The times of segment ${id} are not in order`);
      clockAt = Math.max(clockAt, effectiveAt);
    }
    const { keyframe: after = null, fromAt: until = this.#index.clockAt } = this.#next ?? {};
    if (clockAt > until) this.#note(`The times of segment ${id} are not in order`);
    if (keyframe && after && !equal(state, after))
      this.#note(`The state at the end of segment ${id} is not that of the next segment`);
  }

  #checkSequences({ id, firstSeq, lastSeq }: Numbers, list: { seq: number }[]): void {
    let before = firstSeq - 1;
    for (const { seq } of list) {
      if (seq <= before || seq > lastSeq)
        this.#note(`The sequences of segment ${id} are not in order`);
      before = seq;
    }
  }

  #count(event: EventRow): void {
    const { name, category, fingerprint = "" } = event;
    this.#counts.events++;
    const named = this.#names.get(keyOf(name, category));
    if (named) see(named, event);
    else this.#unlisted.event_names++;
    if (!isException(event)) return;
    this.#counts.exceptions++;
    const grouped = this.#exceptions.get(fingerprint);
    if (grouped) see(grouped, event);
    else this.#unlisted.exceptions++;
  }

  #measure(id: number, { at, fields }: Columns): void {
    const isHistogram = this.#index.series[id]?.type === "histogram";
    const [lows, highs] = isHistogram ? [fields[2], fields[3]] : [fields[0], fields[0]];
    const seen = this.#series.get(id) ?? {
      points: 0,
      min: Infinity,
      max: -Infinity,
      firstAt: Infinity,
      lastAt: -Infinity,
    };
    for (const [i, time] of at.entries()) {
      seen.min = Math.min(seen.min, lows?.[i] ?? 0);
      seen.max = Math.max(seen.max, highs?.[i] ?? 0);
      seen.firstAt = Math.min(seen.firstAt, time);
      seen.lastAt = Math.max(seen.lastAt, time);
    }
    seen.points += at.length;
    this.#counts.points += at.length;
    this.#series.set(id, seen);
  }

  #compareNames(): void {
    for (const { name, category, count, first_at, last_at } of this.#index.names) {
      const seen = this.#names.get(keyOf(name, category));
      if (seen?.count !== count || seen.firstAt !== first_at || seen.lastAt !== last_at)
        this.#note("The names of events differ");
    }
    for (const one of this.#index.exceptions) {
      const seen = this.#exceptions.get(one.fingerprint);
      if (
        seen?.count !== one.count ||
        seen.unhandled !== one.unhandled ||
        seen.firstAt !== one.firstAt ||
        seen.lastAt !== one.lastAt ||
        seen.firstSeq !== one.firstSeq
      )
        this.#note("The exceptions differ");
    }
  }

  #compareSeries({ id, name, points, min, max, firstAt, lastAt }: Series): void {
    const seen = this.#series.get(id);
    const isSame =
      seen === undefined
        ? points === 0
        : seen.points === points &&
          seen.min === min &&
          seen.max === max &&
          seen.firstAt === firstAt &&
          seen.lastAt === lastAt;
    if (!isSame) this.#note(`The points of "${name}" differ`);
  }

  #compareAttachment({ seq, id, size, sha256 }: Attachment): void {
    const op = this.#announced.get(seq);
    if (op?.op !== "attachment" || op.id !== id || op.size !== size || op.sha256 !== sha256)
      this.#note(`Attachment ${id} was not announced so`);
  }
}

function unseen(): Seen {
  return { count: 0, unhandled: 0, firstAt: Infinity, lastAt: -Infinity, firstSeq: Infinity };
}

function see(seen: Seen, { at, seq, handled }: EventRow): void {
  seen.count++;
  if (handled === false) seen.unhandled++;
  seen.firstAt = Math.min(seen.firstAt, at);
  seen.lastAt = Math.max(seen.lastAt, at);
  seen.firstSeq = Math.min(seen.firstSeq, seq);
}

function keyOf(name: string, category: string): string {
  return JSON.stringify([name, category]);
}
