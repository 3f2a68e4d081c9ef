/** Sparklines and trends: small charts in a row of a table, rendered by the server. */
import { DAY_MS } from "../../core/limits.ts";
import { formatQuantity } from "../../core/text/format.ts";
import { runsOf, stepGap } from "../../core/metrics/gaps.ts";
import { endStep, shareOf } from "../../core/text/scale.ts";

/** The parts of a rollup that are drawn: equally wide buckets with least and most, null where a bucket is empty. */
type Rollup = {
  count: number[];
  /** In units of 1 / `scale`. */
  sum: number[];
  scale?: number;
  min: (number | null)[];
  max: (number | null)[];
};

const HEIGHT = 20;
/** Columns of a sparkline: two pixels each; a page has fifty sparklines. */
const COLUMNS = 60;
/** Steps of the height, so that coordinates are whole numbers. */
const STEPS = 40;

type Column = { x: number; low: number; high: number; mean: number; count: number };

type SparklineProps = { rollup: Rollup; name: string; unit: string };

/** A metric over a session: a band from least to most, and the mean as a line. */
export function Sparkline({ rollup, name, unit }: SparklineProps) {
  const columns = columnsOf(rollup);
  if (columns.length === 0) return null;
  const least = Math.min(...columns.map(({ low }) => low));
  const most = Math.max(...columns.map(({ high }) => high));
  const step = endStep(least, most, unit);
  const y = (value: number) => Math.round(STEPS - 1 - shareOf(value, least, most) * (STEPS - 2));
  const gap = stepGap(
    columns.map(({ x, count }) => ({ at: x, count })),
    1,
  );
  const runs = runsOf(columns, (a, b) => b.x - a.x <= gap);
  const band = (run: Column[]) => {
    const there = run.map(({ x, high }) => `${x} ${y(high)}`);
    const back = run.map(({ x, low }) => `${x} ${y(low)}`).toReversed();
    return `M${[...there, ...back].join(" ")}z`;
  };
  // One column alone is a line of its own width.
  const line = (run: Column[]) =>
    `M${run.map(({ x, mean }) => `${x} ${y(mean)}`).join(" ")}${run.length === 1 ? "h1" : ""}`;
  const width = Math.max(1, columns.at(-1)?.x ?? 0);
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${width} ${STEPS}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${name} between ${formatQuantity(least, unit, step)} and ${formatQuantity(most, unit, step)}`}
    >
      <path class="sparkline-band" d={runs.map(band).join("")} />
      <path class="sparkline-line" d={runs.map(line).join("")} />
    </svg>
  );
}

/** The rollup's buckets, several merged into one column; spikes are kept. */
function columnsOf({ count, sum, scale = 1, min, max }: Rollup): Column[] {
  const together = Math.ceil(count.length / COLUMNS);
  const columns: Column[] = [];
  for (let from = 0; from < count.length; from += together) {
    const part = <Value,>(list: Value[]) => list.slice(from, from + together);
    const lows = part(min).filter((value) => value !== null);
    const highs = part(max).filter((value) => value !== null);
    const points = part(count).reduce((a, b) => a + b, 0);
    if (points === 0 || lows.length === 0) continue;
    const low = Math.min(...lows);
    const high = Math.max(...highs);
    const mean = part(sum).reduce((a, b) => a + b, 0) / points / scale;
    columns.push({ x: from / together, low, high, mean, count: points });
  }
  return columns;
}

type TrendDay = { at: number; all: number; bad: number };

/** One bar per day up to today: the count, and the failures among them. */
export function Trend({
  days,
  from,
  to,
  label,
}: {
  days: TrendDay[];
  from: number;
  to: number;
  label: string;
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
      aria-label={label}
    >
      <path class="trend-base" d={`M0 ${HEIGHT}h${width}`} />
      <path class="trend-all" d={days.map(({ at, all }) => bar(at, all)).join("")} />
      <path class="trend-bad" d={days.map(({ at, bad }) => bar(at, bad)).join("")} />
    </svg>
  );
}
