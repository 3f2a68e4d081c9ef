/** Small drawings that fit into a line of a table. Drawn by the server, so they are there without script. */
import { digits } from "./quantity.ts";

/** The parts of a catalog strip that are drawn: equally wide buckets with least and most, null where there was nothing. */
type Strip = { count: number[]; sum: number[]; min: (number | null)[]; max: (number | null)[] };

const HEIGHT = 20;

/** A metric over a session's life: a band from least to most, and the mean in it. */
export function Sparkline({ strip, name }: { strip: Strip; name: string }) {
  const lows = strip.min.filter((value) => value !== null);
  const highs = strip.max.filter((value) => value !== null);
  if (lows.length === 0) return null;
  const least = Math.min(...lows);
  const most = Math.max(...highs);
  const y = (value: number) =>
    (HEIGHT - 1 - ((value - least) / (most - least || 1)) * (HEIGHT - 2)).toFixed(1);
  const columns = strip.count.flatMap((count, x) => {
    const low = strip.min[x] ?? null;
    const high = strip.max[x] ?? null;
    return low === null || high === null || count === 0
      ? []
      : [{ x, low: y(low), high: y(high), mean: y((strip.sum[x] ?? 0) / count) }];
  });
  const there = columns.map(({ x, high }) => `${x} ${high}`).join("L");
  const back = columns
    .toReversed()
    .map(({ x, low }) => `${x} ${low}`)
    .join("L");
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${Math.max(1, strip.count.length - 1)} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${name} between ${digits(least)} and ${digits(most)}`}
    >
      <path class="sparkline-band" d={`M${there}L${back}z`} />
      <path
        class="sparkline-line"
        d={`M${columns.map(({ x, mean }) => `${x} ${mean}`).join("L")}`}
      />
    </svg>
  );
}

export type TrendDay = { at: number; all: number; bad: number };

/** How many per day, and how many of them went wrong, one bar each day up to today. */
export function Trend({
  days,
  from,
  to,
  word,
}: {
  days: TrendDay[];
  from: number;
  to: number;
  word: string;
}) {
  const width = Math.max(1, Math.round((to - from) / DAY_MS) + 1);
  const most = Math.max(1, ...days.map(({ all }) => all));
  const bar = (at: number, count: number) => {
    const height = (Math.sqrt(count / most) * HEIGHT).toFixed(1);
    return count === 0
      ? ""
      : `M${Math.round((at - from) / DAY_MS)} ${HEIGHT}v-${height}h.8v${height}z`;
  };
  return (
    <svg
      class="trend"
      viewBox={`0 0 ${width} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={word}
    >
      <path class="trend-base" d={`M0 ${HEIGHT}h${width}`} />
      <path class="trend-all" d={days.map(({ at, all }) => bar(at, all)).join("")} />
      <path class="trend-bad" d={days.map(({ at, bad }) => bar(at, bad)).join("")} />
    </svg>
  );
}

export const DAY_MS = 86_400_000;
