/** One series of one session, as the catalog has it: what comparisons are made of. */
import type { PackedDistribution } from "../metrics/distribution.ts";
import type { Total } from "../metrics/moments.ts";
import type { QuantileSteps, Rollup } from "../metrics/rollup.ts";
import type { MetricType } from "../vocabulary.ts";
import type { GroupedSession } from "./grouping.ts";

export type ComparedSeries = {
  session: GroupedSession & { ended_at?: number | null };
  type: MetricType;
  points: number;
  /** Samples of histograms; else points. */
  count: number;
  /** Their sum, in the three parts of core/metrics/moments.ts. */
  sum: number;
  sum_low: number;
  sum_scale: number;
  /** Null of a histogram: the deviation of its samples is not known. */
  deviation: number | null;
  /** Of the series alone; null without values, as of a counter. Left out where they were not read. */
  p50?: number | null;
  p95?: number | null;
  p99?: number | null;
  min: number;
  max: number;
  first: number;
  last: number;
  first_at: number;
  last_at: number;
  /** Of a counter. */
  increase: number;
  /** These three are null if they were not asked for. */
  distribution: PackedDistribution | null;
  rollup: Rollup | null;
  quantile_steps: QuantileSteps | null;
};

/** The sum of a series' values. */
export function totalOf({ sum, sum_low, sum_scale }: ComparedSeries): Total {
  return { sum, low: sum_low, scale: sum_scale };
}
