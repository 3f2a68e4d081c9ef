/**
 * Adds a histogram's samples to its columns and to the totals of its series. Bounds and counts have three notations: that of the wire
 * format, and those of 1.x's clients and of its daemon.
 */
import { MAX_BUCKETS } from "../limits.ts";
import { type Columns, columnOf } from "./columns.ts";
import { addTotal, sumOf, totalOf } from "./moments.ts";
import { checkCounts, noteTime } from "./points.ts";
import type { Series } from "./series.ts";
import { Refusal } from "../refusal.ts";
import { isObject } from "../state/merge.ts";
import { DEFAULT_BUCKETS } from "../vocabulary.ts";
import type { Json, JsonObject, Metric } from "../wire.ts";

/** The bounds of a histogram op in any of its notations, or the default ones. Throws a Refusal: invalid_body. */
export function boundsOf(op: Metric): number[] {
  const named = op.bounds ?? op.buckets ?? legacyBounds(op.metadata);
  if (!named) return [...DEFAULT_BUCKETS];
  const bounds = [...new Set(named)].sort((a, b) => a - b);
  const isAscending =
    bounds.length === named.length && bounds.every((bound, index) => bound === named[index]);
  if (op.bounds && !isAscending) {
    throw new Refusal(
      "invalid_body",
      `The bounds of histogram "${op.name}" must be in ascending order.`,
    );
  }
  return bounds;
}

/** The bounds in 1.x's `metadata.buckets`: numbers, the strings inf and Infinity (unbounded), or `{le, count}` from its daemon. */
function legacyBounds(metadata: JsonObject | undefined): number[] | undefined {
  const buckets = metadata?.["buckets"];
  if (!Array.isArray(buckets) || buckets.length === 0) return undefined;
  if (buckets.length > MAX_BUCKETS + 1)
    throw new Refusal("invalid_body", `A histogram has at most ${MAX_BUCKETS} buckets.`);
  const bounds = buckets.map(legacyBound);
  return bounds.some(Number.isNaN) ? undefined : bounds.filter(Number.isFinite);
}

/** Infinity if unbounded, NaN if it is not a bound. */
function legacyBound(bucket: Json): number {
  const bound = isObject(bucket) ? (bucket["le"] ?? Infinity) : bucket;
  if (typeof bound === "string" && /^\+?inf(inity)?$/i.test(bound)) return Infinity;
  return typeof bound === "number" || (typeof bound === "string" && bound.trim() !== "")
    ? Number(bound)
    : NaN;
}

/** Adds a sample of a histogram, or a window of samples that the sender counted. */
export function addHistogram(series: Series, columns: Columns, op: Metric): void {
  const window = histogramWindow(series, op);
  if (window.samples === 0) return;
  const { samples, sum, min, max, buckets } = window;

  columns.at.push(op.at);
  [samples, sum, min, max, ...buckets].forEach((value, index) =>
    columnOf(columns, index).push(value),
  );

  const mean = sum / samples;
  noteTime(series, op.at, mean);
  series.min = series.points === 0 ? min : Math.min(series.min, min);
  series.max = series.points === 0 ? max : Math.max(series.max, max);
  series.points++;
  series.moments.count += samples;
  addTotal(series.moments, totalOf([sum]));
  buckets.forEach((count, index) => (series.buckets[index] = (series.buckets[index] ?? 0) + count));
}

type Window = { samples: number; sum: number; min: number; max: number; buckets: number[] };

function histogramWindow(series: Series, op: Metric): Window {
  const value = op.value ?? 0;
  if (op.counts) {
    if (op.counts.length !== series.bounds.length + 1) {
      throw new Refusal(
        "invalid_body",
        `Histogram "${op.name}" has ${series.bounds.length} bounds, so it needs ${series.bounds.length + 1} counts.`,
      );
    }
    checkCounts(op.name, op.counts);
    const samples = op.counts.reduce((total, count) => total + count, 0);
    const sum = op.sum ?? 0;
    const mean = samples > 0 ? sum / samples : 0;
    return { samples, sum, min: op.min ?? mean, max: op.max ?? mean, buckets: op.counts };
  }
  const cumulative = legacyCounts(series, op);
  if (cumulative) return cumulative;
  const at = series.bounds.findIndex((bound) => value <= bound);
  const buckets = series.buckets.map((_, index) =>
    index === (at < 0 ? series.bounds.length : at) ? 1 : 0,
  );
  return { samples: 1, sum: value, min: value, max: value, buckets };
}

/** 1.x's daemon sends running totals. The window is their increase; after a restart of the daemon, the totals themselves. */
function legacyCounts(series: Series, op: Metric): Window | undefined {
  const buckets = legacyTotals(op.metadata);
  if (!buckets) return undefined;
  const totals = series.buckets.map(() => 0);
  for (const bucket of buckets) {
    const bound = legacyBound(bucket);
    const at = Number.isFinite(bound) ? series.bounds.indexOf(bound) : series.bounds.length;
    if (at >= 0) totals[at] = (totals[at] ?? 0) + Number(bucket["count"]);
  }
  const restarted = totals.some((total, index) => total < (series.buckets[index] ?? 0));
  const counts = restarted
    ? totals
    : totals.map((total, index) => total - (series.buckets[index] ?? 0));
  const samples = counts.reduce((total, count) => total + count, 0);
  const legacySum = op.metadata?.["sum"];
  const total =
    typeof legacySum === "number" ? legacySum : (op.value ?? 0) * totals.reduce((a, b) => a + b, 0);
  const sum = restarted ? total : total - sumOf(series.moments);
  const mean = samples > 0 ? sum / samples : 0;
  return { samples, sum, min: mean, max: mean, buckets: counts };
}

/** The buckets with their counts that 1.x's daemon sends. Undefined: the metric is a single sample. */
export function legacyTotals(metadata: JsonObject | undefined): JsonObject[] | undefined {
  const buckets = metadata?.["buckets"];
  if (!Array.isArray(buckets) || buckets.length === 0) return undefined;
  const counted = buckets.filter(isObject).filter(({ count }) => typeof count === "number");
  return counted.length === buckets.length ? counted : undefined;
}
