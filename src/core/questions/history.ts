/** The state at any moment, its changes, and the difference between two moments. */
import type { Difference, PathChange, StateAt, StateChange, StateDiff } from "../answers/state.ts";
import type { EventRow } from "../answers/events.ts";
import type { Page } from "../answers/page.ts";
import { DEFAULT_PAGE } from "../limits.ts";
import { copy, equal, isObject, merge, touches, valueAt } from "../state/merge.ts";
import type { StoredState } from "../segments/contents.ts";
import type { Json, JsonObject } from "../wire.ts";
import { MAX_DIFFERENCES } from "./limits.ts";
import type { Segment, SegmentInfo, Segments } from "../segments/segments.ts";

/** A moment: by the session's clock, or by the sequence of an op. Without either: now. */
export type Moment = { at?: number; seq?: number };

export type HistoryQuery = {
  from?: number;
  to?: number;
  cursor?: string;
  limit?: number;
  order?: "asc" | "desc";
};

/** Reads one segment: its keyframe, and its patches up to the moment. If the segment is damaged, reads the one before it. */
export function stateAt(store: Segments, { at, seq }: Moment): StateAt {
  for (let info = store.find({ at, seq }); info; info = store.find({ seq: info.firstSeq - 1 })) {
    const segment = store.open(info);
    if (!segment) continue; // damaged: the segment before it has the nearest state that is left
    const result: StateAt = {
      seq: info.firstSeq - 1,
      at: info.fromAt || null,
      state: segment.keyframe(),
    };
    for (const { seq: stateSeq, effectiveAt, patch } of segment.reader.states()) {
      if (seq !== undefined ? stateSeq > seq : effectiveAt > (at ?? Infinity)) break;
      merge(result.state, patch);
      result.seq = stateSeq;
      result.at = effectiveAt;
    }
    return result;
  }
  return { seq: 0, at: null, state: {} };
}

export function stateDiff(from: StateAt, to: StateAt): StateDiff {
  const differences: Difference[] = [];
  compare(from.state, to.state, [], differences);
  const partial = differences.length >= MAX_DIFFERENCES || undefined;
  return { from, to, differences, partial };
}

export function stateChanges(store: Segments, query: HistoryQuery): Page<StateChange> {
  const { from = -Infinity, to = Infinity, limit = DEFAULT_PAGE } = query;
  const items: StateChange[] = [];
  for (const info of segmentsFrom(store, query)) {
    if (info.fromAt > to) continue;
    const states = store.open(info)?.reader.states() ?? [];
    for (const state of inOrder(states, query)) {
      if (
        state.initial ||
        !isAfterCursor(state.seq, query) ||
        state.effectiveAt < from ||
        state.effectiveAt > to
      )
        continue;
      if (items.length === limit) return { items, next: String(items.at(-1)?.seq) };
      const { seq, at, patch, recordedAt } = state;
      items.push({
        seq,
        at,
        patch,
        ...appliedAt(state),
        ...(recordedAt !== undefined && { recorded_at: recordedAt }),
      });
    }
  }
  return { items, next: null };
}

function appliedAt({ at, effectiveAt }: { at: number; effectiveAt: number }) {
  return effectiveAt === at ? {} : { applied_at: effectiveAt };
}

type Change = {
  seq: number;
  at: number;
  effectiveAt: number;
  before: Json | undefined;
  after: Json | undefined;
};

/** The values of one path, in either order, with the event just before each change. */
export function pathChanges(
  store: Segments,
  { path, ...query }: HistoryQuery & { path: string[] },
): Page<PathChange> {
  const { from = -Infinity, to = Infinity, limit = DEFAULT_PAGE, order = "asc" } = query;
  const items: PathChange[] = [];
  const events = new EventsBefore(store);
  let next: string | null = null;

  for (const { change, until } of withDuration(changesOf(store, path, query), order)) {
    if (!isAfterCursor(change.seq, query) || change.effectiveAt < from || change.effectiveAt > to)
      continue;
    if (items.length === limit) {
      next = String(items.at(-1)?.seq);
      break;
    }
    const { seq, at, before, after } = change;
    items.push({
      seq,
      at,
      ...appliedAt(change),
      before,
      after,
      held_ms: until === null ? null : Math.max(0, until - change.effectiveAt),
      cause: events.before(seq),
    });
  }
  return { items, next };
}

