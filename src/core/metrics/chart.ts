/**
 * The buckets of a chart: a range divided into parts of equal width, each with its exact count, min, max, mean, first and
 * last, so that one outlier among a million points is visible; if wanted, with quantiles; of a counter, with its rate. A segment within
 * one bucket is added by its summary, without being opened.
 */
import type { ChartBucket, Quantiles, Rate } from "../answers/metrics.ts";
import { Distribution } from "./distribution.ts";
import { addTotal, meanOf, type Total, totalOf } from "./moments.ts";
import { RateBuilder, RiseReader } from "./rate.ts";
import type { SegmentSeries } from "../segments/segment-summary.ts";
import type { ReadColumns } from "../segments/segment-reader.ts";
import { MARKS } from "./columns.ts";
import { TotalBuilder } from "./total.ts";
import type { MetricType } from "../vocabulary.ts";

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

type Part = {
  count: number;
  weight: number;
  total: Total;
  min: number;
  max: number;
  firstAt: number;
  first: number;
  lastAt: number;
  last: number;
};
type Cell = Part & { values?: Distribution };

/** The series, and whether the buckets need quantiles, for which every value is counted. */
type Drawn = {
  type: MetricType;
  /** Of a histogram. */
  bounds?: number[];
  /** Of a counter. */
  fromZero?: boolean;
  quantiles?: boolean;
};

export class ChartBuilder {
  readonly from: number;
  readonly to: number;
  readonly #type: MetricType;
  readonly #bounds: number[];
  readonly #hasQuantiles: boolean;
  readonly #width: number;
  readonly #cells: (Cell | undefined)[];
  /** Of a counter. */
  readonly #rates: RateBuilder | undefined;
  readonly #rises: RiseReader | undefined;
  readonly #totals: TotalBuilder | undefined;
  /** Points in the range so far. */
  total = 0;

