/** Small drawings that fit into a line of a table. Drawn by the server, so they are there without script. */
import { DAY_MS } from "../../core/limits.ts";
import { formatNumber } from "../../core/format.ts";

/** The parts of a rollup that are drawn: equally wide buckets with least and most, null where there was nothing. */
type Rollup = { count: number[]; sum: number[]; min: (number | null)[]; max: (number | null)[] };

const HEIGHT = 20;
/** Columns of a sparkline: two pixels each. There are fifty on a page, so what no eye can tell apart is not sent. */
const COLUMNS = 60;
/** Steps of its height, so that whole numbers do. */
const FINE = 40;

type Column = { x: number; low: number; high: number; mean: number };

/** A metric over a session's life: a band from least to most, and the mean in it. */
export function Sparkline({ rollup, name }: { rollup: Rollup; name: string }) {
  const columns = columnsOf(rollup);
  if (columns.length === 0) return null;
  const least = Math.min(...columns.map(({ low }) => low));
  const most = Math.max(...columns.map(({ high }) => high));
  const y = (value: number) =>
    Math.round(FINE - 1 - ((value - least) / (most - least || 1)) * (FINE - 2));
  const there = columns.map(({ x, high }) => `${x} ${y(high)}`);
  const back = columns.map(({ x, low }) => `${x} ${y(low)}`).toReversed();
  const width = Math.max(1, columns.at(-1)?.x ?? 0);
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${width} ${FINE}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${name} between ${formatNumber(least)} and ${formatNumber(most)}`}
    >
      <path class="sparkline-band" d={`M${[...there, ...back].join(" ")}z`} />
      <path
        class="sparkline-line"
        d={`M${columns.map(({ x, mean }) => `${x} ${y(mean)}`).join(" ")}`}
      />
    </svg>
  );
}

/** The rollup's buckets, as many together as it takes; a spike in one of them stays. */
function columnsOf({ count, sum, min, max }: Rollup): Column[] {
  const together = Math.ceil(count.length / COLUMNS);
  const columns: Column[] = [];
  for (let from = 0; from < count.length; from += together) {
    const part = <Value,>(list: Value[]) => list.slice(from, from + together);
    const lows = part(min).filter((value) => value !== null);
    const highs = part(max).filter((value) => value !== null);
    const points = part(count).reduce((a, b) => a + b, 0);
    if (points === 0 || lows.length === 0) continue;
    columns.push({
      x: from / together,
      low: Math.min(...lows),
      high: Math.max(...highs),
      mean: part(sum).reduce((a, b) => a + b, 0) / points,
    });
  }
  return columns;
}

type TrendDay = { at: number; all: number; bad: number };

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
