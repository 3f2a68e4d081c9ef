/**
 * The series of a session: who they are, their running totals, and the columns that new points are gathered in.
 *
 * A point's columns by type, each as long as the list of its times:
 *   gauge      value [, count]
 *   counter    total after it [, count]
 *   timer      value [, count]
 *   histogram  samples, sum, min, max, then one count per bound and one above the last (of this window, not cumulative)
 * `count` is there only if any point has one (0: not said).
 */
import type { SeriesSummary } from "./answers.ts";
import { MAX_BUCKETS, MAX_TIME } from "./limits.ts";
import { isObject } from "./merge.ts";
import { Refusal } from "./refusal.ts";
import { DEFAULT_BUCKETS, type MetricType } from "./vocabulary.ts";
import type { Json, JsonObject, Metric, Points } from "./wire.ts";

/** A series as the index of the newest segment keeps it: identity and totals over its whole life. */
export type Series = {
  id: number;
  name: string;
  type: MetricType;
  unit: string;
  tags: string[];
  metadata: JsonObject | null;
  /** Upper bounds of a histogram, ascending; one more bucket above the last. */
  bounds: number[];
  points: number;
  firstAt: number;
  lastAt: number;
  first: number;
  last: number;
  min: number;
  max: number;
  /** Of the values, and of their squares: mean and deviation. Of a histogram: of its samples (squares unknown). */
  sum: number;
  squares: number;
  /** Samples of a histogram; equal to `points` otherwise. */
  samples: number;
  /** Samples per bucket of a histogram. */
  buckets: number[];
  /** Of a counter: the most that one update added, from its second on. */
  largestStep?: number;
};

/** Points of one series in columns. */
export type Columns = { at: number[]; fields: number[][] };

/** What identifies a series within a session. Tags have no order. */
export function seriesKey(
  name: string,
  type: MetricType,
  tags: readonly string[],
  bounds: readonly number[],
): string {
  return JSON.stringify([name, type, [...tags].sort(), ...(type === "histogram" ? [bounds] : [])]);
}

export function keyOf(series: Series): string {
  return seriesKey(series.name, series.type, series.tags, series.bounds);
}

export function newSeries(id: number, op: Metric | Points, bounds: number[]): Series {
  return {
    id,
    name: op.name,
    type: op.type,
    unit: op.unit ?? "",
    tags: [...(op.tags ?? [])].sort(),
    metadata: op.metadata ?? null,
    bounds,
    points: 0,
    firstAt: 0,
    lastAt: 0,
    first: 0,
    last: 0,
    min: 0,
    max: 0,
    sum: 0,
    squares: 0,
    samples: 0,
    buckets: op.type === "histogram" ? Array.from({ length: bounds.length + 1 }, () => 0) : [],
  };
}

/** The bounds that a metric names, in any of the forms there are, or the default ones. Throws invalid_body. */
export function boundsOf(op: Metric): number[] {
  const named = op.bounds ?? op.buckets ?? legacyBounds(op.metadata);
  if (!named) return [...DEFAULT_BUCKETS];
  const bounds = [...new Set(named)].sort((a, b) => a - b);
  const isAscending =
    bounds.length === named.length && bounds.every((bound, index) => bound === named[index]);
  if (op.bounds && !isAscending) {
    throw new Refusal("invalid_body", `The bounds of histogram "${op.name}" must ascend.`);
  }
  return bounds;
}

/** 1.x's `metadata.buckets`: numbers, the strings inf and Infinity for no bound, or `{le, count}` as its daemon sends them. */
function legacyBounds(metadata: JsonObject | undefined): number[] | undefined {
  const buckets = metadata?.["buckets"];
  if (!Array.isArray(buckets) || buckets.length === 0) return undefined;
  if (buckets.length > MAX_BUCKETS + 1)
    throw new Refusal("invalid_body", `A histogram has ${MAX_BUCKETS} buckets at most.`);
  const bounds = buckets.map(legacyBound);
  return bounds.some(Number.isNaN) ? undefined : bounds.filter(Number.isFinite);
}

