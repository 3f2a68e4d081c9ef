/**
 * Turns the many metric records of one batch into few ops: gauges, timers and counters become columns; counters and histograms are
 * summed over a second. Nothing is kept between batches, so a batch that is built again is the same.
 */
import { MAX_BUCKETS } from "../../src/core/limits.ts";
import { toFinite } from "../../src/core/metrics/moments.ts";
import { DEFAULT_BUCKETS } from "../../src/core/vocabulary.ts";
import type { Metric, Op, Points } from "../../src/core/wire.ts";
import { OP_BYTES, POINT_BYTES, WINDOW_MS } from "../limits.ts";

type Column = { op: Points; lastAt: number; window: number };
type Histogram = { op: Metric; bounds: number[]; counts: number[]; window: number };

export class Aggregate {
  /** Measurements that were added to a sum or a histogram, so that they have no point of their own. */
  merged = 0;
  readonly #ops: Op[];
  readonly #columns = new Map<string, Column>();
  readonly #histograms = new Map<string, Histogram>();

  /** Appends to `ops`, each op when its first point is added. */
  constructor(ops: Op[]) {
    this.#ops = ops;
  }

  /** Adds one measurement. Returns an estimate of the bytes that this adds to the batch. */
  add(metric: Metric): number {
    switch (metric.type) {
      case "gauge":
      case "timer":
        return metric.value === undefined
          ? this.#unchanged(metric)
          : this.#point(metric, metric.value);
      case "counter":
        // A total replaces the sum of the deltas before it, so its position among them matters.
        if (metric.delta === undefined) return this.#total(metric);
        return this.#delta(metric, metric.delta);
      case "histogram":
        if (metric.bounds !== undefined || metric.value === undefined)
          return this.#unchanged(metric);
        return this.#sample(metric, metric.value);
      default:
        return metric.type satisfies never;
    }
  }

  #point(metric: Metric, value: number): number {
    // A timer's iterations are a column of their own, so points with and without them cannot share one.
    const key = seriesKey(metric, metric.count === undefined ? "" : "#");
    const column = this.#columns.get(key);
    if (!column) return this.#open(key, metric, value, 0);
    const { op } = column;
    op.dt.push(metric.at - column.lastAt);
    op.values.push(value);
    if (metric.count !== undefined) op.counts?.push(metric.count);
    if (metric.metadata !== undefined) op.metadata ??= metric.metadata;
    column.lastAt = metric.at;
    return POINT_BYTES;
  }

  #delta(metric: Metric, delta: number): number {
    const window = Math.floor(metric.at / WINDOW_MS);
    const key = seriesKey(metric);
    const column = this.#columns.get(key);
    if (!column) return this.#open(key, metric, delta, window);
    const { op } = column;
    if (metric.metadata !== undefined) op.metadata ??= metric.metadata;
    if (window === column.window) {
      const last = op.values.length - 1;
      op.values[last] = toFinite((op.values[last] ?? 0) + delta);
      // The sum has the time of its last delta: all of it arose since the sum before, so that the rate of a steady counter is level.
      const later = Math.max(0, metric.at - column.lastAt);
      op.dt[last] = (op.dt[last] ?? 0) + later;
      column.lastAt += later;
      this.merged++;
      return 0;
    }
    op.dt.push(metric.at - column.lastAt);
    op.values.push(delta);
    column.lastAt = metric.at;
    column.window = window;
    return POINT_BYTES;
  }

  #open(key: string, metric: Metric, value: number, window: number): number {
    const { at, type, legacy_type, name, unit, tags, metadata, count } = metric;
    const op: Points = {
      op: "points",
      at,
      type: type === "histogram" ? "gauge" : type, // histograms have no columns
      legacy_type,
      name,
      unit,
      tags,
      metadata,
      dt: [0],
      values: [value],
      counts: type === "timer" && count !== undefined ? [count] : undefined,
    };
    this.#columns.set(key, { op, lastAt: at, window });
    return this.#push(op);
  }

  #total(metric: Metric): number {
    this.#columns.delete(seriesKey(metric));
    return this.#unchanged(metric);
  }

  #sample(metric: Metric, value: number): number {
    const window = Math.floor(metric.at / WINDOW_MS);
    const key = seriesKey(metric, `#${metric.buckets?.join() ?? ""}`);
    const known = this.#histograms.get(key);
    if (known && known.window === window) {
      count(known, value);
      const { op } = known;
      op.sum = toFinite((op.sum ?? 0) + value);
      op.min = Math.min(op.min ?? value, value);
      op.max = Math.max(op.max ?? value, value);
      if (metric.metadata !== undefined) op.metadata ??= metric.metadata;
      this.merged++;
      return 0;
    }
    const bounds = known?.bounds ?? upperBounds(metric.buckets);
    const counts = Array.from({ length: bounds.length + 1 }, () => 0);
    const { buckets: _buckets, value: _value, count: _count, ...series } = metric;
    const op: Metric = { ...series, bounds, counts, sum: value, min: value, max: value };
    const histogram = { op, bounds, counts, window };
    count(histogram, value);
    this.#histograms.set(key, histogram);
    return this.#push(op) + counts.length * 2 * POINT_BYTES;
  }

  #unchanged(metric: Metric): number {
    return this.#push(metric) + 2 * POINT_BYTES;
  }

  #push(op: Metric | Points): number {
    this.#ops.push(op);
    let bytes = OP_BYTES + op.name.length * 2 + POINT_BYTES;
    for (const tag of op.tags ?? []) bytes += tag.length * 2;
    if (op.metadata !== undefined) bytes += JSON.stringify(op.metadata).length * 2;
    return bytes;
  }
}

/** A sample belongs to the first bucket whose bound is not below it. */
function count(histogram: Histogram, value: number): void {
  const { bounds, counts } = histogram;
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value <= (bounds[middle] ?? Infinity)) high = middle;
    else low = middle + 1;
  }
  counts[low] = (counts[low] ?? 0) + 1;
}

function upperBounds(buckets: number[] | undefined): number[] {
  if (buckets === undefined) return [...DEFAULT_BUCKETS];
  return [...new Set(buckets)].toSorted((a, b) => a - b).slice(0, MAX_BUCKETS);
}

/** Computed for every point, so it concatenates as little as possible. The same tags in any order are the same series. */
function seriesKey(metric: Metric, kind = ""): string {
  const { tags } = metric;
  const tagged = tags === undefined || tags.length === 0 ? "" : tagKey(tags);
  return `${metric.legacy_type ?? metric.type}${kind}\n${metric.name}\n${metric.unit ?? ""}\n${tagged}`;
}

function tagKey(tags: string[]): string {
  return tags.length === 1 ? (tags[0] ?? "") : tags.toSorted().join("\n");
}
