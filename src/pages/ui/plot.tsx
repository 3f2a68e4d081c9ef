/**
 * Lines over clock time or since start, rendered by the server, so that they need no script. Lines differ in dash as well as colour.
 * public/plots.js shows the values at the pointer, and clock times in the viewer's zone.
 */
import { formatDuration, formatTick } from "../../core/text/format.ts";
import { runsOf } from "../../core/metrics/gaps.ts";
import type { Child } from "hono/jsx";
import {
  endStep,
  logScaleOf,
  logShareOf,
  scaleOf,
  shareOf,
  timeTicks,
} from "../../core/text/scale.ts";

export type Line = {
  name: string;
  /** Selects the colour and dash; the same for one thing everywhere on a page. */
  index: number;
  points: [at: number, value: number][];
  /** The least and most around each point, which the line averages. */
  band?: [at: number, least: number, most: number][] | undefined;
  /** Which aggregate of which time the points are; undefined if they are the recorded ones. */
  aggregate?: { label: string; from: (at: number) => number; ms: number } | undefined;
  /** When the line ends: later, the pointer shows no value of it. */
  until?: number | undefined;
  /** Points that are farther apart are not joined. */
  gap?: number | undefined;
};

type PlotProps = {
  lines: Line[];
  /** Of the horizontal axis. */
  from: number;
  to: number;
  /** `clock`: epoch milliseconds; `elapsed`: milliseconds from a beginning. */
  axis: "clock" | "elapsed";
  /** The highest number of ticks on the time axis. */
  marks?: number | undefined;
  unit: string;
  /** Counters: values are increases per second. */
  perSecond?: boolean | undefined;
  title: string;
  /** Logarithmic; values that are not positive are left out. */
  isLog?: boolean | undefined;
  /** The part of the vertical axis that is shown; undefined: up to the least or the greatest value. */
  low?: number | undefined;
  high?: number | undefined;
  /** The form with the fields `low` and `high`, which the pointer and keys over the plot set. */
  form?: string | undefined;
  /** The address of the sessions of a step, to which plots.js adds its time. */
  sessions?: string | undefined;
};

const WIDTH = 1_000;
const HEIGHT = 240;

export function Plot(props: PlotProps) {
  const { lines, from, to, axis, marks = 6, unit, perSecond, title, isLog, form, sessions } = props;
  const scale = axisOf(props);
  if (scale === null) return null;
  const { low, high, ticks, step, shown } = scale;
  const times = timeTicks(from, to, marks);
  const x = (at: number) => ((at - from) / Math.max(1, to - from)) * WIDTH;
  const y = placeOn(scale, isLog);
  return (
    <figure
      class="plot"
      tabindex={0}
      aria-label={title}
      data-from={from}
      data-to={to}
      data-axis={axis}
      data-unit={unit}
      data-step={endStep(shown.least, shown.most, unit)}
      data-per-second={perSecond ? "" : undefined}
      data-zoom={form}
      data-low={form && low}
      data-high={form && high}
      data-log={isLog ? "" : undefined}
      data-cut={props.low !== undefined || props.high !== undefined ? "" : undefined}
      data-sessions={sessions}
    >
      <div class="plot-y" aria-hidden="true" data-alone={ticks.length === 1 ? "" : undefined}>
        {ticks.toReversed().map((tick) => (
          <span>
            {formatTick(tick, unit, isLog ? tick : step)}
            {perSecond ? "/s" : ""}
          </span>
        ))}
      </div>
      <svg
        class="plot-series"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={title}
      >
        <path
          class="plot-grid"
          d={[
            ...ticks.map((tick) => `M0 ${y(tick).toFixed(1)}h${WIDTH}`),
            ...times.map((at) => `M${x(at).toFixed(1)} 0v${HEIGHT}`),
          ].join("")}
        />
        {lines.map((line) =>
          line.band ? (
            <path
              class="plot-band"
              data-line={line.index}
              d={bandPath(line, x, y, isLog ? low : -Infinity)}
            />
          ) : null,
        )}
        {lines.map((line) => (
          <PlotLine line={isLog ? positive(line) : line} x={x} y={y} />
        ))}
      </svg>
      <svg class="plot-x" aria-hidden="true">
        {times.map((at) => (
          <text
            x={`${(x(at) / WIDTH) * 100}%`}
            y="1em"
            data-at={axis === "clock" ? at : undefined}
            text-anchor={anchorAt(x(at) / WIDTH)}
          >
            {axis === "elapsed"
              ? at === 0
                ? "0"
                : formatDuration(at)
              : `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`}
          </text>
        ))}
      </svg>
    </figure>
  );
}

type Scaled = Pick<PlotProps, "lines" | "unit" | "perSecond" | "isLog" | "low" | "high">;

