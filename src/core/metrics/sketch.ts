/**
 * Quantiles of values, of the kind that interpolates linearly between the two nearest ranks (R-7, numpy's default). They are exact for few
 * values, which are kept, and within 1 % of the value at that rank for any number: then a sketch counts the values by their logarithm
 * (DDSketch: Masson, Rim, Lee, "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees", VLDB 2019).
 *
 * The one library for JavaScript, @datadog/sketches-js, merges without the negative values, collapses the lowest bins, which breaks the 1 %,
 * and answers the lower of two ranks. It needs protobufjs to load, and had no release since December 2024.
 */
import {
  MAX_EXACT_VALUES,
  MAX_PACKED_VALUES,
  MAX_SKETCH_BINS,
  SKETCH_ACCURACY,
} from "../limits.ts";

const LOG_GAMMA = Math.log((1 + SKETCH_ACCURACY) / (1 - SKETCH_ACCURACY));

/** A range of values and how many are in it: `value` is within the sketch's accuracy of each. */
type Bin = { low: number; value: number; high: number; count: number };

export class Sketch {
  count = 0;
  min = Infinity;
  max = -Infinity;
  /** All values, while there are at most `limit`; null afterwards. */
  #values: number[] | null = [];
  readonly #limit: number;
  #zeros = 0;
  /** How many values each bin has, by sign and key: bin k holds the sizes above γ^(k-1), up to γ^k. */
  readonly #positive = new Map<number, number>();
  readonly #negative = new Map<number, number>();
  /** How often the bins were made twice as wide, because there were too many. */
  #widened = 0;

  /** Keeps at most `limit` values themselves. */
  constructor(limit = MAX_EXACT_VALUES) {
    this.#limit = limit;
  }

  /** Whether quantiles are exact. */
  get isExact(): boolean {
    return this.#values !== null;
  }

