/** A whole session as a stream: as 1.x gave it, and as an export that holds everything. Memory holds one segment at a time. */
import type { EventRow } from "../answers.ts";
import { type Attachment, chunksOf } from "../attachments/attachments.ts";
import { pointAt } from "../metrics/chart.ts";
import { merge } from "../state/merge.ts";
import type { ReadColumns } from "../segments/segment.ts";
import type { Series } from "../metrics/series.ts";
import { base64Of } from "../segments/bytes.ts";
import type { JsonObject } from "../wire.ts";
import { ANSWERS, type Source } from "./answers.ts";
import type { SegmentInfo, Segments } from "../segments/segments.ts";

/** The session as 1.x's `GET /api/sessions/{id}` gives it (test/session/answers/stream.test.ts). `state_history` holds the whole state after each change. */
export function* legacySession(source: Source): Generator<string> {
  const { store, index, state } = source;
  const summary = ANSWERS.summary(source);
  const { status } = summary.verdict;
  const { lastHeartbeatAt, lastDaemonHeartbeatAt } = index.observations;
  const heartbeatAt = Math.max(lastHeartbeatAt ?? 0, lastDaemonHeartbeatAt ?? 0);
  const start = {
    id: index.id,
    created_at: time(index.createdAt),
    updated_at: time(index.updatedAt),
    ended_at: summary.ended_at === null ? undefined : time(summary.ended_at),
    active: status === "active" || status === "hung",
    suspended: status === "suspended",
    crashed: status === "crashed",
    hung: status === "hung" || (index.observations.hang !== null && status !== "crashed"),
    last_heartbeat: heartbeatAt === 0 ? undefined : time(heartbeatAt),
    machine_id: index.machineId || undefined,
    hostname: index.hostname || undefined,
  };
  const named = (whole: JsonObject) => ({
    product: index.product,
    version: index.version,
    ...whole,
  });
  const infos = store.list();

  yield `${JSON.stringify(start).slice(0, -1)},"state":${JSON.stringify(named(state))},"state_history":[`;
  yield* joined(snapshots(store, infos, named));
  yield `],"events":[`;
  yield* joined(legacyEvents(store, infos));
  yield `],"metrics":[`;
  yield* joined(legacyMetrics(store, infos, index.series));
  yield `]}\n`;
}

function* snapshots(
  store: Segments,
  infos: SegmentInfo[],
  named: (state: JsonObject) => JsonObject,
): Generator<string> {
  for (const info of infos) {
    const segment = store.open(info);
    if (!segment) continue;
    const state = segment.keyframe();
    for (const { at, patch, initial } of segment.reader.states()) {
      merge(state, patch);
      if (!initial) yield JSON.stringify({ timestamp: time(at), state: named(state) });
    }
  }
}

function* legacyEvents(store: Segments, infos: SegmentInfo[]): Generator<string> {
  for (const info of infos)
    for (const event of store.open(info)?.reader.events() ?? [])
      yield JSON.stringify(legacyEvent(event));
}

function legacyEvent(event: EventRow): JsonObject {
  const {
    at,
    seq: _seq,
    fingerprint: _fingerprint,
    causes: _causes,
    causes_left_out: _leftOut,
    sources: _sources,
    resolved: _resolved,
    attributes: _attributes,
    notes: _notes,
    handled: _handled,
    test: _test,
    ...rest
  } = event;
  const {
    name,
    category,
    group = "",
    labels = null,
    message = "",
    data = null,
    ...exception
  } = rest;
  const present = Object.entries(exception).filter(
    ([, value]) => value !== "" && value !== 0 && !(Array.isArray(value) && value.length === 0),
  );
  return {
    timestamp: time(at),
    name,
    category,
    group,
    labels,
    message,
    data,
    ...(Object.fromEntries(present) as JsonObject),
  };
}

function* legacyMetrics(
  store: Segments,
  infos: SegmentInfo[],
  series: Series[],
): Generator<string> {
  // Totals of histograms so far, by series: 1.x's points are running totals.
  const totals = new Map<number, { samples: number; sum: number; buckets: number[] }>();
  for (const info of infos) {
    const reader = store.open(info)?.reader;
    const points: { at: number; text: string }[] = [];
    for (const id of reader?.seriesIds() ?? []) {
      const known = series[id];
      if (!reader || !known) continue;
      const columns = reader.columns(id);
      for (let i = 0; i < columns.at.length; i++)
        points.push({
          at: columns.at[i] ?? 0,
          text: JSON.stringify(legacyMetric(known, columns, i, totals)),
        });
    }
    // Columns do not keep the order in which points of several series arrived; their times nearly do.
    for (const { text } of points.sort((a, b) => a.at - b.at)) yield text;
  }
}

