/**
 * The summary of a sealed segment, stored beside its body: what a query needs to skip a segment that cannot match, and the
 * statistics of each series in it.
 */
import type { EventRow } from "./answers.ts";
import { bloomOf, mayContain } from "./bloom.ts";
import { type EventFilter, isException, searchText } from "./event.ts";
import type { Contents } from "./segment.ts";
import { MAX_SUMMARY_ENTRIES } from "./limits.ts";
import { type Columns, type Series, toFinite } from "./series.ts";
import { newSketch, type PackedSketch, packSketch, type Sketch } from "./sketch.ts";
import type { MetricType } from "./vocabulary.ts";

export type SegmentSeries = {
  id: number;
  points: number;
  from: number;
  to: number;
  first: number;
  last: number;
  min: number;
  max: number;
  /** Sum and number of the values (histogram: of the samples). */
  sum: number;
  samples: number;
  /** For quantiles; null for counters and histograms. */
  sketch: PackedSketch | null;
};

export type SegmentSummary = {
  /** Top-level keys of the patches. */
  keys: string[] | null;
  events: { count: number; from: number; to: number; exceptions: number };
  /** Pairs of event name and category. */
  names: [name: string, category: string][] | null;
  groups: string[] | null;
  labels: string[] | null;
  bloom: string;
  series: SegmentSeries[];
};

export function summariseSegment(
  contents: Contents,
  seriesById: (id: number) => Series | undefined,
): SegmentSummary {
  const { events, states } = contents;
  const series: SegmentSeries[] = [];
  for (const [id, columns] of contents.series) {
    const known = seriesById(id);
    if (known) series.push(summariseSeries(id, known.type, columns));
  }
  return {
    keys: distinct(states.flatMap(({ patch }) => Object.keys(patch))),
    events: {
      count: events.length,
      from: events.reduce((earliest, { at }) => Math.min(earliest, at), Infinity),
      to: events.reduce((latest, { at }) => Math.max(latest, at), -Infinity),
      exceptions: events.filter(isException).length,
    },
    names: namesOf(events),
    groups: distinct(events.map(({ group }) => group ?? "")),
    labels: distinct(events.flatMap(({ labels }) => labels ?? [])),
    bloom: bloomOf(events.map(searchText)),
    series,
  };
}

/** False if no event of the segment can match the filter. */
export function mayMatch(summary: SegmentSummary, filter: EventFilter): boolean {
  if (summary.events.count === 0) return false;
  if (filter.exceptions && summary.events.exceptions === 0) return false;
  if (filter.from !== undefined && summary.events.to < filter.from) return false;
  if (filter.to !== undefined && summary.events.from > filter.to) return false;
  const { name, category, group, label, text } = filter;
  const hasName = summary.names?.some(
    (pair) => (name ?? pair[0]) === pair[0] && (category ?? pair[1]) === pair[1],
  );
  if (hasName === false) return false;
  if (group !== undefined && summary.groups && !summary.groups.includes(group)) return false;
  if (label !== undefined && summary.labels && !summary.labels.includes(label)) return false;
  return text === undefined || mayContain(summary.bloom, text.toLowerCase());
}

/** Adds values of a series to its sketch. Counters and histograms have none: their values are totals and windows, not samples. */
export function sketchInto(
  sketch: Sketch,
  type: MetricType,
  values: ArrayLike<number> | undefined,
): void {
  if (type === "counter" || type === "histogram" || !values) return;
  for (let i = 0; i < values.length; i++) sketch.accept(values[i] ?? 0);
}

function summariseSeries(id: number, type: MetricType, columns: Columns): SegmentSeries {
  const { at, fields } = columns;
  const histogram = type === "histogram";
  const lows = (histogram ? fields[2] : fields[0]) ?? [];
  const highs = (histogram ? fields[3] : fields[0]) ?? [];
  const sums = (histogram ? fields[1] : fields[0]) ?? [];
  const weights = histogram ? (fields[0] ?? []) : undefined;

  const summary: SegmentSeries = {
    id,
    points: at.length,
    from: Infinity,
    to: -Infinity,
    first: 0,
    last: 0,
    min: Infinity,
    max: -Infinity,
    sum: 0,
    samples: 0,
    sketch: null,
  };
  for (let i = 0; i < at.length; i++) {
    const time = at[i] ?? 0;
    const weight = weights?.[i] ?? 1;
    const value = (sums[i] ?? 0) / weight;
    if (time < summary.from) [summary.from, summary.first] = [time, value];
    if (time >= summary.to) [summary.to, summary.last] = [time, value];
    summary.min = Math.min(summary.min, lows[i] ?? 0);
    summary.max = Math.max(summary.max, highs[i] ?? 0);
    summary.sum += sums[i] ?? 0;
    summary.samples += weight;
  }
  summary.sum = toFinite(summary.sum);
  const sketch = newSketch();
  sketchInto(sketch, type, fields[0]);
  if (sketch.count > 0) summary.sketch = packSketch(sketch);
  return summary;
}

function namesOf(events: EventRow[]): SegmentSummary["names"] {
  const pairs = distinct(events.map(({ name, category }) => JSON.stringify([name, category])));
  return pairs && pairs.map((pair) => JSON.parse(pair) as [string, string]); // parses its own text
}

function distinct(texts: string[]): string[] | null {
  const set = new Set(texts);
  return set.size > MAX_SUMMARY_ENTRIES ? null : [...set];
}
