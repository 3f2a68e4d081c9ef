/** Series of a session: their statistics, charts over any range, and the density of everything over time. */
import type { Chart, SeriesSummary } from "../answers/metrics.ts";
import type { Timeline } from "../answers/timeline.ts";
import { ChartBuilder, pointAt } from "../metrics/chart.ts";
import { gapOf, type Interval, usualInterval } from "../metrics/gaps.ts";
import { DEFAULT_POINTS, MAX_EXACT_VALUES } from "../limits.ts";
import { RollupBuilder } from "../metrics/rollup.ts";
import type { SegmentSeries } from "../segments/segment-summary.ts";
import type { Contents } from "../segments/contents.ts";
import type { ReadColumns } from "../segments/segment-reader.ts";
import { type Series, summarise } from "../metrics/series.ts";
import { hasTag } from "../text/tag.ts";
import type { Segments } from "../segments/segments.ts";

export type ChartQuery = {
  ids?: number[];
  name?: string;
  tags?: string[];
  from?: number;
  to?: number;
  points?: number;
  /** Whether the answer has quantiles: of the range, and of each bucket. */
  quantiles?: boolean;
};

/**
 * The sketches and rollups of all series: built when first needed, and updated with each batch from then on. Building opens only
 * segments that lie across the edge of a rollup's bucket; for the others their summaries suffice.
 */
export class Rollups {
  readonly #bySeries = new Map<number, RollupBuilder>();

  constructor(store: Segments, series: Series[]) {
    for (const one of series) {
      const { id, points, firstAt, lastAt } = one;
      if (points === 0) continue;
      this.#bySeries.set(id, new RollupBuilder(one, { from: firstAt, to: lastAt, points }));
    }
    for (const info of store.list()) {
      const rest = info.summary?.series.filter(
        (summary) => !this.of(summary.id)?.addSummary(summary),
      );
      if (rest?.length === 0) continue;
      const reader = store.open(info)?.reader;
      for (const id of rest?.map((summary) => summary.id) ?? reader?.seriesIds() ?? [])
        if (reader) this.of(id)?.add(reader.columns(id));
    }
  }

  /** `series` are those of the index. */
  keepUp(contents: Contents, series: Series[]): void {
    for (const [id, columns] of contents.series) {
      const known = series[id];
      if (!known) continue;
      let rollup = this.#bySeries.get(id);
      if (!rollup) this.#bySeries.set(id, (rollup = new RollupBuilder(known)));
      rollup.add({
        at: Float64Array.from(columns.at),
        fields: columns.fields.map((field) => Float64Array.from(field)),
      });
    }
  }

  of(id: number): RollupBuilder | undefined {
    return this.#bySeries.get(id);
  }

  summary(series: Series): SeriesSummary {
    return { ...summarise(series), quantiles: this.of(series.id)?.quantiles() ?? null };
  }
}

export function charts(
  store: Segments,
  rollups: Rollups,
  all: Series[],
  query: ChartQuery,
): Chart[] {
  const chosen = all.filter((series) => series.points > 0 && isChosen(series, query));
  const from = query.from ?? Math.min(...chosen.map((series) => series.firstAt));
  const to = query.to ?? Math.max(...chosen.map((series) => series.lastAt));
  const points = query.points ?? DEFAULT_POINTS;
  // Points are collected as long as they are to be answered, or as their quantiles have to be exact.
  const collected = query.quantiles ? Math.max(points, MAX_EXACT_VALUES) : points;
  const drawn = chosen.map((series) => ({
    series,
    builder: new ChartBuilder({ ...series, quantiles: query.quantiles }, from, to, points),
    raw: [] as [number, number, number?][] | null,
    intervals: [] as Interval[],
  }));

  for (const info of store.list()) {
    // Each segment is opened once for all series, and only if its summary does not suffice.
    let reader: ReturnType<Segments["open"]> | undefined;
    for (const chart of drawn) {
      const summary = info.summary?.series.find(({ id }) => id === chart.series.id);
      if (info.summary && (!summary || isOutside(chart, summary, from, to))) continue;
      // More points than the query allows: the answer is buckets, and the other segments' summaries may suffice.
      if (
        chart.raw &&
        (chart.builder.total > collected ||
          (summary && summary.points > collected && summary.from >= from && summary.to <= to))
      )
        chart.raw = null;
      if (summary && !chart.raw && chart.builder.addSummary(summary)) {
        addMeanInterval(chart.intervals, summary);
        continue;
      }

      reader ??= store.open(info);
      if (!reader) break;
      const columns = reader.reader.columns(chart.series.id);
      chart.builder.addColumns(columns);
      const interval = usualInterval(columns.at);
      if (interval) chart.intervals.push(interval);
      if (chart.raw) addRaw(chart.raw, chart.series, columns, from, to);
    }
  }

  return drawn.map(({ series, builder, raw, intervals }) => {
    const fits = raw !== null && builder.total <= points;
    return {
      series: rollups.summary(series),
      from,
      to,
      total: builder.total,
      points: fits ? builder.inTime(raw) : null,
      buckets: fits && !query.quantiles ? null : builder.buckets(),
      rates: builder.rates() ?? undefined,
      quantiles: query.quantiles ? builder.quantiles() : undefined,
      gap_ms: gapOf(intervals),
    };
  });
}