  /** The range includes both `from` and `to`. */
  constructor(
    { type, bounds = [], fromZero = false, quantiles = false }: Drawn,
    from: number,
    to: number,
    buckets: number,
  ) {
    this.#type = type;
    this.#bounds = bounds;
    this.#hasQuantiles = quantiles && type !== "counter";
    this.from = from;
    this.to = to;
    this.#width = (to - from) / buckets || 1;
    this.#cells = Array.from({ length: buckets }, () => undefined);
    if (type !== "counter") return;
    const rates = new RateBuilder(from, this.#width, buckets);
    this.#rates = rates;
    this.#rises = new RiseReader(fromZero, (rise) => rates.add(rise));
    this.#totals = new TotalBuilder({ from, to, width: this.#width, parts: buckets });
  }

  /** Adds a segment by its summary. False if the segment must be opened, because it spans several buckets. */
  addSummary(summary: SegmentSeries): boolean {
    const { points, samples, total, min, max, from, first, to, last } = summary;
    const isOutside = to < this.from || from > this.to;
    const index = this.#index(from);
    const isInside = from >= this.from && to <= this.to && index === this.#index(to);
    if (!isInside && !isOutside) return false;
    if (this.#rises) {
      const { increase } = summary;
      if (increase === undefined) return false;
      this.#rises.skip({ ...summary, increase });
      this.#totals?.add(from, first);
      if (points > 1) this.#totals?.add(to, last);
    }
    if (isOutside) return true;
    const part = {
      count: points,
      weight: samples,
      total,
      min,
      max,
      firstAt: from,
      first,
      lastAt: to,
      last,
    };
    this.#add(index, part)?.addSummary(summary);
    return true;
  }

  addColumns(columns: ReadColumns): void {
    const { at } = columns;
    const [values] = columns.fields;
    if (this.#rises && values) readRises(this.#rises, columns, 0, at.length);
    if (this.#totals)
      for (let i = 0; i < at.length; i++) this.#totals.add(at[i] ?? 0, values?.[i] ?? 0);
    for (let i = 0; i < at.length;) {
      const time = at[i] ?? 0;
      if (time < this.from || time > this.to) i++;
      else if (this.#type === "histogram" || !values) this.#addPoint(columns, i++);
      else i = this.#addRun(at, values, i);
    }
  }

  #addPoint(columns: ReadColumns, i: number): void {
    const { at, value, min, max, sum, weight } = pointAt(this.#type, columns, i);
    const total = totalOf([sum]);
    const part = {
      count: 1,
      weight,
      total,
      min,
      max,
      firstAt: at,
      first: value,
      lastAt: at,
      last: value,
    };
    this.#add(this.#index(at), part)?.addPoint(columns, i);
  }

  /** Adds the points from `start` on that are in the same bucket, at once, and returns the index after them. */
  #addRun(at: Float64Array, values: Float64Array, start: number): number {
    let firstAt = at[start] ?? 0;
    let first = values[start] ?? 0;
    const index = this.#index(firstAt);
    let [lastAt, last, min, max] = [firstAt, first, first, first];
    let i = start + 1;
    for (; i < at.length; i++) {
      const time = at[i] ?? 0;
      if (time < this.from || time > this.to || this.#index(time) !== index) break;
      const value = values[i] ?? 0;
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
    const count = i - start;
    const total = totalOf(values, start, i);
    this.#add(index, {
      count,
      weight: count,
      total,
      min,
      max,
      firstAt,
      first,
      lastAt,
      last,
    })?.addValues(values, start, i);
    return i;
  }

  buckets(): ChartBucket[] {
    const rates = this.#allRates();
    const totals = this.#totals?.parts();
    return this.#cells.flatMap((cell, index) => {
      if (!cell) return [];
      const { count, weight, total, firstAt, lastAt, values } = cell;
      const { first, last } = totals?.[index] ?? cell;
      const { min, max } = totals
        ? { min: Math.min(first, last), max: Math.max(first, last) }
        : cell;
      const from = this.from + index * this.#width;
      const mean = meanOf(total, weight);
      return [
        {
          from,
          to: from + this.#width,
          count,
          min,
          max,
          mean,
          first,
          last,
          first_at: firstAt,
          last_at: lastAt,
          ...(rates && { rate: rates.rate(index) }),
          ...(values && { quantiles: values.quantiles() }),
        },
      ];
    });
  }

  /** Sorts points of the range by time; they are in the order in which they were added. */
  inTime(points: [number, number, number?][]): [number, number, number?][] {
    return this.#totals?.points(points) ?? points.sort((a, b) => a[0] - b[0]);
  }

  /** Of all values in the range; null if they are not known. */
  quantiles(): Quantiles | null {
    if (!this.#hasQuantiles) return null;
    const whole = new Distribution(this.#bounds);
    for (const cell of this.#cells) if (cell?.values) whole.merge(cell.values);
    return whole.quantiles();
  }

  /** A counter's rate over the range; null for other types. */
  rates(): Rate[] | null {
    return this.#allRates()?.rates() ?? null;
  }

  #allRates(): RateBuilder | undefined {
    const rates = this.#rates?.copy();
    for (const rise of this.#rises?.pending() ?? []) rates?.add(rise);
    return rates;
  }

  #index(at: number): number {
    return Math.min(
      this.#cells.length - 1,
      Math.max(0, Math.floor((at - this.from) / this.#width)),
    );
  }

  /** Returns where the values are to be counted, if quantiles are wanted. */
  #add(index: number, part: Part): Distribution | undefined {
    this.total += part.count;
    const cell = this.#cells[index];
    if (!cell) {
      const values = this.#hasQuantiles ? new Distribution(this.#bounds) : undefined;
      this.#cells[index] = { ...part, total: { ...part.total }, values };
      return values;
    }
    cell.count += part.count;
    cell.weight += part.weight;
    addTotal(cell.total, part.total);
    if (part.min < cell.min) cell.min = part.min;
    if (part.max > cell.max) cell.max = part.max;
    if (part.firstAt < cell.firstAt) [cell.firstAt, cell.first] = [part.firstAt, part.first];
    if (part.lastAt >= cell.lastAt) [cell.lastAt, cell.last] = [part.lastAt, part.last];
    return cell.values;
  }
}

/** Reads a counter's points from `start` up to `end`. */
export function readRises(
  rises: RiseReader,
  { at, fields }: ReadColumns,
  start: number,
  end: number,
): void {
  const [values] = fields;
  const marks = fields[MARKS];
  for (let i = start; i < end; i++) rises.next(at[i] ?? 0, values?.[i] ?? 0, marks?.[i]);
}

/** The i-th point of stored columns (their fields: columns.ts). */
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
