/**
 * The summary of a sealed segment, stored beside its body: what a query needs to skip a segment that cannot match, and the
 * statistics of each series in it.
 */
import type { EventRow } from "../answers/events.ts";
import { bloomOf, mayContain } from "./bloom.ts";
import { type EventFilter, isException, searchText } from "../events/event.ts";
import { fold } from "../text/fold.ts";
import { hasTag } from "../text/tag.ts";
import type { Contents } from "./contents.ts";
import { MAX_PACKED_VALUES, MAX_SUMMARY_ENTRIES } from "../limits.ts";
import { toFinite, type Total, totalOf } from "../metrics/moments.ts";
import { increaseOf } from "../metrics/rate.ts";
import { type Columns, FIRST_BUCKET, MARKS } from "../metrics/columns.ts";
import type { Series } from "../metrics/series.ts";
import { type PackedSketch, Sketch } from "../metrics/sketch.ts";

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
  total: Total;
  samples: number;
  /** For quantiles: the values of a gauge or timer, samples per bucket of a histogram; a counter has none. */
  sketch?: PackedSketch;
  buckets?: number[];
  /** Of a counter: the increase from its first point here to its last. Absent if they did not arrive in the order of their times, or have marks. */
  increase?: number;
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
    if (known) series.push(summariseSeries(known, columns));
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
  const { name, category, group, tag, text } = filter;
  const hasName = summary.names?.some(
    (pair) => (name ?? pair[0]) === pair[0] && (category ?? pair[1]) === pair[1],
  );
  if (hasName === false) return false;
  if (group !== undefined && summary.groups && !summary.groups.includes(group)) return false;
  if (tag !== undefined && summary.labels && !hasTag(summary.labels, tag)) return false;
  return text === undefined || mayContain(summary.bloom, fold(text));
}

function summariseSeries({ id, type, bounds }: Series, columns: Columns): SegmentSeries {
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
    total: totalOf(sums),
    samples: 0,
  };
  for (let i = 0; i < at.length; i++) {
    const time = at[i] ?? 0;
    const weight = weights?.[i] ?? 1;
    const value = (sums[i] ?? 0) / weight;
    if (time < summary.from) [summary.from, summary.first] = [time, value];
    if (time >= summary.to) [summary.to, summary.last] = [time, value];
    summary.min = Math.min(summary.min, lows[i] ?? 0);
    summary.max = Math.max(summary.max, highs[i] ?? 0);
    summary.samples += weight;
  }
  if (type === "counter") summary.increase = increaseIn(columns);
  else if (histogram) summary.buckets = bucketsIn(columns, bounds.length + 1);
  else {
    const sketch = new Sketch(MAX_PACKED_VALUES);
    for (const value of sums) sketch.add(value);
    summary.sketch = sketch.pack();
  }
  return summary;
}

function increaseIn({ at, fields }: Columns): number | undefined {
  const totals = fields[0] ?? [];
  if (fields[MARKS]?.some((marks) => marks > 0)) return undefined;
  let increase = 0;
  for (let i = 1; i < at.length; i++) {
    if ((at[i] ?? 0) < (at[i - 1] ?? 0)) return undefined;
    increase += increaseOf(totals[i - 1] ?? 0, totals[i] ?? 0);
  }
  return toFinite(increase);
}

function bucketsIn({ fields }: Columns, buckets: number): number[] {
  return Array.from({ length: buckets }, (_, index) =>
    (fields[FIRST_BUCKET + index] ?? []).reduce((sum, count) => sum + count, 0),
  );
}

function namesOf(events: EventRow[]): SegmentSummary["names"] {
  const pairs = distinct(events.map(({ name, category }) => JSON.stringify([name, category])));
  return pairs && pairs.map((pair) => JSON.parse(pair) as [string, string]); // parses its own text
}

function distinct(texts: string[]): string[] | null {
  const set = new Set(texts);
  return set.size > MAX_SUMMARY_ENTRIES ? null : [...set];
}
