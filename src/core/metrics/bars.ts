/** The distribution of a metric's values over sessions, as bars. */
import type { ComparedSeries } from "../comparison/comparison.ts";
import { Distribution } from "./distribution.ts";
import type { Interval } from "./buckets.ts";

export type Bar = { from: number; to: number; count: number };

/**
 * How the values of all sessions are distributed, from the lowest to the highest. A bar consists of whole bins of the sketch or buckets of
 * the histogram, at least so many that it is 1/`bars` of the range wide; ranges without values have no bar.
 */
export function distribution(items: ComparedSeries[], bars = 40): Bar[] {
  const whole = new Distribution();
  for (const item of items) if (item.distribution) whole.addPacked(item.distribution);
  const intervals = apart(whole.intervals());
  const min = intervals[0]?.low ?? 0;
  const max = intervals.at(-1)?.high ?? 0;
  const least = max / bars - min / bars; // the range itself may exceed the largest double
  if (intervals.length === 0) return [];
  if (least === 0) return [{ from: min, to: max, count: whole.count }];

  const found: Bar[] = [];
  for (const { low, high, count } of intervals) {
    const last = found.at(-1);
    if (last && middleOf(low, high) < last.to) {
      last.to = Math.min(max, Math.max(last.to, high));
      last.count += count;
    } else {
      const from = Math.min(Math.max(min, low, last?.to ?? min), max - least);
      if (last && from < last.to) {
        last.to = max; // the rest of the range is too narrow for a bar
        last.count += count;
      } else found.push({ from, to: Math.min(max, Math.max(from + least, high)), count });
    }
  }
  return found;
}

/** The same counts in intervals that do not overlap, ascending. Counts stay whole, and so does their sum. */
function apart(intervals: Interval[]): Interval[] {
  const isApart = intervals.every(({ low }, i) => i === 0 || low >= (intervals[i - 1]?.high ?? 0));
  if (isApart) return intervals;
  const edges = [...new Set(intervals.flatMap(({ low, high }) => [low, high]))].sort(
    (a, b) => a - b,
  );
  const parts = edges.flatMap((edge, i): Interval[] => {
    const next = edges[i + 1];
    const alone = { low: edge, high: edge, count: 0 };
    return next === undefined ? [alone] : [alone, { low: edge, high: next, count: 0 }];
  });
  const position = new Map(edges.map((edge, i) => [edge, i * 2]));
  for (const { low, high, count } of intervals) {
    const [start = 0, end = 0] = [position.get(low), position.get(high)];
    if (start === end) {
      const part = parts[start];
      if (part) part.count += count;
    }
    for (let i = start + 1; i < end; i += 2) {
      const part = parts[i];
      if (part) part.count += count * ((part.high / 2 - part.low / 2) / (high / 2 - low / 2));
    }
  }
  let [sum, emitted] = [0, 0];
  return parts.flatMap((part) => {
    sum += part.count;
    const count = Math.round(sum) - emitted;
    emitted += count;
    return count > 0 ? [{ ...part, count }] : [];
  });
}

function middleOf(low: number, high: number): number {
  return low / 2 + high / 2;
}
