/** Missing data in a series: where no line is drawn, because no point was recorded for much longer than usual in this series. */
import { GAP_INTERVALS } from "../limits.ts";

/** A distance of points, and how many pairs of neighbours have it. */
export type Interval = { ms: number; count: number };

/** The usual distance of these points: three of four neighbours are not farther apart. Points of the same time count as one. */
export function usualInterval(at: ArrayLike<number>): Interval | undefined {
  const times = Float64Array.from(at).sort();
  const intervals: Interval[] = [];
  for (let i = 1; i < times.length; i++) {
    const ms = (times[i] ?? 0) - (times[i - 1] ?? 0);
    if (ms > 0) intervals.push({ ms, count: 1 });
  }
  const ms = upperQuartile(intervals);
  return ms === undefined ? undefined : { ms, count: intervals.length };
}

/** The distance of two points from which on nothing is known between them; undefined if the series has too few to derive it. */
export function gapOf(intervals: Interval[]): number | undefined {
  const usual = upperQuartile(intervals);
  return usual === undefined ? undefined : usual * GAP_INTERVALS;
}

function upperQuartile(intervals: Interval[]): number | undefined {
  const sorted = [...intervals].sort((a, b) => a.ms - b.ms);
  let rest = sorted.reduce((sum, { count }) => sum + count, 0) * 0.75;
  return sorted.find(({ count }) => (rest -= count) <= 0)?.ms;
}

/** Divides a list where two neighbours are not joined by a line. */
export function runsOf<Item>(items: Item[], isJoined: (a: Item, b: Item) => boolean): Item[][] {
  const runs: Item[][] = [];
  for (const item of items) {
    const run = runs.at(-1);
    const before = run?.at(-1);
    if (run && before !== undefined && isJoined(before, item)) run.push(item);
    else runs.push([item]);
  }
  return runs;
}

/** A part of equal width of an overview, with the number of points in it. */
type Step = { at: number; count: number };

/**
 * The distance of two steps of an overview from which on nothing is known between them. Where each step has points, their distance is
 * derived from their number; where only some have, from the distance of those.
 */
export function stepGap(steps: Step[], width: number): number {
  const distances = usualInterval(steps.map(({ at }) => at))?.ms ?? width;
  const points = steps.reduce((sum, { count }) => sum + count, 0) / Math.max(1, steps.length);
  const usual = distances > width ? distances : width / Math.max(1, points);
  // The points of two steps may be up to one width nearer than the steps.
  return width + Math.max(usual * GAP_INTERVALS, width / 2);
}