  /** The greatest relative error of a quantile. It exceeds SKETCH_ACCURACY once bins were widened. */
  get accuracy(): number {
    return this.isExact ? 0 : Math.tanh((LOG_GAMMA * 2 ** this.#widened) / 2); // (γ-1) / (γ+1)
  }

  add(value: number): void {
    this.count++;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    if (this.#values && this.#values.length < this.#limit) this.#values.push(value);
    else this.#count(value);
  }

  #count(value: number): void {
    this.#toBins();
    if (value === 0) {
      this.#zeros++;
      return;
    }
    const bins = value > 0 ? this.#positive : this.#negative;
    const key = Math.ceil(Math.log(Math.abs(value)) / (LOG_GAMMA * 2 ** this.#widened));
    bins.set(key, (bins.get(key) ?? 0) + 1);
    if (this.#positive.size + this.#negative.size > MAX_SKETCH_BINS) this.#widen();
  }

  #toBins(): void {
    const values = this.#values;
    if (!values) return;
    this.#values = null;
    for (const value of values) this.#count(value);
  }

  #widen(): void {
    this.#widened++;
    for (const bins of [this.#positive, this.#negative]) {
      const entries = [...bins];
      bins.clear();
      for (const [key, count] of entries) {
        const wide = Math.ceil(key / 2);
        bins.set(wide, (bins.get(wide) ?? 0) + count);
      }
    }
  }

  merge(from: Sketch): void {
    if (from.#values) {
      for (const value of from.#values) this.add(value);
      return;
    }
    this.#toBins();
    this.count += from.count;
    this.min = Math.min(this.min, from.min);
    this.max = Math.max(this.max, from.max);
    this.#zeros += from.#zeros;
    while (this.#widened < from.#widened) this.#widen();
    const factor = 2 ** (this.#widened - from.#widened);
    for (const [into, bins] of [
      [this.#positive, from.#positive],
      [this.#negative, from.#negative],
    ] as const) {
      for (const [key, count] of bins) {
        const wide = Math.ceil(key / factor);
        into.set(wide, (into.get(wide) ?? 0) + count);
      }
    }
    while (this.#positive.size + this.#negative.size > MAX_SKETCH_BINS) this.#widen();
  }

  /** The quantiles `shares` (each 0 to 1), or null if there are no values. */
  quantiles<Shares extends readonly number[]>(
    shares: Shares,
  ): { [Index in keyof Shares]: number } | null {
    if (this.count === 0) return null;
    const valueAt = this.#values ? exactly(this.#values) : this.#estimates();
    const all = shares.map((share) => {
      const rank = share * (this.count - 1);
      const below = Math.floor(rank);
      return between(valueAt(below), valueAt(Math.ceil(rank)), rank - below);
    });
    return all as { [Index in keyof Shares]: number }; // map keeps the length
  }

  /** The value at a rank, 0 being the lowest, by the bin that contains it. The lowest and highest are known. */
  #estimates(): (rank: number) => number {
    const bins = this.bins();
    let end = 0;
    const ends = bins.map(({ count }) => (end += count));
    return (rank) => {
      if (rank <= 0) return this.min;
      if (rank >= this.count - 1) return this.max;
      let low = 0;
      let high = bins.length - 1;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((ends[middle] ?? 0) > rank) high = middle;
        else low = middle + 1;
      }
      const bin = bins[low];
      return bin ? valueIn(bin, rank - ((ends[low] ?? 0) - bin.count)) : 0;
    };
  }

  /** The bins that have values, ascending; of values that are kept, one for each. */
  bins(): Bin[] {
    if (this.#values) return binsOf(this.#values);
    const logGamma = LOG_GAMMA * 2 ** this.#widened;
    const toMiddle = Math.log((1 + Math.exp(logGamma)) / 2);
    const binOf = (key: number, count: number): Bin => {
      const high = power(key * logGamma);
      const low = power((key - 1) * logGamma);
      // Equally far from both ends, in proportion.
      return { low, value: power(key * logGamma - toMiddle), high, count };
    };
    const negative = inOrder(this.#negative).map(([key, count]) => {
      const { low, value, high } = binOf(key, count);
      return { low: -high, value: -value, high: -low, count };
    });
    const zeros = { low: 0, value: 0, high: 0, count: this.#zeros };
    const all = [
      ...negative.reverse(),
      ...(this.#zeros > 0 ? [zeros] : []),
      ...inOrder(this.#positive).map(([key, count]) => binOf(key, count)),
    ];
    const [lowest, highest] = [all[0], all.at(-1)];
    if (lowest) lowest.low = this.min;
    if (highest) highest.high = this.max;
    for (const bin of [lowest, highest])
      if (bin) bin.value = Math.min(bin.high, Math.max(bin.low, bin.value));
    return all;
  }

  pack(): PackedSketch {
    if (this.#values && this.#values.length <= MAX_PACKED_VALUES) return [...this.#values];
    if (this.#values) {
      const sketch = new Sketch(0);
      sketch.merge(this);
      return sketch.pack();
    }
    return {
      min: this.min,
      max: this.max,
      zeros: this.#zeros || undefined,
      widened: this.#widened || undefined,
      positive: packBins(this.#positive),
      negative: packBins(this.#negative),
    };
  }

  /** Merges what another sketch packed. A comparison merges thousands, so no sketch is made of each. */
  addPacked(packed: PackedSketch): void {
    if (Array.isArray(packed)) {
      for (const value of packed) this.add(value);
      return;
    }
    const { min, max, zeros = 0, widened = 0, positive, negative } = packed;
    this.#toBins();
    while (this.#widened < widened) this.#widen();
    const factor = 2 ** (this.#widened - widened);
    this.count += zeros + addBins(this.#positive, positive, factor);
    this.count += addBins(this.#negative, negative, factor);
    this.#zeros += zeros;
    this.min = Math.min(this.min, min);
    this.max = Math.max(this.max, max);
    while (this.#positive.size + this.#negative.size > MAX_SKETCH_BINS) this.#widen();
  }
}

/** JSON: the values, if they are few; else the bins of each sign as [lowest key, count, count, …], -n for n empty bins. */
export type PackedSketch =
  | number[]
  | {
      min: number;
      max: number;
      zeros?: number;
      widened?: number;
      positive?: number[];
      negative?: number[];
    };

function inOrder(bins: Map<number, number>): [key: number, count: number][] {
  return [...bins].sort((a, b) => a[0] - b[0]);
}

function packBins(bins: Map<number, number>): number[] | undefined {
  if (bins.size === 0) return undefined;
  const packed: number[] = [];
  let next: number | undefined;
  for (const [key, count] of inOrder(bins)) {
    if (next === undefined) packed.push(key);
    else if (key > next) packed.push(next - key);
    packed.push(count);
    next = key + 1;
  }
  return packed;
}

/** Adds packed bins, of which `factor` make one, and returns how many values they have. */
function addBins(bins: Map<number, number>, packed: number[] = [], factor = 1): number {
  let key = packed[0] ?? 0;
  let total = 0;
  for (let i = 1; i < packed.length; i++) {
    const count = packed[i] ?? 0;
    if (count < 0) {
      key -= count;
      continue;
    }
    const wide = factor === 1 ? key : Math.ceil(key / factor);
    bins.set(wide, (bins.get(wide) ?? 0) + count);
    total += count;
    key++;
  }
  return total;
}

/**
 * The value of one of the bin's ranks, from 0: the middle of the bin. The lowest and the highest bin end at a known value. If that makes them
 * so narrow that each of their values is accurate, the values are taken to be evenly spread: the median of 1,000,000 to 1,000,100 is not 1,000,100.
 */
function valueIn({ low, value, high, count }: Bin, rank: number): number {
  if (high - low > SKETCH_ACCURACY * Math.abs(value)) return value;
  return between(low, high, (rank + 0.5) / count);
}

/** Within the range of finite numbers above 0. */
function power(logarithm: number): number {
  return Math.min(Number.MAX_VALUE, Math.max(Number.MIN_VALUE, Math.exp(logarithm)));
}

function binsOf(values: number[]): Bin[] {
  const bins: Bin[] = [];
  for (const value of Float64Array.from(values).sort()) {
    const last = bins.at(-1);
    if (last?.value === value) last.count++;
    else bins.push({ low: value, value, high: value, count: 1 });
  }
  return bins;
}

function exactly(values: number[]): (rank: number) => number {
  const sorted = Float64Array.from(values).sort();
  return (rank) => sorted[rank] ?? 0;
}

/** Linear interpolation that does not overflow. */
function between(low: number, high: number, share: number): number {
  if (low === high || share === 0) return low;
  const range = high - low;
  return Number.isFinite(range) ? low + range * share : low * (1 - share) + high * share;
}
