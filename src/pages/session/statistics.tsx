/** The statistics of a series: one line, the figures, and a histogram's buckets. */
import { nameLabel, plainJson } from "../../core/text/recorded-text.ts";
import type { SeriesSummary } from "../../core/answers/metrics.ts";
import { formatCount, formatNumber, formatQuantity } from "../../core/text/format.ts";
import { markQuantile } from "../../core/vocabulary.ts";
import { endStep } from "../../core/text/scale.ts";
import { Property } from "../ui/property.tsx";

/** A series in one line, and its last value, which charts.js shows when the cursor is outside the range. */
export function Brief({ series }: { series: SeriesSummary }) {
  const { id, type, points, mean, max, last } = series;
  const unit = unitOf(series);
  const step = endStep(series.min, max, unit);
  return (
    <span id={`brief-${id}`} class="brief" data-last={last}>
      {type === "counter"
        ? [
            type,
            formatCount(points, "update"),
            `total ${formatQuantity(last, unit, step)}`,
            rateOf(series),
          ]
            .filter(Boolean)
            .join(" · ")
        : `${type} · ${formatCount(points, "point")} · mean ${formatQuantity(mean, unit, step)} · max ${formatQuantity(max, unit, step)}`}
    </span>
  );
}

function rateOf(series: SeriesSummary): string | undefined {
  return series.rate === undefined ? undefined : `${formatQuantity(series.rate, unitOf(series))}/s`;
}

export function unitOf({ unit }: SeriesSummary): string {
  return nameLabel(unit, "");
}

type Statistic = [label: string, value: string | undefined];

export function Statistics({ series }: { series: SeriesSummary }) {
  const statistics =
    series.type === "counter" ? counterStatistics(series) : valueStatistics(series);
  return (
    <div id={`statistics-${series.id}`} class="statistics-body">
      <dl class="readings">
        {statistics.map(([label, value]) =>
          value === undefined ? null : <Property label={label}>{value}</Property>,
        )}
      </dl>
      {series.buckets ? <Buckets buckets={series.buckets} unit={unitOf(series)} /> : null}
      {series.metadata ? <p class="quiet">{plainJson(series.metadata)}</p> : null}
    </div>
  );
}

/** The statistics of a counter: the mean, deviation and sum of a running total have no meaning. */
function counterStatistics(series: SeriesSummary): Statistic[] {
  const { first, last, points, largest_step } = series;
  const unit = unitOf(series);
  const step = endStep(first, last, unit);
  return [
    ["total", formatQuantity(last, unit, step)],
    ["updates", formatNumber(points)],
    ["rate", rateOf(series)],
    ["largest step", largest_step === undefined ? undefined : formatQuantity(largest_step, unit)],
    ["first total", formatQuantity(first, unit, step)],
  ];
}

function valueStatistics(series: SeriesSummary): Statistic[] {
  const { quantiles } = series;
  const unit = unitOf(series);
  const step = endStep(series.min, series.max, unit);
  const format = (value: number | null | undefined) =>
    value === null || value === undefined ? undefined : formatQuantity(value, unit, step);
  const quantile = (value: number | undefined) => {
    const text = format(value);
    return text !== undefined && quantiles ? markQuantile(text, quantiles) : text;
  };
  return [
    ["mean", format(series.mean)],
    ["min", format(series.min)],
    ["max", format(series.max)],
    ["median", quantile(quantiles?.p50)],
    ["p95", quantile(quantiles?.p95)],
    ["p99", quantile(quantiles?.p99)],
    ["std deviation", series.stddev === null ? undefined : formatQuantity(series.stddev, unit)],
    ["first", format(series.first)],
    ["last", format(series.last)],
    ["sum", series.type === "gauge" ? undefined : format(series.sum)],
  ];
}

/** The current statistics of these series, as partial swaps. */
export function FreshStatistics({ all }: { all: SeriesSummary[] }) {
  return (
    <>
      {all.map((series) => (
        <>
          <hx-partial hx-target={`#brief-${series.id}`} hx-swap="outerMorph">
            <Brief series={series} />
          </hx-partial>
          <hx-partial hx-target={`#statistics-${series.id}`} hx-swap="outerMorph">
            <Statistics series={series} />
          </hx-partial>
        </>
      ))}
    </>
  );
}

/** A histogram's buckets as bars with their shares. */
function Buckets({
  buckets,
  unit,
}: {
  buckets: { le: number | null; count: number }[];
  unit: string;
}) {
  const all = buckets.reduce((sum, { count }) => sum + count, 0);
  const first = Math.max(0, buckets.findIndex(({ count }) => count > 0) - 1);
  const last = buckets.findLastIndex(({ count }) => count > 0) + 1;
  const most = Math.max(1, ...buckets.map(({ count }) => count));
  return (
    <table class="buckets">
      <caption class="label">{formatCount(all, "sample")} by size</caption>
      <tbody>
        {/* With one empty bucket on each side, which shows where the values end. */}
        {buckets.slice(first, last + 1).map(({ le, count }, index) => (
          <tr>
            <th scope="row">
              {le === null
                ? `over ${formatQuantity(buckets[first + index - 1]?.le ?? 0, unit)}`
                : `≤ ${formatQuantity(le, unit)}`}
            </th>
            <td>
              <svg width="100%" height="10" aria-hidden="true">
                <rect class="bars" width={`${(count / most) * 100}%`} height="10" />
              </svg>
            </td>
            <td class="number">{formatNumber(count)}</td>
            <td class="number">{all === 0 ? "0" : ((count / all) * 100).toFixed(1)} %</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