/** A counter's points before the range are where its first increase in it begins. */
function isOutside(
  { series, builder }: { series: Series; builder: ChartBuilder },
  summary: SegmentSeries,
  from: number,
  to: number,
): boolean {
  if (summary.to >= from && summary.from <= to) return false;
  return series.type !== "counter" || builder.addSummary(summary);
}

/** The intervals of a segment that is not opened are taken as equal. */
function addMeanInterval(intervals: Interval[], { points, from, to }: SegmentSeries): void {
  if (to > from) intervals.push({ ms: (to - from) / (points - 1), count: points - 1 });
}

function isChosen(series: Series, { ids, name, tags }: ChartQuery): boolean {
  if (ids && !ids.includes(series.id)) return false;
  if (name !== undefined && series.name !== name) return false;
  return !tags || tags.every((tag) => hasTag(series.tags, tag));
}

function addRaw(
  raw: [number, number, number?][],
  series: Series,
  columns: ReadColumns,
  from: number,
  to: number,
): void {
  for (let i = 0; i < columns.at.length; i++) {
    const { at, value, count } = pointAt(series.type, columns, i);
    if (at >= from && at <= to) raw.push(count > 0 ? [at, value, count] : [at, value]);
  }
}

export function timeline(store: Segments, from: number, to: number, buckets: number): Timeline {
  const step = Math.max(1, (to - from) / buckets);
  const zeros = () => Array.from({ length: buckets }, () => 0);
  const result: Timeline = {
    from,
    to,
    step_ms: step,
    states: zeros(),
    events: zeros(),
    exceptions: zeros(),
    heartbeats: zeros(),
    points: zeros(),
  };
  const index = (at: number) => Math.min(buckets - 1, Math.floor((at - from) / step));
  const count = (counts: number[], times: ArrayLike<number>) => {
    for (let i = 0; i < times.length; i++) {
      const at = times[i] ?? 0;
      if (at >= from && at <= to) counts[index(at)] = (counts[index(at)] ?? 0) + 1;
    }
  };

  for (const info of store.list()) {
    const reader = store.open(info)?.reader;
    if (!reader) continue;
    const overview = reader.overview();
    count(result.states, overview.states);
    count(result.events, overview.events);
    count(result.exceptions, overview.exceptions);
    count(result.heartbeats, reader.heartbeats());
    if (info.summary)
      for (const { from: first, to: last, points } of info.summary.series)
        spread(result, first, last, points, index);
    else for (const id of reader.seriesIds()) count(result.points, reader.columns(id).at);
  }
  result.points = whole(result.points);
  return result;
}

/** Whole numbers whose running sum is the rounded running sum, so that shares below one half do not all become 0. */
function whole(shares: number[]): number[] {
  let sum = 0;
  let emitted = 0;
  return shares.map((share) => {
    sum += share;
    const rounded = Math.round(sum) - emitted;
    emitted += rounded;
    return rounded;
  });
}

/** Spreads a sealed segment's points evenly over its time, which is enough for a density. */
function spread(
  { points, from, to }: Timeline,
  first: number,
  last: number,
  count: number,
  index: (at: number) => number,
): void {
  if (last < from || first > to) return;
  const [start, end] = [Math.max(first, from), Math.min(last, to)];
  const inside = last > first ? (count * (end - start)) / (last - first) : count;
  const [low, high] = [index(start), index(end)];
  for (let i = low; i <= high; i++) points[i] = (points[i] ?? 0) + inside / (high - low + 1);
}
