/** How values are distributed: those of gauges and timers by a sketch, samples of histograms by their buckets. Any of both can be merged. */
import type { Quantiles } from "../answers/metrics.ts";
import {
  addBuckets,
  type Buckets,
  type Interval,
  intervalQuantiles,
  intervalsOf,
  newBuckets,
} from "./buckets.ts";
import type { SegmentSeries } from "../segments/segment-summary.ts";
import type { ReadColumns } from "../segments/segment-reader.ts";
import { FIRST_BUCKET } from "./columns.ts";
import { type PackedSketch, Sketch } from "./sketch.ts";

/** Within which quantiles are if nothing else is stated. */
const PROMISED_ACCURACY = 0.01;
const SHARES = [0.5, 0.95, 0.99] as const;

/** JSON: a sketch, or a histogram's buckets. */
export type PackedDistribution = { sketch?: PackedSketch; buckets?: Buckets[] };

export class Distribution {
  readonly #bounds: number[];
  readonly #limit: number | undefined;
  #sketch: Sketch | undefined;
  /** By their bounds. */
  readonly #buckets = new Map<string, Buckets>();

  /** `bounds`: of the histogram whose columns and summaries are added. Keeps at most `limit` values themselves. */
  constructor(bounds: number[] = [], limit?: number) {
    this.#bounds = bounds;
    this.#limit = limit;
  }

  get count(): number {
    let count = this.#sketch?.count ?? 0;
    for (const { counts } of this.#buckets.values())
      count += counts.reduce((sum, each) => sum + each, 0);
    return count;
  }

  addValues(values: ArrayLike<number>, start = 0, end = values.length): void {
    const sketch = (this.#sketch ??= new Sketch(this.#limit));
    for (let i = start; i < end; i++) sketch.add(values[i] ?? 0);
  }

  /** Adds a point of a histogram. */
  addPoint({ fields }: ReadColumns, i: number): void {
    const counts = fields.slice(FIRST_BUCKET).map((column) => column[i] ?? 0);
    this.addBuckets({
      bounds: this.#bounds,
      counts,
      min: fields[2]?.[i] ?? 0,
      max: fields[3]?.[i] ?? 0,
    });
  }

  addSummary({ sketch, buckets: counts, min, max }: SegmentSeries): void {
    if (sketch) (this.#sketch ??= new Sketch(this.#limit)).addPacked(sketch);
    if (counts) this.addBuckets({ bounds: this.#bounds, counts, min, max });
  }

  addBuckets(buckets: Buckets): void {
    const key = buckets.bounds.join();
    let there = this.#buckets.get(key);
    if (!there) this.#buckets.set(key, (there = newBuckets(buckets.bounds)));
    addBuckets(there, buckets);
  }

  merge(from: Distribution): void {
    if (from.#sketch) (this.#sketch ??= new Sketch(this.#limit)).merge(from.#sketch);
    for (const buckets of from.#buckets.values()) this.addBuckets(buckets);
  }

  copy(): Distribution {
    const copy = new Distribution(this.#bounds, this.#limit);
    copy.merge(this);
    return copy;
  }

  /** Null without values. */
  quantiles(): Quantiles | null {
    const found = this.quantilesAt(SHARES);
    if (!found) return null;
    const [p50, p95, p99] = found;
    const exact = this.#buckets.size === 0 && this.#sketch?.isExact === true;
    const error = this.#sketch?.accuracy ?? 0;
    return { p50, p95, p99, exact, accuracy: error > PROMISED_ACCURACY ? error : undefined };
  }

  quantilesAt<Shares extends readonly number[]>(
    shares: Shares,
  ): { [Index in keyof Shares]: number } | null {
    if (this.#buckets.size > 0) return intervalQuantiles(this.intervals(), shares);
    return this.#sketch?.quantiles(shares) ?? null;
  }

  /** Ranges of values with their counts. Those of a sketch ascend. */
  intervals(): Interval[] {
    const ofBuckets = [...this.#buckets.values()].flatMap(intervalsOf);
    return [...(this.#sketch?.bins() ?? []), ...ofBuckets];
  }

  pack(): PackedDistribution | null {
    if (this.count === 0) return null;
    return {
      sketch: this.#sketch?.pack(),
      buckets: this.#buckets.size > 0 ? [...this.#buckets.values()] : undefined,
    };
  }

  static unpack(packed: PackedDistribution): Distribution {
    const distribution = new Distribution();
    distribution.addPacked(packed);
    return distribution;
  }

  addPacked({ sketch, buckets = [] }: PackedDistribution): void {
    if (sketch) (this.#sketch ??= new Sketch(this.#limit)).addPacked(sketch);
    for (const each of buckets) this.addBuckets(each);
  }
}