/** Infinity for no bound, NaN for what is none. */
function legacyBound(bucket: Json): number {
  const bound = isObject(bucket) ? (bucket["le"] ?? Infinity) : bucket;
  if (typeof bound === "string" && /^\+?inf(inity)?$/i.test(bound)) return Infinity;
  return typeof bound === "number" || (typeof bound === "string" && bound.trim() !== "")
    ? Number(bound)
    : NaN;
}

/** Takes in one metric op of a scalar type. */
export function addScalar(series: Series, columns: Columns, op: Metric): void {
  const value =
    op.type === "counter" && op.delta !== undefined
      ? toFinite(series.last + op.delta)
      : (op.value ?? 0);
  addPoint(series, columns, op.at, value, op.count ?? 0);
}

/** Takes in a run of points. Throws invalid_body when its columns differ in length. */
export function addPoints(series: Series, columns: Columns, op: Points): void {
  const { dt, values, counts } = op;
  if (dt.length !== values.length || (counts && counts.length !== values.length)) {
    throw new Refusal(
      "invalid_body",
      `The columns of "${op.name}" differ in length: ${dt.length} times, ${values.length} values.`,
    );
  }
  checkCounts(op.name, counts);
  let at = op.at;
  if (counts || columns.fields.length > 1 || op.type === "counter" || series.points === 0) {
    for (let i = 0; i < values.length; i++) {
      at += dt[i] ?? 0;
      const value = values[i] ?? 0;
      addPoint(
        series,
        columns,
        at,
        op.type === "counter" ? toFinite(series.last + value) : value,
        counts?.[i] ?? 0,
      );
    }
    return checkTimes(series);
  }
  // The same for the most frequent case, a run of a known gauge: four times as fast.
  const column = field(columns, 0);
  let { firstAt, first, lastAt, last, min, max, sum, squares } = series;
  for (let i = 0; i < values.length; i++) {
    at += dt[i] ?? 0;
    const value = values[i] ?? 0;
    columns.at.push(at);
    column.push(value);
    if (value < min) min = value;
    if (value > max) max = value;
    if (at < firstAt) [firstAt, first] = [at, value];
    if (at >= lastAt) {
      lastAt = at;
      last = value;
    }
    sum += value;
    squares += value * value;
  }
  const points = series.points + values.length;
  const samples = series.samples + values.length;
  sum = toFinite(sum);
  squares = toFinite(squares);
  Object.assign(series, { points, samples, firstAt, first, lastAt, last, min, max, sum, squares });
  checkTimes(series);
}

/** Differences may add up to times that no calendar has. */
function checkTimes({ name, firstAt, lastAt }: Series): void {
  if (firstAt < 0 || lastAt > MAX_TIME)
    throw new Refusal("invalid_body", `Points of "${name}" lie outside of time.`);
}

/** Takes in a sample of a histogram, or a window of samples that was counted before it came here. */
export function addHistogram(series: Series, columns: Columns, op: Metric): void {
  const window = histogramWindow(series, op);
  if (window.samples === 0) return;
  const { samples, sum, min, max, buckets } = window;

  columns.at.push(op.at);
  [samples, sum, min, max, ...buckets].forEach((value, index) => field(columns, index).push(value));

  const mean = sum / samples;
  noteTime(series, op.at, mean);
  series.min = series.samples === 0 ? min : Math.min(series.min, min);
  series.max = series.samples === 0 ? max : Math.max(series.max, max);
  series.points++;
  series.samples += samples;
  series.sum = toFinite(series.sum + sum);
  buckets.forEach((count, index) => (series.buckets[index] = (series.buckets[index] ?? 0) + count));
}

type Window = { samples: number; sum: number; min: number; max: number; buckets: number[] };

