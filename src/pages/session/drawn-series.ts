/** What a chart is drawn from, by charts.js in the browser or as an image (sparkline.ts). */
import type { Chart } from "../../core/answers/metrics.ts";
import { CHART_POINTS } from "../limits.ts";

/**
 * What charts.js draws: a series' readings over the range. A reading is a point, [time, value], or a bucket: [time of its first point, of
 * its last point, value drawn, least, most, last value]. Times are since `from`.
 */
export type DrawnSeries = {
  id: number;
  from: number;
  readings: number[][];
  /** Of a counter: its increase per second, [time since `from`, until, rate]. */
  rates?: number[][];
  /** If they were asked for: [time of the first value since `from`, of the last, p50, p95, p99], and whether all are exact. */
  quantiles?: { readings: number[][]; exact: boolean };
  /** No line joins readings that are farther apart. */
  gap: number | undefined;
  refused: [since: number, count: number][];
};

export function drawnSeriesOf({
  series,
  from,
  to,
  points,
  buckets,
  gap_ms,
  rates,
  refused,
}: Chart): DrawnSeries {
  const isTotal = series.type === "counter";
  const width = (to - from) / Math.max(1, CHART_POINTS);
  return {
    id: series.id,
    from,
    readings: points
      ? points.map(([at, value]) => [at - from, value])
      : (buckets ?? []).map(({ first_at, last_at, mean, last, min, max }) => [
          first_at - from,
          last_at - from,
          isTotal ? last : mean,
          min,
          max,
          last,
        ]),
    // Within a pixel a gap is not visible, but would break the line.
    gap: gap_ms === undefined ? undefined : Math.max(gap_ms, width),
    rates: rates?.map((each) => [each.from - from, each.to - from, each.rate]),
    refused: (refused ?? []).map(([at, count]) => [at - from, count]),
  };
}

export function quantilesOf(chart: Chart | undefined): DrawnSeries["quantiles"] {
  if (!chart) return undefined;
  const known = (chart.buckets ?? []).flatMap(({ first_at, last_at, quantiles }) =>
    quantiles ? [{ since: first_at - chart.from, until: last_at - chart.from, ...quantiles }] : [],
  );
  return {
    readings: known.map(({ since, until, p50, p95, p99 }) => [since, until, p50, p95, p99]),
    exact: known.every(({ exact }) => exact),
  };
}
