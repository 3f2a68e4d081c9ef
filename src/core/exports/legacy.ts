/** A whole session as 1.x gave it. Memory holds one segment at a time. */
import type { EventRow } from "../answers/events.ts";
import { pointAt } from "../metrics/chart.ts";
import { FIRST_BUCKET } from "../metrics/columns.ts";
import { merge } from "../state/merge.ts";
import type { ReadColumns } from "../segments/segment-reader.ts";
import type { Series } from "../metrics/series.ts";
import type { JsonObject } from "../wire.ts";
import { ANSWERS, type Source } from "../questions/questions.ts";
import type { SegmentInfo, Segments } from "../segments/segments.ts";

/** As 1.x's `GET /api/sessions/{id}` gives it (test/session/answers/stream.test.ts). `state_history` holds the whole state after each change. */
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
  total.buckets = total.buckets.map(
    (sum, index) => sum + (columns.fields[FIRST_BUCKET + index]?.[i] ?? 0),
  );
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

function* joined(pieces: Iterable<string>): Generator<string> {
  let separator = "";
  for (const piece of pieces) {
    yield separator + piece;
    separator = ",";
  }
}

const time = (at: number): string => new Date(at).toISOString();