function histogramWindow(series: Series, op: Metric): Window {
  const value = op.value ?? 0;
  if (op.counts) {
    if (op.counts.length !== series.bounds.length + 1) {
      throw new Refusal(
        "invalid_body",
        `Histogram "${op.name}" has ${series.bounds.length} bounds and needs one count more than that.`,
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

/** 1.x's daemon sends running totals again and again: the window is what came in addition (after a restart, all of it). */
function legacyCounts(series: Series, op: Metric): Window | undefined {
  const buckets = op.metadata?.["buckets"];
  if (
    !Array.isArray(buckets) ||
    !buckets.every((bucket) => isObject(bucket) && typeof bucket["count"] === "number")
  )
    return undefined;
  const totals = series.buckets.map(() => 0);
  for (const bucket of buckets) {
    if (!isObject(bucket)) continue;
    const bound = legacyBound(bucket);
    const at = Number.isFinite(bound) ? series.bounds.indexOf(bound) : series.bounds.length;
    if (at >= 0) totals[at] = (totals[at] ?? 0) + Number(bucket["count"]);
  }
  const restarted = totals.some((total, index) => total < (series.buckets[index] ?? 0));
  const counts = restarted
    ? totals
    : totals.map((total, index) => total - (series.buckets[index] ?? 0));
  const samples = counts.reduce((total, count) => total + count, 0);
  const said = op.metadata?.["sum"];
  const total =
    typeof said === "number" ? said : (op.value ?? 0) * totals.reduce((a, b) => a + b, 0);
  const sum = restarted ? total : total - series.sum;
  const mean = samples > 0 ? sum / samples : 0;
  return { samples, sum, min: mean, max: mean, buckets: counts };
}

function addPoint(
  series: Series,
  columns: Columns,
  at: number,
  value: number,
  count: number,
): void {
  columns.at.push(at);
  field(columns, 0).push(value);
  if (count > 0 || columns.fields.length > 1) {
    const counts = field(columns, 1);
    while (counts.length < columns.at.length - 1) counts.push(0);
    counts.push(count);
  }
  if (series.points === 0 || value < series.min) series.min = value;
  if (series.points === 0 || value > series.max) series.max = value;
  if (series.type === "counter" && series.points > 0)
    series.largestStep = Math.max(series.largestStep ?? 0, value - series.last);
  noteTime(series, at, value);
  series.points++;
  series.samples++;
  series.sum = toFinite(series.sum + value);
  series.squares = toFinite(series.squares + value * value);
}

function checkCounts(name: string, counts: number[] | undefined): void {
  if (counts && !counts.every((count) => Number.isSafeInteger(count) && count >= 0))
    throw new Refusal("invalid_body", `The counts of "${name}" must be whole numbers from 0 on.`);
}

/** JSON has no infinity: sums stop at the last number there is. */
export function toFinite(sum: number): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, sum)) || 0; // not a number: ∞ − ∞
}

/** First and last by time; of equal times, the one that came later is the last. */
function noteTime(series: Series, at: number, value: number): void {
  if (series.points === 0 || at < series.firstAt) {
    series.firstAt = at;
    series.first = value;
  }
  // A counter's last is its running total, whatever the clock did.
  if (series.points === 0 || at >= series.lastAt || series.type === "counter") {
    series.lastAt = Math.max(at, series.points === 0 ? at : series.lastAt);
    series.last = value;
  }
}

function field(columns: Columns, index: number): number[] {
  return (columns.fields[index] ??= []);
}

/** Everything but the quantiles, which need a sketch. */
export function summarise(series: Series): Omit<SeriesSummary, "quantiles"> {
  const { points, samples, sum, squares } = series;
  const mean = samples > 0 ? sum / samples : 0;
  const seconds = (series.lastAt - series.firstAt) / 1_000;
  return {
    id: series.id,
    name: series.name,
    type: series.type,
    unit: series.unit,
    tags: series.tags,
    metadata: series.metadata,
    points,
    first_at: series.firstAt,
    last_at: series.lastAt,
    first: series.first,
    last: series.last,
    min: series.min,
    max: series.max,
    mean,
    stddev: series.type === "histogram" ? null : deviation(points, mean, squares),
    sum,
    ...(series.largestStep !== undefined && { largest_step: series.largestStep }),
    ...(series.type === "counter" &&
      seconds > 0 && { rate: (series.last - series.first) / seconds }),
    ...(series.type === "histogram" && {
      buckets: series.buckets.map((count, index) => ({ le: series.bounds[index] ?? null, count })),
    }),
  };
}

/** How few digits of the squares may be left of their difference before it is nothing but rounding. */
const NOISE = 1e-12;

/** The standard deviation of so many values, by the sum of their squares. Values that hardly differ come out as not differing. */
export function deviation(count: number, mean: number, squares: number): number {
  const square = squares / Math.max(1, count);
  const spread = square - mean * mean;
  return spread > square * NOISE ? Math.sqrt(spread) : 0;
}
