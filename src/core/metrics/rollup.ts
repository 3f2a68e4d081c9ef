/**
 * The rollup of a series: its overview in at most 120 buckets, whose width doubles as the session gets longer, a counter's increase in
 * each, and how its values are distributed over time. The order in which a gauge's points are added does not matter.
 */
import type { Quantiles } from "../answers/metrics.ts";
import { pointAt, readRises } from "./chart.ts";
import { Distribution, type PackedDistribution } from "./distribution.ts";
import {
  FIRST_ROLLUP_STEP_MS,
  MAX_EXACT_VALUES,
  MAX_PACKED_VALUES,
  MAX_QUANTILE_STEPS,
  MAX_QUANTILE_STEPS_LENGTH,
  MAX_ROLLUP_BUCKETS,
} from "../limits.ts";
import { addTotal, newTotal, sumOf, toFinite, type Total, totalOf } from "./moments.ts";
import { type Rise, RiseReader } from "./rate.ts";
import type { SegmentSeries } from "../segments/segment-summary.ts";
import type { ReadColumns } from "../segments/segment-reader.ts";
import type { MetricType } from "../vocabulary.ts";

/** The lists have equal length. A bucket without points has count and sum 0, min and max null. */
export type Rollup = {
  from: number;
  step_ms: number;
  count: number[];
  /** In units of 1 / `scale`: sums of the largest doubles would overflow. */
  sum: number[];
  scale?: number;
  min: (number | null)[];
  max: (number | null)[];
  /** Of a counter: how much it increased in the time of each bucket. */
  increase?: number[];
};

/** How the values of a series are distributed over time: the first step begins at `first` × `step_ms`. */
export type QuantileSteps = {
  step_ms: number;
  first: number;
  steps: (PackedDistribution | null)[];
};

type Bucket = {
  count: number;
  total: Total;
  min: number | null;
  max: number | null;
  increase: number;
};

/** What matters of a series: the bounds of a histogram; whether a counter began at 0. */
type Rolled = { type: MetricType; bounds?: number[]; fromZero?: boolean };

/** What is known of a series before its points are added: the range of their times, and how many there are. */
type Expected = { from: number; to: number; points: number };

export class RollupBuilder {
  readonly #type: MetricType;
  readonly #bounds: number[];
  readonly #expected: number | undefined;
  #from = 0;
  #step = FIRST_ROLLUP_STEP_MS;
  #buckets: Bucket[] = [];
  readonly #rises: RiseReader;
  /** The values with their times, while there are few: their quantiles are exact. Null afterwards. */
  #few: { at: number[]; values: number[] } | null = { at: [], values: [] };
  /** Distributions by the number of their step, each as wide as STEP_BUCKETS buckets. */
  #steps = new Map<number, Distribution>();

