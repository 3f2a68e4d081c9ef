/** What a segment, or a batch that is added to it, holds. */
import type { EventRow } from "../answers/events.ts";
import type { AttachmentRefusal } from "../attachments/attachments.ts";
import type { Columns } from "../metrics/columns.ts";
import type { JsonObject, Op } from "../wire.ts";

/** A patch. `effectiveAt` is its time, or the latest time of an earlier patch if the clock went back, so that effective times never decrease. */
export type StoredState = {
  seq: number;
  at: number;
  patch: JsonObject;
  effectiveAt: number;
  initial: boolean;
  /** The time by the program's own clock, if it differs. */
  recordedAt?: number;
};

/** `refused`: of attachments. */
export type StoredOp = { seq: number; recorded_at?: number; refused?: AttachmentRefusal } & Exclude<
  Op,
  { op: "state" | "event" | "metric" | "points" | "heartbeat" }
>;

export type Contents = {
  states: StoredState[];
  events: EventRow[];
  others: StoredOp[];
  heartbeats: number[];
  /** Heartbeats whose time by the program's own clock differs. */
  recorded: { at: number[]; recordedAt: number[] };
  series: Map<number, Columns>;
};

export function newContents(): Contents {
  return {
    states: [],
    events: [],
    others: [],
    heartbeats: [],
    recorded: { at: [], recordedAt: [] },
    series: new Map(),
  };
}

export function isEmpty(contents: Contents): boolean {
  const { states, events, others, heartbeats, recorded, series } = contents;
  const lists = [states, events, others, heartbeats, recorded.at];
  return lists.every(({ length }) => length === 0) && series.size === 0;
}

/** Adds the contents of a later batch. */
export function append(contents: Contents, more: Contents): void {
  for (const state of more.states) contents.states.push(state);
  for (const event of more.events) contents.events.push(event);
  for (const op of more.others) contents.others.push(op);
  for (const at of more.heartbeats) contents.heartbeats.push(at);
  for (const at of more.recorded.at) contents.recorded.at.push(at);
  for (const at of more.recorded.recordedAt) contents.recorded.recordedAt.push(at);
  for (const [id, columns] of more.series) {
    const there = contents.series.get(id);
    if (!there) {
      contents.series.set(id, columns);
      continue;
    }
    const before = there.at.length;
    if (columns.recordedAt || there.recordedAt) {
      const recordedAt = (there.recordedAt ??= [...there.at]);
      for (const at of columns.recordedAt ?? columns.at) recordedAt.push(at);
    }
    for (const at of columns.at) there.at.push(at);
    const width = Math.max(there.fields.length, columns.fields.length);
    for (let index = 0; index < width; index++) {
      const field = (there.fields[index] ??= Array.from({ length: before }, () => 0));
      const values = columns.fields[index];
      for (let i = 0; i < columns.at.length; i++) field.push(values?.[i] ?? 0);
    }
  }
}
