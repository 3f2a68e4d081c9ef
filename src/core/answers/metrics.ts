import type { MetricType } from "../vocabulary.ts";
import type { JsonObject } from "../wire.ts";

/**
 * Quantiles, interpolated linearly between the two nearest ranks. `exact`: of the values themselves. Otherwise of a sketch, within 1 % of the
 * value at that rank, or of a histogram's buckets, within the bucket.
 */
export type Quantiles = {
  p50: number;
  p95: number;
  p99: number;
  exact: boolean;
  /** The greatest relative error of a sketch, if it exceeds 1 %: of values from 1e-300 to 1e300. */
  accuracy?: number;
};

/** One series over the whole session. Statistics of a counter are over its running total; of a histogram, over its samples. */
export type SeriesSummary = {
  /** Stable within the session. */
  id: number;
  name: string;
  type: MetricType;
  /** The type that a program of 1.x gave, if it has no meaning; "histogram" if it sent single samples to the server. */
  legacy_type?: string;
  unit: string;
  tags: string[];
  metadata: JsonObject | null;
  points: number;
  first_at: number;
  last_at: number;
  first: number;
  last: number;
  min: number;
  max: number;
  mean: number;
  stddev: number | null;
  sum: number;
  /** Counter: increase per second between its first and last point; a decrease or reset is none. */
  rate?: number;
  /** Counter: the largest increase by one update. */
  largest_step?: number;
  quantiles: Quantiles | null;
  /** Histogram: number of samples by upper bound; the bound of the last bucket is null (unbounded). */
  buckets?: { le: number | null; count: number }[];
};

/** One bucket of a chart. */
export type ChartBucket = {
  from: number;
  to: number;
  count: number;
  min: number;
  max: number;
  mean: number;
  first: number;
  last: number;
  /** Counter: the increase per second that arose in the bucket; null if it is not known. */
  rate?: number | null;
  /** If they were asked for; a counter has none. */
  quantiles?: Quantiles | null;
  /** When the first and the last point were recorded. */
  first_at: number;
  last_at: number;
};

/** A counter's increase from `from` to `to`, and the same per second. */
export type Rate = { from: number; to: number; increase: number; rate: number };

export type Chart = {
  series: SeriesSummary;
  from: number;
  to: number;
  /** Points of the series in the range: "N of M points". */
  total: number;
  /** All points, if they fit: [at, value] or, for timers, [at, value, count]. */
  points: [number, number, number?][] | null;
  /** If the points do not fit, or quantiles were asked for. */
  buckets: ChartBucket[] | null;
  /** Counter: its rate over the range, each over a bucket or a second, whichever is longer. */
  rates?: Rate[];
  /** Of the values in the range, if they were asked for; a counter has none. */
  quantiles?: Quantiles | null;
  /** Points that are farther apart than this have missing data between them (core/metrics/gaps.ts). Absent if too few points are known. */
  gap_ms?: number;
  /** Values that were refused because they are NaN or infinite: when, and how many. */
  refused?: [at: number, count: number][];
};
