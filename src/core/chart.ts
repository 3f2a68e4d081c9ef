/**
 * The buckets of a chart: a range divided into parts of equal width, each with its exact count, min, max, mean, first and
 * last, so that one outlier among a million points is visible. A segment within one bucket is added by its summary, without
 * being opened.
 */
import type { ChartBucket } from "./answers.ts";
import type { SegmentSeries } from "./segment-summary.ts";
import type { ReadColumns } from "./segment.ts";
import { toFinite } from "./series.ts";
import type { MetricType } from "./vocabulary.ts";

/** One point of a chart; of a histogram, the samples of one window. */
type Point = {
  at: number;
  value: number;
  min: number;
  max: number;
  sum: number;
  weight: number;
  count: number;
};

type Cell = {
  count: number;
  weight: number;
  sum: number;
  min: number;
  max: number;
  firstAt: number;
  lastAt: number;
  first: number;
  last: number;
};

export class ChartBuilder {
  readonly from: number;
  readonly to: number;
  readonly #type: MetricType;
  readonly #width: number;
  readonly #cells: (Cell | undefined)[];
  /** Points in the range so far. */
  total = 0;

  /** The range includes both `from` and `to`. */
  constructor(type: MetricType, from: number, to: number, buckets: number) {
    this.#type = type;
    this.from = from;
    this.to = to;
    this.#width = (to - from) / buckets || 1;
    this.#cells = Array.from({ length: buckets }, () => undefined);
  }

  /** Adds a segment by its summary. False if the segment must be opened, because it spans several buckets. */
  addSummary(summary: SegmentSeries): boolean {
    if (summary.to < this.from || summary.from > this.to) return true;
    const index = this.#index(summary.from);
    if (summary.from < this.from || summary.to > this.to || index !== this.#index(summary.to))
      return false;
    this.#add(
      index,
      summary.points,
      summary.samples,
      summary.sum,
      summary.min,
      summary.max,
      summary.from,
      summary.first,
      summary.to,
      summary.last,
    );
    return true;
  }

  addColumns(columns: ReadColumns): void {
    const { at } = columns;
    const [values] = columns.fields;
    for (let i = 0; i < at.length;) {
      const time = at[i] ?? 0;
      if (time < this.from || time > this.to) i++;
      else if (this.#type === "histogram" || !values) this.#addPoint(columns, i++);
      else i = this.#addRun(at, values, i);
    }
  }

  #addPoint(columns: ReadColumns, i: number): void {
    const { at, value, min, max, sum, weight } = pointAt(this.#type, columns, i);
    this.#add(this.#index(at), 1, weight, sum, min, max, at, value, at, value);
  }

  /** Adds the points from `start` on that are in the same bucket, at once, and returns the index after them. */
  #addRun(at: Float64Array, values: Float64Array, start: number): number {
    let firstAt = at[start] ?? 0;
    let first = values[start] ?? 0;
    const index = this.#index(firstAt);
    let [lastAt, last, min, max, sum] = [firstAt, first, first, first, first];
    let i = start + 1;
    for (; i < at.length; i++) {
      const time = at[i] ?? 0;
      if (time < this.from || time > this.to || this.#index(time) !== index) break;
      const value = values[i] ?? 0;
      sum += value;
      if (value < min) min = value;
      if (value > max) max = value;
      if (time < firstAt) {
        firstAt = time;
        first = value;
      }
      if (time >= lastAt) {
        lastAt = time;
        last = value;
      }
    }
    this.#add(index, i - start, i - start, sum, min, max, firstAt, first, lastAt, last);
    return i;
  }

  buckets(): ChartBucket[] {
    return this.#cells.flatMap((cell, index) => {
      if (!cell) return [];
      const { count, min, max, first, last } = cell;
      const from = this.from + index * this.#width;
      return [
        {
          from,
          to: from + this.#width,
          count,
          min,
          max,
          mean: toFinite(cell.sum) / cell.weight,
          first,
          last,
        },
      ];
    });
  }

  #index(at: number): number {
    return Math.min(
      this.#cells.length - 1,
      Math.max(0, Math.floor((at - this.from) / this.#width)),
    );
  }

  #add(
    index: number,
    count: number,
    weight: number,
    sum: number,
    min: number,
    max: number,
    firstAt: number,
    first: number,
    lastAt: number,
    last: number,
  ): void {
    this.total += count;
    const cell = this.#cells[index];
    if (!cell) {
      this.#cells[index] = { count, weight, sum, min, max, firstAt, lastAt, first, last };
      return;
    }
    cell.count += count;
    cell.weight += weight;
    cell.sum += sum;
    if (min < cell.min) cell.min = min;
    if (max > cell.max) cell.max = max;
    if (firstAt < cell.firstAt) [cell.firstAt, cell.first] = [firstAt, first];
    if (lastAt >= cell.lastAt) [cell.lastAt, cell.last] = [lastAt, last];
  }
}

/** The i-th point of stored columns (their fields: series.ts). */
export function pointAt(type: MetricType, { at, fields }: ReadColumns, i: number): Point {
  const time = at[i] ?? 0;
  if (type !== "histogram") {
    const value = fields[0]?.[i] ?? 0;
    return {
      at: time,
      value,
      min: value,
      max: value,
      sum: value,
      weight: 1,
      count: fields[1]?.[i] ?? 0,
    };
  }
  const samples = fields[0]?.[i] ?? 0;
  const sum = fields[1]?.[i] ?? 0;
  return {
    at: time,
    value: sum / samples,
    min: fields[2]?.[i] ?? 0,
    max: fields[3]?.[i] ?? 0,
    sum,
    weight: samples,
    count: samples,
  };
}
