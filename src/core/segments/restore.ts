/**
 * Counts again what a segment holds whose own index is damaged. The log has the ops, but not the lanes that sent them nor the names of
 * new series; so the ops count as unclaimed until their lane continues after a gap, and such a series has a number instead of a name.
 */
import { listAttachment } from "../attachments/attachments.ts";
import { addTags, countEvent, countException, noteLeftOut } from "../session/counts.ts";
import { isException } from "../events/event.ts";
import { noteTexts } from "../session/searched.ts";
import { merge } from "../state/merge.ts";
import type { Contents, StoredOp, StoredState } from "./contents.ts";
import type { ReadColumns } from "./segment-reader.ts";
import { addHistogram } from "../metrics/histogram.ts";
import { addPoint } from "../metrics/points.ts";
import { newSeries, type Series } from "../metrics/series.ts";
import type { SessionIndex } from "../session/session-index.ts";
import { observe } from "../status/observations.ts";
import { noteValues } from "../state/values.ts";
import type { EventRow } from "../answers/events.ts";
import type { JsonObject } from "../wire.ts";

/** `lastSeq` is the last op of the segment, if its row has it: points and heartbeats have no sequence in the log. */
export function restore(
  index: SessionIndex,
  state: JsonObject,
  contents: Contents,
  lastSeq: number,
): void {
  const { states, events, others, heartbeats, series } = contents;
  const ops = new Map(others.map((op) => [op.seq, op]));
  const all = [
    ...others.map((op) => ({ seq: op.seq, apply: () => restoreOp(index, op) })),
    ...states.map((op) => ({ seq: op.seq, apply: () => restoreState(index, state, op) })),
    ...events.map((op) => ({ seq: op.seq, apply: () => restoreEvent(index, op) })),
  ].sort((a, b) => a.seq - b.seq);
  for (const { seq, apply } of all) {
    apply();
    index.seq = Math.max(index.seq, seq);
  }
  for (const at of heartbeats) {
    index.counts.heartbeats++;
    observe(index.observations, { op: "heartbeat", at });
    noteTime(index, at);
  }
  let points = 0;
  for (const [id, { at, fields }] of series)
    points += restorePoints(index, id, {
      at: Float64Array.from(at),
      fields: fields.map((field) => Float64Array.from(field)),
    });
  index.seq = Math.max(index.seq, lastSeq);
  // An event that the object derived from an op has that op's sequence.
  const own = all.length - events.filter(({ seq }) => ops.has(seq)).length;
  const initial = states.filter((op) => op.initial && ops.has(op.seq)).length;
  index.unclaimed += own - initial + heartbeats.length + points;
}

function noteTime(index: SessionIndex, at: number): void {
  index.createdAt = Math.min(index.createdAt, at);
  index.updatedAt = Math.max(index.updatedAt, at);
}

function restoreOp(index: SessionIndex, op: StoredOp): void {
  noteTime(index, op.at);
  if (op.op === "start") {
    index.product ||= op.product ?? "";
    index.version ||= op.version ?? "";
  }
  if (op.op === "start" || op.op === "tags") addTags(index, op.tags ?? []);
  if (op.op === "attachment") {
    const { recorded_at: _own, seq, refused, ...announced } = op;
    // Whether its content is complete is found from its chunks (session/attachments/chunks.ts).
    if (!listAttachment(index.attachments, announced, seq, refused))
      noteLeftOut(index, "attachments", 1);
  }
  observe(index.observations, op, op.seq);
}

function restoreState(index: SessionIndex, state: JsonObject, op: StoredState): void {
  noteTime(index, op.at);
  merge(state, op.patch);
  index.clockAt = Math.max(index.clockAt, op.effectiveAt);
  if (!op.initial) index.counts.states++;
  const left = noteValues(index.values, op.patch, state, index.clockAt);
  noteLeftOut(index, "state_paths", left);
  observe(index.observations, { op: "state", at: op.at, patch: op.patch });
}

function restoreEvent(index: SessionIndex, event: EventRow): void {
  noteTime(index, event.at);
  index.counts.events++;
  countEvent(index, event);
  if (isException(event)) {
    index.counts.exceptions++;
    countException(index, event);
  }
  noteTexts(index, event);
  observe(index.observations, { ...event, op: "event" });
}

/** Returns how many points were added. */
function restorePoints(index: SessionIndex, id: number, columns: ReadColumns): number {
  const { at, fields } = columns;
  while (index.series.length <= id) index.series.push(nameless(index.series.length));
  const series = index.series[id];
  if (!series) return 0;
  const isHistogram = series.type === "histogram";
  // The bounds of a histogram were only in the index: without them its counts have no meaning.
  if (isHistogram ? fields.length !== series.buckets.length + 4 : fields.length > 2) return 0;
  const scratch = { at: [], fields: [] };
  for (let i = 0; i < at.length; i++) {
    const [first = 0, ...rest] = fields.map((field) => field[i] ?? 0);
    const time = at[i] ?? 0;
    if (isHistogram) {
      const [sum = 0, min = 0, max = 0, ...counts] = rest;
      const { name } = series;
      addHistogram(series, scratch, {
        op: "metric",
        type: "histogram",
        name,
        at: time,
        counts,
        sum,
        min,
        max,
      });
    } else addPoint(series, scratch, time, first, rest[0] ?? 0);
    noteTime(index, time);
  }
  index.counts.points += at.length;
  return at.length;
}

function nameless(id: number): Series {
  const op = {
    op: "metric",
    at: 0,
    type: "gauge",
    name: `(damaged name of series ${id})`,
  } as const;
  return newSeries(id, op, []);
}