  /** With `expected`, the rollup has its final width from the start. */
  constructor({ type, bounds = [], fromZero = false }: Rolled, expected?: Expected) {
    this.#type = type;
    this.#bounds = bounds;
    this.#rises = new RiseReader(fromZero, (rise) =>
      this.#spreadRise(rise, (bucket, share) => {
        bucket.increase = toFinite(bucket.increase + share);
      }),
    );
    this.#expected = expected?.points;
    if (expected) for (const at of [expected.from, expected.to]) this.#bucket(at);
    if (type === "histogram" || type === "counter") this.#few = null;
  }

  get rollup(): Rollup | null {
    if (this.#buckets.length === 0) return null;
    const scale = this.#buckets.reduce((least, { total }) => Math.min(least, total.scale), 1);
    return {
      from: this.#from,
      step_ms: this.#step,
      count: this.#buckets.map(({ count }) => count),
      sum: this.#buckets.map(({ total }) => sumOf({ ...scaled(total, scale), scale: 1 })),
      scale: scale === 1 ? undefined : scale,
      min: this.#buckets.map(({ min }) => min),
      max: this.#buckets.map(({ max }) => max),
      increase: this.#type === "counter" ? this.#increases() : undefined,
    };
  }

  #increases(): number[] {
    const increases = this.#buckets.map(({ increase }) => increase);
    for (const rise of this.#rises.pending())
      this.#spreadRise(rise, (_, share, index) => {
        increases[index] = toFinite((increases[index] ?? 0) + share);
      });
    return increases;
  }

  add(columns: ReadColumns): void {
    const { at, fields } = columns;
    const [values] = fields;
    for (let i = 0; i < at.length;) {
      if (this.#type === "histogram" || !values) this.#addPoint(columns, i++);
      else i = this.#addRun(columns, values, i);
    }
  }

  #addPoint(columns: ReadColumns, i: number): void {
    const { at, sum, min, max, weight } = pointAt(this.#type, columns, i);
    this.#add(this.#bucket(at), totalOf([sum]), min, max, weight);
    this.#distribution(at).addPoint(columns, i);
  }

  /** Adds the points from `start` on that are in the same bucket, at once, and returns the index after them. */
  #addRun(columns: ReadColumns, values: Float64Array, start: number): number {
    const { at } = columns;
    const time = at[start] ?? 0;
    const index = this.#bucket(time);
    const from = this.#from + index * this.#step;
    let [min, max] = [Infinity, -Infinity];
    let i = start;
    for (; i < at.length; i++) {
      const next = at[i] ?? 0;
      if (next < from || next >= from + this.#step) break;
      const value = values[i] ?? 0;
      if (value < min) min = value;
      if (value > max) max = value;
    }
    this.#add(index, totalOf(values, start, i), min, max, i - start);
    if (this.#type === "counter") readRises(this.#rises, columns, start, i);
    else this.#addValues(time, values, start, i);
    return i;
  }

  /** Adds values of one bucket. */
  #addValues(time: number, values: ArrayLike<number>, start: number, end: number): void {
    if (this.#few && this.#few.at.length + end - start > MAX_EXACT_VALUES) this.#spread();
    if (!this.#few) return this.#distribution(time).addValues(values, start, end);
    for (let i = start; i < end; i++) {
      this.#few.at.push(time);
      this.#few.values.push(values[i] ?? 0);
    }
  }

  /** Adds a segment by its summary. False if its points are in several buckets, or few, so that it must be opened. */
  addSummary(summary: SegmentSeries): boolean {
    const { from, to, min, max, total, samples, sketch, increase } = summary;
    for (const at of [from, to]) this.#bucket(at); // may widen the rollup
    const index = this.#bucket(from);
    if (index !== this.#bucket(to)) return false;
    if (this.#type === "counter") {
      if (increase === undefined) return false;
      this.#rises.skip({ ...summary, increase });
    } else if (Array.isArray(sketch)) this.#addValues(from, sketch, 0, sketch.length);
    else if (sketch && this.#few && (this.#expected ?? 0) <= MAX_EXACT_VALUES) return false;
    else {
      this.#spread();
      this.#distribution(from).addSummary(summary);
    }
    this.#add(index, total, min, max, samples);
    return true;
  }

  /** From now on values are only counted. */
  #spread(): void {
    this.#steps = this.#distributions();
    this.#few = null;
  }

  /** The bucket of a time. Widens or extends the rollup if necessary. */
  #bucket(at: number): number {
    // Buckets start at multiples of their width, so that two neighbours merge into one.
    if (this.#buckets.length === 0) this.#from = floorTo(at, this.#step);
    while (at < this.#from || at >= this.#from + MAX_ROLLUP_BUCKETS * this.#step) {
      const missing = (this.#from - floorTo(at, this.#step)) / this.#step;
      if (missing > 0 && missing + this.#buckets.length <= MAX_ROLLUP_BUCKETS) {
        this.#buckets.unshift(...Array.from({ length: missing }, newBucket));
        this.#from -= missing * this.#step;
      } else this.#halve();
    }
    const index = Math.floor((at - this.#from) / this.#step);
    while (this.#buckets.length <= index) this.#buckets.push(newBucket());
    return index;
  }

  /** Doubles the width, which halves the number of buckets. */
  #halve(): void {
    const step = this.#step * 2;
    const from = floorTo(this.#from, step);
    const wide: Bucket[] = [];
    this.#buckets.forEach((bucket, i) => {
      const index = Math.floor((this.#from + i * this.#step - from) / step);
      const there = wide[index];
      if (!there) {
        wide[index] = bucket;
        return;
      }
      there.count += bucket.count;
      addTotal(there.total, bucket.total);
      there.min = either(Math.min, there.min, bucket.min);
      there.max = either(Math.max, there.max, bucket.max);
      there.increase = toFinite(there.increase + bucket.increase);
    });
    this.#from = from;
    this.#step = step;
    this.#buckets = wide;
    this.#steps = merged(this.#steps);
  }

  #add(index: number, total: Total, min: number, max: number, weight: number): void {
    const bucket = this.#buckets[index];
    if (!bucket) return;
    bucket.count += weight;
    addTotal(bucket.total, total);
    bucket.min = either(Math.min, bucket.min, min);
    bucket.max = either(Math.max, bucket.max, max);
  }

  /** Spreads an increase evenly over the buckets of the time in which it arose. */
  #spreadRise(
    { since, at, increase }: Rise,
    add: (bucket: Bucket, share: number, index: number) => void,
  ): void {
    const high = this.#bucket(at);
    const low = Math.max(0, Math.floor((since - this.#from) / this.#step));
    for (let index = low; index <= high; index++) {
      const bucket = this.#buckets[index];
      if (!bucket) continue;
      const start = Math.max(since, this.#from + index * this.#step);
      const end = Math.min(at, this.#from + (index + 1) * this.#step);
      const share = at > since ? (end - start) / (at - since) : 1;
      add(bucket, increase * share, index);
    }
  }

  #distribution(at: number): Distribution {
    return distributionAt(this.#steps, Math.floor(at / (this.#step * STEP_BUCKETS)), this.#bounds);
  }

  /** The distribution of each step. */
  #distributions(): Map<number, Distribution> {
    if (!this.#few) return this.#steps;
    const { at, values } = this.#few;
    const steps = new Map<number, Distribution>();
    values.forEach((value, i) => {
      const step = Math.floor((at[i] ?? 0) / (this.#step * STEP_BUCKETS));
      distributionAt(steps, step, this.#bounds).addValues([value]);
    });
    return steps;
  }

  /** How all values are distributed. A counter has none: its values are totals. */
  distribution(): Distribution {
    const whole = new Distribution(this.#bounds);
    if (this.#few) whole.addValues(this.#few.values);
    else for (const step of this.#steps.values()) whole.merge(step);
    return whole;
  }

  quantiles(): Quantiles | null {
    return this.distribution().quantiles();
  }

  /** The distributions over time; null if there are none. The steps are as wide as necessary for the limit of their length. */
  quantileSteps(): QuantileSteps | null {
    let steps = this.#distributions();
    if (steps.size === 0) return null;
    for (let step_ms = this.#step * STEP_BUCKETS; ; step_ms *= 2) {
      const numbers = [...steps.keys()];
      const first = numbers.reduce((least, each) => Math.min(least, each), Infinity);
      const last = numbers.reduce((most, each) => Math.max(most, each), -Infinity);
      const packed = Array.from(
        { length: last - first + 1 },
        (_, i) => steps.get(first + i)?.pack() ?? null,
      );
      const isShort = JSON.stringify(packed).length <= MAX_QUANTILE_STEPS_LENGTH;
      if (isShort || packed.length === 1) return { step_ms, first, steps: packed };
      steps = merged(steps);
    }
  }
}

/** Buckets of one step of distributions. */
const STEP_BUCKETS = MAX_ROLLUP_BUCKETS / MAX_QUANTILE_STEPS;

function distributionAt(
  steps: Map<number, Distribution>,
  step: number,
  bounds: number[],
): Distribution {
  let there = steps.get(step);
  if (!there) steps.set(step, (there = new Distribution(bounds, MAX_PACKED_VALUES)));
  return there;
}

/** Steps of twice the width. */
function merged(steps: Map<number, Distribution>): Map<number, Distribution> {
  const wide = new Map<number, Distribution>();
  for (const [step, distribution] of steps) {
    const there = wide.get(Math.floor(step / 2));
    if (there) there.merge(distribution);
    else wide.set(Math.floor(step / 2), distribution.copy());
  }
  return wide;
}

function newBucket(): Bucket {
  return { count: 0, total: newTotal(), min: null, max: null, increase: 0 };
}

function scaled(total: Total, scale: number): Total {
  const whole = { sum: 0, low: 0, scale };
  addTotal(whole, total);
  return whole;
}

function either(
  choose: (a: number, b: number) => number,
  a: number | null,
  b: number | null,
): number | null {
  if (a === null) return b;
  return b === null ? a : choose(a, b);
}

function floorTo(at: number, step: number): number {
  return Math.floor(at / step) * step;
}
