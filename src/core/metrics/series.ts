/**
 * The series of a session: identity, running totals, and the columns of new points.
 *
 * The columns by type, each as long as the list of times:
 *   gauge      value [, count]
 *   counter    total after it [, count [, marks]]
 *   timer      value [, count]
 *   histogram  samples, sum, min, max, then one count per bound and one above the last (of this window, not cumulative)
 * The column `count` exists only if a point has a count; 0 means none. The column `marks` (rate.ts) exists only if a point is of
 * another lane than the point before, or is a total that was set lower; for other points it is 0.
 */
import type { SeriesSummary } from "../answers/metrics.ts";
import { MAX_BUCKETS, MAX_TIME } from "../limits.ts";
import { isObject } from "../state/merge.ts";
import {
  addTotal,
  addValues,
  meanOf,
  type Moments,
  newMoments,
  sumOf,
  toFinite,
  totalOf,
} from "./moments.ts";
import { increaseOf, LANE_CHANGED, RESET } from "./rate.ts";
import { Refusal } from "../refusal.ts";
import { DEFAULT_BUCKETS, type MetricType } from "../vocabulary.ts";
import type { Json, JsonObject, Metric, Points } from "../wire.ts";

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

/** The column of a histogram's first bucket. */
export const FIRST_BUCKET = 4;
/** The column of a counter's marks. */
export const MARKS = 2;

/** Points of one series in columns. */
export type Columns = {
  at: number[];
  fields: number[][];
  /** The times by the program's own clock, if any differs. */
  recordedAt?: number[];
};

/** Notes the program's own times of the points that were added since there were `before` of them. */
export function noteRecorded(columns: Columns, before: number, offsetMs: number): void {
  if (offsetMs === 0 && !columns.recordedAt) return;
  const recordedAt = (columns.recordedAt ??= columns.at.slice(0, before));
  for (const at of columns.at.slice(recordedAt.length)) recordedAt.push(at + offsetMs);
}

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

/** Adds one metric op of a scalar type. */
export function addScalar(series: Series, columns: Columns, op: Metric): void {
  const value =
    op.type === "counter" && op.delta !== undefined
      ? toFinite(series.last + op.delta)
      : (op.value ?? 0);
  // A decrease by a delta is a correction.
  const isReset =
    op.type === "counter" && op.delta === undefined && series.points > 0 && value < series.last;
  addPoint(series, columns, op.at, value, op.count ?? 0, isReset);
  addValues(series.moments, [value]);
}

/** Adds the points of an op. Throws a Refusal (invalid_body) when its columns differ in length. */
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
    const added = field(columns, 0);
    addValues(series.moments, added, added.length - values.length);
    return checkTimes(series);
  }
  // The most frequent case, points of a known gauge: the same steps without function calls, four times as fast.
  const column = field(columns, 0);
  let { firstAt, first, lastAt, last, min, max } = series;
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
  }
  const points = series.points + values.length;
  Object.assign(series, { points, firstAt, first, lastAt, last, min, max });
  addValues(series.moments, values);
  checkTimes(series);
}

/** Differences may add up to times that no calendar has. */
function checkTimes({ name, firstAt, lastAt }: Series): void {
  if (firstAt < 0 || lastAt > MAX_TIME)
    throw new Refusal(
      "invalid_body",
      `The times of "${name}" are outside of the range that a date can have.`,
    );
}

/** Adds a sample of a histogram, or a window of samples that the sender counted. */
export function addHistogram(series: Series, columns: Columns, op: Metric): void {
  const window = histogramWindow(series, op);
  if (window.samples === 0) return;
  const { samples, sum, min, max, buckets } = window;

  columns.at.push(op.at);
  [samples, sum, min, max, ...buckets].forEach((value, index) => field(columns, index).push(value));

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

/** Adds one point of a scalar type. `value` of a counter is its total. */
export function addPoint(
  series: Series,
  columns: Columns,
  at: number,
  value: number,
  count: number,
  isReset = false,
): void {
  if (isReset) mark(columns, RESET);
  columns.at.push(at);
  field(columns, 0).push(value);
  if (count > 0 || columns.fields.length > 1) {
    const counts = field(columns, 1);
    while (counts.length < columns.at.length - 1) counts.push(0);
    counts.push(count);
  }
  const marks = columns.fields[MARKS];
  while (marks && marks.length < columns.at.length) marks.push(0);
  if (series.points === 0 || value < series.min) series.min = value;
  if (series.points === 0 || value > series.max) series.max = value;
  if (series.type === "counter" && series.points > 0) {
    const increase = increaseOf(series.last, value, isReset);
    series.increase = toFinite((series.increase ?? 0) + increase);
    series.largestStep = Math.max(series.largestStep ?? 0, increase);
  }
  noteTime(series, at, value);
  series.points++;
}

/** Notes which lane the next points of a counter are of, after those that it has in `columns`. */
export function noteLane(series: Series, columns: Columns, lane: number): void {
  if (series.lane !== undefined && series.lane !== lane) mark(columns, LANE_CHANGED);
  series.lane = lane;
}

/** Marks the next point. */
function mark(columns: Columns, added: number): void {
  const { length } = columns.at;
  for (const index of [1, MARKS]) {
    const column = field(columns, index);
    while (column.length < length) column.push(0);
  }
  const marks = field(columns, MARKS);
  marks[length] = (marks[length] ?? 0) + added;
}

function checkCounts(name: string, counts: number[] | undefined): void {
  if (counts && !counts.every((count) => Number.isSafeInteger(count) && count >= 0))
    throw new Refusal("invalid_body", `The counts of "${name}" must be integers of at least 0.`);
}

/** Updates first and last by time. Of equal times, the later arrival is the last. */
function noteTime(series: Series, at: number, value: number): void {
  if (series.points === 0 || at < series.firstAt) {
    series.firstAt = at;
    series.first = value;
  }
  // The last value of a counter is its running total, even after a clock step.
  if (series.points === 0 || at >= series.lastAt || series.type === "counter") {
    series.lastAt = Math.max(at, series.points === 0 ? at : series.lastAt);
    series.last = value;
  }
}

function field(columns: Columns, index: number): number[] {
  return (columns.fields[index] ??= []);
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