function* changesOf(store: Segments, path: string[], query: HistoryQuery): Generator<Change> {
  const [key] = path;
  // All segments even with a cursor: a value's duration depends on the next change, which may be in any segment.
  for (const info of inOrder(store.list(), query)) {
    if (info.summary?.keys && key !== undefined && !info.summary.keys.includes(key)) continue;
    const segment = store.open(info);
    if (segment) yield* inOrder(changesIn(segment, path), query);
  }
}

function changesIn(segment: Segment, path: string[]): Change[] {
  const changes: Change[] = [];
  const state = segment.keyframe();
  let before = valueOf(state, path);
  for (const { seq, at, effectiveAt, patch } of segment.reader.states()) {
    merge(state, patch);
    if (!touches(patch, path)) continue;
    const after = valueOf(state, path);
    if (!equal(before, after)) changes.push({ seq, at, effectiveAt, before, after });
    before = after;
  }
  return changes;
}

/** A copy, because the state is merged in place. */
function valueOf(state: JsonObject, path: string[]): Json | undefined {
  const value = valueAt(state, path);
  return value === undefined ? undefined : copy(value);
}

/** Each change with the time of the one after it. */
function* withDuration(
  changes: Iterable<Change>,
  order: "asc" | "desc",
): Generator<{ change: Change; until: number | null }> {
  let previous: Change | undefined;
  for (const change of changes) {
    if (order === "desc") yield { change, until: previous?.effectiveAt ?? null };
    else if (previous) yield { change: previous, until: change.effectiveAt };
    previous = change;
  }
  if (order === "asc" && previous) yield { change: previous, until: null };
}

/** Finds the event just before an op. Keeps the segment it read last, since neighbouring changes mostly need the same one. */
class EventsBefore {
  readonly #store: Segments;
  readonly #infos: SegmentInfo[];
  #read: { id: number; events: EventRow[] } | null = null;

  constructor(store: Segments) {
    this.#store = store;
    this.#infos = [...store.list()].reverse();
  }

  before(seq: number): EventRow | null {
    for (const info of this.#infos) {
      if (info.firstSeq >= seq || info.summary?.events.count === 0) continue;
      const event = lastBefore(this.#events(info), seq);
      if (event) return event;
    }
    return null;
  }

  #events(info: SegmentInfo): EventRow[] {
    if (this.#read?.id !== info.id)
      this.#read = { id: info.id, events: this.#store.open(info)?.reader.events() ?? [] };
    return this.#read.events;
  }
}

function lastBefore(events: EventRow[], seq: number): EventRow | undefined {
  for (let i = events.length - 1; i >= 0; i--) {
    const event = events[i];
    if (event && event.seq < seq) return event;
  }
  return undefined;
}

function compare(before: Json, after: Json, path: string[], differences: Difference[]): void {
  if (differences.length >= MAX_DIFFERENCES || equal(before, after)) return;
  if (!isObject(before) || !isObject(after)) {
    differences.push({ path, kind: "changed", before, after });
    return;
  }
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const old = valueAt(before, [key]);
    const now = valueAt(after, [key]);
    if (old === undefined && now !== undefined)
      differences.push({ path: [...path, key], kind: "added", after: now });
    else if (now === undefined && old !== undefined)
      differences.push({ path: [...path, key], kind: "removed", before: old });
    else if (old !== undefined && now !== undefined) compare(old, now, [...path, key], differences);
  }
}

type Ordered = { order?: "asc" | "desc"; cursor?: string };

/** The segments that a page may be in, from the cursor on. */
export function segmentsFrom(store: Segments, query: Ordered): SegmentInfo[] {
  const cursor = Number(query.cursor ?? NaN);
  return inOrder(store.list(), query).filter(({ firstSeq, lastSeq }) => {
    if (Number.isNaN(cursor)) return true;
    return query.order === "desc" ? firstSeq < cursor : lastSeq > cursor;
  });
}

export function isAfterCursor(seq: number, { cursor, order }: Ordered): boolean {
  if (cursor === undefined) return true;
  return order === "desc" ? seq < Number(cursor) : seq > Number(cursor);
}

export function inOrder<Item extends StoredState | EventRow | Change | SegmentInfo>(
  items: Item[],
  { order }: Ordered,
): Item[] {
  return order === "desc" ? [...items].reverse() : items;
}