/** The vertical axis; null if there is nothing to draw. */
export function axisOf({ lines, unit, perSecond, isLog, low, high }: Scaled) {
  const all = lines.flatMap(({ points, band = [] }) => [
    ...points.map(([, value]) => value),
    ...band.flatMap(([, least, most]) => [least, most]),
  ]);
  const values = isLog ? all.filter((value) => value > 0) : all;
  if (values.length === 0) return null;
  // From zero, so that a rate that hardly changes is level.
  const least = values.reduce((a, b) => Math.min(a, b), perSecond && !isLog ? 0 : Infinity);
  const most = values.reduce((a, b) => Math.max(a, b));
  const isBelow = low !== undefined && low < (high ?? most) && !(isLog && low <= 0);
  const isAbove = high !== undefined && high > (isBelow ? low : least);
  const shown = { least: isBelow ? low : least, most: isAbove ? high : most };
  const scale = (isLog ? logScaleOf : scaleOf)(shown.least, shown.most, unit);
  return { ...scale, shown };
}

/** Values far outside of the axis are drawn as near as this, since browsers draw no larger numbers. */
const FARTHEST = 1e6;

/** The vertical place of a value on the axis. */
function placeOn({ low, high }: { low: number; high: number }, isLog?: boolean): Place {
  const shareOn = isLog ? logShareOf : shareOf;
  return (value) =>
    Math.max(-FARTHEST, Math.min(FARTHEST, HEIGHT - shareOn(value, low, high) * HEIGHT));
}

function positive(line: Line): Line {
  return { ...line, points: line.points.filter(([, value]) => value > 0) };
}

type PlotLineProps = { line: Line; x: Place; y: Place };

function PlotLine({ line, x, y }: PlotLineProps) {
  const { name, points, index, aggregate, until, gap = Infinity } = line;
  const runs = runsAt(points, gap);
  return (
    <>
      <path
        class="plot-line"
        data-line={index}
        // plots.js shows the values, which cannot be read from the coordinates.
        data-points={points
          .map(([at, value]) => `${Number((aggregate?.from(at) ?? at).toFixed(1))}:${value}`)
          .join(" ")}
        data-aggregate={aggregate?.label}
        data-ms={aggregate?.ms}
        data-until={until}
        d={linePath(runs, x, y)}
      >
        <title>{name}</title>
      </path>
      {alone(runs).length === 0 ? null : (
        <path class="plot-alone" data-line={index} d={dotPath(alone(runs), x, y)} />
      )}
    </>
  );
}

type Place = (value: number) => number;
type Point = [at: number, value: number];

/** Divides points where data is missing. */
function runsAt<Of extends [at: number, ...values: number[]]>(points: Of[], gap: number): Of[][] {
  return runsOf(points, (a, b) => b[0] - a[0] <= gap);
}

/** Points without a neighbour that a line could join. */
function alone(runs: Point[][]): Point[] {
  return runs.filter((run) => run.length === 1).flat();
}

function linePath(runs: Point[][], x: Place, y: Place): string {
  return runs
    .filter((run) => run.length > 1)
    .map((run) => `M${run.map(([at, value]) => placed(at, value, x, y)).join("L")}`)
    .join("");
}

/** A line without length has round ends. */
function dotPath(points: Point[], x: Place, y: Place): string {
  return points.map(([at, value]) => `M${placed(at, value, x, y)}h0`).join("");
}

function placed(at: number, value: number, x: Place, y: Place): string {
  return `${x(at).toFixed(1)} ${y(value).toFixed(2)}`;
}

/** The outline of the band, in whole numbers, because it has many points. */
function bandPath({ band = [], gap = Infinity }: Line, x: Place, y: Place, lowest: number): string {
  const place = (at: number, value: number) =>
    `${Math.round(x(at))} ${Math.round(y(Math.max(lowest, value)))}`;
  return runsAt(band, gap)
    .map((run) => {
      const there = run.map(([at, , most]) => place(at, most));
      const back = run.map(([at, least]) => place(at, least));
      return `M${there.join("L")}L${back.toReversed().join("L")}z`;
    })
    .join("");
}

/** Labels at the edges stay inside. */
function anchorAt(share: number): "start" | "middle" | "end" {
  if (share < 0.06) return "start";
  return share > 0.94 ? "end" : "middle";
}

/** A sample of a line, or of a point, for legends. */
export function LegendMark({ index, isPoint }: { index: number; isPoint?: boolean }) {
  return (
    <svg class="legend-mark" viewBox="0 0 24 4" aria-hidden="true">
      {isPoint ? (
        <circle data-line={index} cx="12" cy="2" r="3.5" />
      ) : (
        <path class="plot-line" data-line={index} d="M0 2h24" />
      )}
    </svg>
  );
}

type LegendProps = { lines: { index: number; name: Child }[]; isOfPoints?: boolean };

/** The names of the lines, or of groups of points. */
export function Legend({ lines, isOfPoints = false }: LegendProps) {
  return (
    <ul class="legend">
      {lines.map(({ index, name }) => (
        <li>
          <LegendMark index={index} isPoint={isOfPoints} />
          <span>{name || "all"}</span>
        </li>
      ))}
    </ul>
  );
}
