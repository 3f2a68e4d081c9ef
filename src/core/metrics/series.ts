/** The series of a session: identity, and totals over the whole session. Their points are in columns.ts. */
import type { SeriesSummary } from "../answers/metrics.ts";
import { meanOf, type Moments, newMoments, sumOf } from "./moments.ts";
import type { MetricType } from "../vocabulary.ts";
import type { JsonObject, Metric, Points } from "../wire.ts";

/** A series in the session index: identity, and totals over the whole session. */
export type Series = {
  id: number;
  name: string;
  type: MetricType;
  /** The type that a program of 1.x gave, if it has no meaning: then `type` is gauge. "histogram": its points are single samples. */
  legacyType?: string;
  unit: string;
  tags: string[];
  metadata: JsonObject | null;
  /** Upper bounds of a histogram's buckets, ascending; one more bucket follows the last bound. */
  bounds: number[];
  points: number;
  firstAt: number;
  lastAt: number;
  first: number;
  last: number;
  min: number;
  max: number;
  /** Of the values; of a histogram, of its samples, whose deviation is unknown. */
  moments: Moments;
  /** Samples per bucket of a histogram. */
  buckets: number[];
  /** Of a counter: its first update was an increase, so that it was 0 before. */
  fromZero?: boolean;
  /** Of a counter: which lane its last point is of. */
  lane?: number;
  /** Of a counter: the increase by all updates from the second on, and the largest by one. */
  increase?: number;
  largestStep?: number;
};

/** The identity of a series within a session. The order of tags does not matter. */
export function seriesKey(
  name: string,
  type: string,
  tags: readonly string[],
  bounds: readonly number[],
): string {
  return JSON.stringify([name, type, [...tags].sort(), ...(type === "histogram" ? [bounds] : [])]);
}

export function keyOf(series: Series): string {
  return seriesKey(series.name, series.legacyType ?? series.type, series.tags, series.bounds);
}

export function newSeries(id: number, op: Metric | Points, bounds: number[]): Series {
  return {
    id,
    name: op.name,
    type: op.type,
    legacyType: op.legacy_type,
    unit: op.unit ?? "",
    tags: [...(op.tags ?? [])].sort(),
    metadata: op.metadata ?? null,
    fromZero:
      op.type === "counter" && (op.op === "points" || op.delta !== undefined) ? true : undefined,
    bounds,
    points: 0,
    firstAt: 0,
    lastAt: 0,
    first: 0,
    last: 0,
    min: 0,
    max: 0,
    moments: newMoments(),
    buckets: op.type === "histogram" ? Array.from({ length: bounds.length + 1 }, () => 0) : [],
  };
}

/** The unit in which values are shown: the default of a timer is seconds (core/wire.ts). */
export function unitOf({ type, unit }: Series): string {
  return unit === "" && type === "timer" ? "seconds" : unit;
}

/** The summary without quantiles, which need a sketch. */
export function summarise(series: Series): Omit<SeriesSummary, "quantiles"> {
  const { moments, increase = 0 } = series;
  const seconds = (series.lastAt - series.firstAt) / 1_000;
  return {
    id: series.id,
    name: series.name,
    type: series.type,
    legacy_type: series.legacyType,
    unit: unitOf(series),
    tags: series.tags,
    metadata: series.metadata,
    points: series.points,
    first_at: series.firstAt,
    last_at: series.lastAt,
    first: series.first,
    last: series.last,
    min: series.min,
    max: series.max,
    mean: meanOf(moments, moments.count),
    stddev: series.type === "histogram" ? null : moments.deviation,
    sum: sumOf(moments),
    largest_step: series.largestStep,
    ...(series.type === "counter" && seconds > 0 && { rate: increase / seconds }),
    ...(series.type === "histogram" && {
      buckets: series.buckets.map((count, index) => ({ le: series.bounds[index] ?? null, count })),
    }),
  };
}
