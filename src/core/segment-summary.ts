/**
 * What a sealed segment says of itself without being opened: enough to pass over it when a query cannot match, and to answer
 * for a series as a whole. Stored beside the body.
 */
import { bloomOf, mayContain } from "./bloom.ts";
import { type EventFilter, isException, searchText } from "./event.ts";
import type { Contents } from "./segment.ts";
import { type Columns, type Series, toFinite } from "./series.ts";
import { newSketch, type PackedSketch, packSketch, type Sketch } from "./sketch.ts";
import type { MetricType } from "./vocabulary.ts";

/** Distinct words kept per list; with more of them, the list is null and every segment may match. */
const MAX_DISTINCT = 200;

export type SegmentSeries = {
  id: number;
  points: number;
  from: number;
  to: number;
  first: number;
  last: number;
  min: number;
  max: number;
  /** Sum of values (histogram: of samples), and how many there are of them. */
  sum: number;
  samples: number;
  /** Quantiles; none for counters and histograms. */
  sketch: PackedSketch | null;
};

export type SegmentSummary = {
  /** Top-level keys that patches touch. */
  keys: string[] | null;
  events: { count: number; from: number; to: number; exceptions: number };
  /** Names and categories that occur together, as JSON pairs. */
  names: string[] | null;
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
    names: distinct(events.map((event) => nameKey(event.name, event.category))),
    groups: distinct(events.map(({ group }) => group ?? "")),
    labels: distinct(events.flatMap(({ labels }) => labels ?? [])),
    bloom: bloomOf(events.map(searchText)),
    series,
  };
}

/** False when no event of the segment can pass the filter. */
export function mayMatch(summary: SegmentSummary, filter: EventFilter): boolean {
  if (summary.events.count === 0) return false;
  if (filter.exceptions && summary.events.exceptions === 0) return false;
  if (filter.from !== undefined && summary.events.to < filter.from) return false;
  if (filter.to !== undefined && summary.events.from > filter.to) return false;
  const { name, category, group, label, text } = filter;
  if (
    summary.names &&
    name !== undefined &&
    category !== undefined &&
    !summary.names.includes(nameKey(name, category))
  )
    return false;
  if (
    summary.names &&
    name !== undefined &&
    !summary.names.some((pair) => pair.startsWith(nameKey(name)))
  )
    return false;
  if (
    summary.names &&
    category !== undefined &&
    !summary.names.some((pair) => pair.endsWith(`,${JSON.stringify(category)}]`))
  )
    return false;
  if (group !== undefined && summary.groups && !summary.groups.includes(group)) return false;
  if (label !== undefined && summary.labels && !summary.labels.includes(label)) return false;
  return text === undefined || mayContain(summary.bloom, text.toLowerCase());
}

/** `["door_opened","info"]`, or without a category the beginning of that. */
function nameKey(name: string, category?: string): string {
  return category === undefined ? `[${JSON.stringify(name)},` : JSON.stringify([name, category]);
}

/** Adds a series' values to a sketch of its quantiles. Counters and histograms have none: a total and a window are no samples. */
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

function distinct(words: string[]): string[] | null {
  const set = new Set(words);
  return set.size > MAX_DISTINCT ? null : [...set];
}
