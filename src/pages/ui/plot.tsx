/**
 * Lines over clock time or since start, rendered by the server, so that they need no script. Lines differ in dash as well as colour.
 * public/plots.js shows the values at the pointer, and clock times in the viewer's zone.
 */
import { formatDuration, formatTick } from "../../core/format.ts";
import type { Child } from "hono/jsx";
import { scaleOf, shareOf, timeTicks } from "../../core/scale.ts";

export type Line = {
  name: string;
  /** Selects the colour and dash; the same for one thing everywhere on a page. */
  index: number;
  points: [at: number, value: number][];
  /** The least and most around each point, which the line averages. */
  band?: [at: number, least: number, most: number][] | undefined;
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
  /** Points that no line joins. */
  dots?: boolean | undefined;
};

const WIDTH = 1_000;
const HEIGHT = 240;

export function Plot({
  lines,
  from,
  to,
  axis,
  marks = 6,
  unit,
  perSecond,
  title,
  dots,
}: PlotProps) {
  const values = lines.flatMap(({ points, band = [] }) => [
    ...points.map(([, value]) => value),
    ...band.flatMap(([, least, most]) => [least, most]),
  ]);
  if (values.length === 0) return null;
  const least = values.reduce((a, b) => Math.min(a, b));
  const most = values.reduce((a, b) => Math.max(a, b));
  const { low, high, ticks, step } = scaleOf(least, most, unit);
  const times = timeTicks(from, to, marks);
  const x = (at: number) => ((at - from) / Math.max(1, to - from)) * WIDTH;
  const y = (value: number) => HEIGHT - shareOf(value, low, high) * HEIGHT;
  return (
    <figure
      class="plot"
      tabindex={0}
      aria-label={title}
      data-from={from}
      data-to={to}
      data-axis={axis}
      data-low={low}
      data-high={high}
      data-unit={unit}
      data-per-second={perSecond ? "" : undefined}
    >
      <div class="plot-y" aria-hidden="true" data-alone={ticks.length === 1 ? "" : undefined}>
        {ticks.toReversed().map((tick) => (
          <span>
            {formatTick(tick, unit, step)}
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
        {lines.map(({ band = [], index }) =>
          band.length > 1 ? (
            <path class="plot-band" data-line={index} d={outline(band, x, y)} />
          ) : null,
        )}
        {lines.map(({ name, points, index }) => (
          <path
            class={dots ? "plot-line plot-dots" : "plot-line"}
            data-line={index}
            d={points
              .map(
                ([at, v], i) =>
                  `${dots || i === 0 ? "M" : "L"}${x(at).toFixed(1)} ${y(v).toFixed(2)}${dots || points.length === 1 ? "h0" : ""}`,
              )
              .join("")}
          >
            <title>{name}</title>
          </path>
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

/** The outline of the band, in whole numbers, because it has many points. */
function outline(
  band: [number, number, number][],
  x: (at: number) => number,
  y: (value: number) => number,
): string {
  const there = band.map(([at, , most]) => `${Math.round(x(at))} ${Math.round(y(most))}`);
  const back = band
    .map(([at, least]) => `${Math.round(x(at))} ${Math.round(y(least))}`)
    .toReversed();
  return `M${there.join("L")}L${back.join("L")}z`;
}

/** Labels at the edges stay inside. */
function anchorAt(share: number): "start" | "middle" | "end" {
  if (share < 0.06) return "start";
  return share > 0.94 ? "end" : "middle";
}

/** A sample of a line, for legends. */
export function LineMark({ index }: { index: number }) {
  return (
    <svg class="legend-mark" viewBox="0 0 24 4" aria-hidden="true">
      <path class="plot-line" data-line={index} d="M0 2h24" />
    </svg>
  );
}

/** The names of the lines. */
export function Legend({ lines }: { lines: { index: number; name: Child }[] }) {
  return (
    <ul class="legend">
      {lines.map(({ index, name }) => (
        <li>
          <LineMark index={index} />
          <span>{name || "all"}</span>
        </li>
      ))}
    </ul>
  );
}
