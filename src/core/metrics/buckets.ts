/** Quantiles of histograms: their samples are not known one by one, so those of a bucket are taken to be evenly spread within it. */
import { toFinite } from "./moments.ts";

/** A histogram's samples per bucket, and the lowest and highest of them. The bounds are ascending; one more bucket follows the last. */
export type Buckets = { bounds: number[]; counts: number[]; min: number; max: number };

/** A range of values with so many evenly spread samples; of one value if `low` = `high`. */
export type Interval = { low: number; high: number; count: number };

export function newBuckets(bounds: number[]): Buckets {
  const counts = Array.from({ length: bounds.length + 1 }, () => 0);
  return { bounds, counts, min: Infinity, max: -Infinity };
}

/** Adds counts of the same bounds. */
export function addBuckets(into: Buckets, { counts, min, max }: Omit<Buckets, "bounds">): void {
  for (let i = 0; i < into.counts.length; i++)
    into.counts[i] = (into.counts[i] ?? 0) + (counts[i] ?? 0);
  into.min = Math.min(into.min, min);
  into.max = Math.max(into.max, max);
}

/** The buckets that have samples, each cut to the samples' range, unless that contradicts it: 1.x's daemon sends neither lowest nor highest. */
export function intervalsOf({ bounds, counts, min, max }: Buckets): Interval[] {
  const intervals: Interval[] = [];
  counts.forEach((count, index) => {
    if (count === 0) return;
    const above = bounds[index - 1] ?? Math.min(min, bounds[index] ?? min);
    const upTo = bounds[index] ?? Math.max(max, bounds[index - 1] ?? max);
    const [low, high] = [Math.max(above, min), Math.min(upTo, max)];
    intervals.push(low <= high ? { low, high, count } : { low: above, high: upTo, count });
  });
  return intervals;
}

/** The quantiles `shares` (each 0 to 1) of all samples in these intervals, which may overlap; null without samples. */
export function intervalQuantiles<Shares extends readonly number[]>(
  intervals: Interval[],
  shares: Shares,
): { [Index in keyof Shares]: number } | null {
  const all = intervals.reduce((sum, { count }) => sum + count, 0);
  if (all === 0) return null;
  const edges = Float64Array.from(
    new Set(intervals.flatMap(({ low, high }) => [low, high])),
  ).sort();
  const quantiles = shares.map((share) => quantileOf(intervals, edges, share * all));
  return quantiles as { [Index in keyof Shares]: number }; // map keeps the length
}

/** The lowest value that has at least `target` samples up to it. */
function quantileOf(intervals: Interval[], edges: Float64Array, target: number): number {
  let low = 0;
  let high = edges.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (countUpTo(intervals, edges[middle] ?? 0, true) >= target) high = middle;
    else low = middle + 1;
  }
  const upper = edges[low] ?? 0;
  if (low === 0) return upper;
  const lower = edges[low - 1] ?? 0;
  const before = countUpTo(intervals, lower, true);
  const between = countUpTo(intervals, upper, false) - before;
  if (target >= before + between) return upper; // samples that equal the edge
  const share = (target - before) / between;
  return lower * (1 - share) + upper * share;
}

/** How many samples are up to `value`, including those that equal it or not. */
function countUpTo(intervals: Interval[], value: number, including: boolean): number {
  let total = 0;
  for (const { low, high, count } of intervals) {
    if (low === high) total += low < value || (including && low === value) ? count : 0;
    else if (value >= high) total += count;
    else if (value > low) total += count * Math.min(1, (value - low) / toFinite(high - low));
  }
  return total;
}
