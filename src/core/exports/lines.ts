/**
 * A session as lines of JSON (NDJSON): the summary, then segment by segment its ops in order and its points in columns, at last the contents
 * of attachments. Memory holds one segment at a time.
 */
import { type Attachment, chunksOf } from "../attachments/attachments.ts";
import type { Series } from "../metrics/series.ts";
import { ANSWERS, type Source } from "../questions/questions.ts";
import { base64Of } from "../segments/bytes.ts";
import type { ReadColumns, SegmentReader } from "../segments/segment-reader.ts";
import type { SegmentInfo, Segments } from "../segments/segments.ts";

export type Line = { [key: string]: unknown };
type OpLine = { op: string; seq: number; at: number };

export function* exportLines(source: Source): Generator<string> {
  const { store, index } = source;
  yield textOf(ANSWERS.summary(source));
  for (const info of store.list()) {
    const reader = store.open(info)?.reader;
    if (!reader) {
      yield textOf(damagedLine(info));
      continue;
    }
    const ops = [...changesIn(reader), ...eventsIn(reader), ...othersIn(reader)];
    for (const op of ops.sort((a, b) => a.seq - b.seq)) yield textOf(op);
    for (const line of heartbeatsIn(reader)) yield textOf(line);
    for (const line of pointsIn(reader, index.series)) yield textOf(line);
  }
  for (const line of contentLines(store, index.attachments)) yield textOf(line);
}

/** Stands for a segment of which nothing can be read. */
export function damagedLine({ id, firstSeq, lastSeq }: SegmentInfo): Line {
  return { damaged_segment: id, first_seq: firstSeq, last_seq: lastSeq };
}

/** Changes of the state, and initial states. */
export function changesIn(reader: SegmentReader): OpLine[] {
  return reader.states().map(({ seq, at, patch, initial, recordedAt }) =>
    ownTimes({
      seq,
      at,
      recorded_at: recordedAt,
      op: "state",
      patch,
      initial: initial || undefined,
    }),
  );
}

export function eventsIn(reader: SegmentReader): OpLine[] {
  return reader.events().map((event) => ownTimes({ op: "event", ...event }));
}

/** Every other op that has a sequence. */
export function othersIn(reader: SegmentReader): OpLine[] {
  return reader.others().map((op) => ownTimes(op));
}

export function* heartbeatsIn(reader: SegmentReader): Generator<Line> {
  const { heartbeats, recorded } = reader.heartbeatTimes();
  for (const at of heartbeats) yield { op: "heartbeat", at };
  for (const [i, at] of recorded.at.entries())
    yield ownTimes({ op: "heartbeat", at, recorded_at: recorded.recordedAt[i] });
}

/** The points of a segment, an object for each series. */
export function* pointsIn(reader: SegmentReader, series: Series[]): Generator<Line> {
  for (const id of reader.seriesIds()) {
    const known = series[id];
    if (known) yield exportedPoints(known, reader.columns(id));
  }
}

/**
 * The contents of attachments, an object for each chunk; without `base64` if its bytes are damaged. Before the last chunk arrived:
 * those that are there.
 */
export function* contentLines({ chunks }: Segments, attachments: Attachment[]): Generator<Line> {
  for (const attachment of attachments) {
    const { id, complete } = attachment;
    const numbers = complete
      ? Array.from({ length: chunksOf(attachment) }, (_, chunk) => chunk)
      : chunks.received(attachment);
    for (const chunk of numbers) {
      const bytes = chunks.read(attachment, chunk);
      const content = bytes ? { base64: base64Of(bytes) } : { damaged: true };
      yield { attachment: id, chunk, ...content };
    }
  }
}

/** An exported op has the time that its own clock showed; if that differs from the server's, the corrected one is `corrected_at`. */
function ownTimes<Exported extends { at: number; recorded_at?: number | undefined }>({
  recorded_at,
  ...op
}: Exported): Omit<Exported, "recorded_at"> {
  return recorded_at === undefined ? op : { ...op, at: recorded_at, corrected_at: op.at };
}

function exportedPoints(
  { name, type, legacyType, unit, tags, metadata, bounds }: Series,
  { at, fields, recordedAt }: ReadColumns,
): Line {
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

function textOf(line: object): string {
  return `${JSON.stringify(line)}\n`;
}