function legacyMetric(
  series: Series,
  columns: ReadColumns,
  i: number,
  totals: Map<number, { samples: number; sum: number; buckets: number[] }>,
): object {
  const { at, value, count } = pointAt(series.type, columns, i);
  const { name, type, legacyType } = series;
  const common = { timestamp: time(at), name, type: legacyType ?? type };
  const described = {
    unit: series.unit || undefined,
    tags: series.tags.length > 0 ? series.tags : undefined,
  };
  if (type !== "histogram" || legacyType === type) {
    return {
      ...common,
      value,
      count: type !== "histogram" && count > 0 ? count : undefined,
      ...described,
      metadata: series.metadata ?? undefined,
    };
  }
  const total = totals.get(series.id) ?? {
    samples: 0,
    sum: 0,
    buckets: series.buckets.map(() => 0),
  };
  totals.set(series.id, total);
  total.samples += columns.fields[0]?.[i] ?? 0;
  total.sum += columns.fields[1]?.[i] ?? 0;
  total.buckets = total.buckets.map((sum, index) => sum + (columns.fields[4 + index]?.[i] ?? 0));
  const buckets: { le: number | string; count: number }[] = series.bounds.map((le, index) => ({
    le,
    count: total.buckets[index] ?? 0,
  }));
  // 1.x's histograms had the buckets that the program gave. JSON has no infinity; 1.x's Go clients take any value here.
  const above = total.buckets[series.bounds.length] ?? 0;
  if (above > 0 || buckets.length === 0) buckets.push({ le: "Infinity", count: above });
  return {
    ...common,
    value: total.sum / total.samples,
    ...described,
    metadata: { ...series.metadata, buckets, sum: total.sum, count: total.samples },
  };
}

/** An exported op has the time that its own clock showed; if that differs from the server's, the corrected one is `corrected_at`. */
function ownTimes<Exported extends { at?: number; recorded_at?: number }>({
  recorded_at,
  ...op
}: Exported): object {
  return recorded_at === undefined ? op : { ...op, at: recorded_at, corrected_at: op.at };
}

/** Everything, a line each: the summary, then segment by segment its ops in order, and its points as columns; at last the contents of attachments. */
export function* exported(source: Source): Generator<string> {
  const { store, index } = source;
  yield `${JSON.stringify(ANSWERS.summary(source))}\n`;
  for (const info of store.list()) {
    const reader = store.open(info)?.reader;
    if (!reader) {
      yield `${JSON.stringify({ damaged_segment: info.id, first_seq: info.firstSeq, last_seq: info.lastSeq })}\n`;
      continue;
    }
    const ops: { seq: number; at: number; recorded_at?: number }[] = [
      ...reader.states().map(({ seq, at, patch, initial, recordedAt }) => ({
        seq,
        at,
        recorded_at: recordedAt,
        op: "state",
        patch,
        initial: initial || undefined,
      })),
      ...reader.events().map((event) => ({ op: "event", ...event })),
      ...reader.others(),
    ];
    for (const op of ops.sort((a, b) => a.seq - b.seq)) yield `${JSON.stringify(ownTimes(op))}\n`;
    const { heartbeats, recorded } = reader.heartbeatTimes();
    for (const at of heartbeats) yield `${JSON.stringify({ op: "heartbeat", at })}\n`;
    for (const [i, at] of recorded.at.entries()) {
      const op = { op: "heartbeat", at, recorded_at: recorded.recordedAt[i] };
      yield `${JSON.stringify(ownTimes(op))}\n`;
    }
    for (const id of reader.seriesIds()) {
      const series = index.series[id];
      if (series) yield `${JSON.stringify(exportedPoints(series, reader.columns(id)))}\n`;
    }
  }
  for (const attachment of index.attachments) yield* exportedContent(store, attachment);
}

/** A line for each chunk of a content, in base64; without it if its bytes are damaged. Before the last chunk arrived: those that are there. */
function* exportedContent({ chunks }: Segments, attachment: Attachment): Generator<string> {
  const { id, complete } = attachment;
  const numbers = complete
    ? Array.from({ length: chunksOf(attachment) }, (_, chunk) => chunk)
    : chunks.received(attachment);
  for (const chunk of numbers) {
    const bytes = chunks.read(attachment, chunk);
    const content = bytes ? { base64: base64Of(bytes) } : { damaged: true };
    yield `${JSON.stringify({ attachment: id, chunk, ...content })}\n`;
  }
}

function exportedPoints(
  { name, type, legacyType, unit, tags, metadata, bounds }: Series,
  { at, fields, recordedAt }: ReadColumns,
): Record<string, unknown> {
  const columns = fields.map((field) => Array.from(field));
  const [values = [], counts] = columns;
  const points =
    type === "histogram"
      ? { bounds, fields: ["samples", "sum", "min", "max", "counts…"], columns }
      : { values, counts };
  return {
    op: "points",
    name,
    type,
    legacy_type: legacyType,
    unit,
    tags,
    metadata,
    at: Array.from(recordedAt ?? at),
    corrected_at: recordedAt && Array.from(at),
    ...points,
  };
}

function* joined(pieces: Iterable<string>): Generator<string> {
  let separator = "";
  for (const piece of pieces) {
    yield separator + piece;
    separator = ",";
  }
}

const time = (at: number): string => new Date(at).toISOString();
