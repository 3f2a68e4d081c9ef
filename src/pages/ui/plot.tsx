/** Lines over time or since start, drawn by the server: they need no script, print well and can be told apart by dash as well as colour. */
import { quantity } from "./quantity.ts";

export type Line = { name: string; points: [number, number][] };

type PlotProps = {
  lines: Line[];
  /** Of the horizontal axis. */
  from: number;
  to: number;
  unit: string;
  /** What the horizontal axis says at a value. */
  tick: (at: number) => string;
  title: string;
  /** Points that no line joins. */
  dots?: boolean | undefined;
};

const WIDTH = 1_000;
const HEIGHT = 240;
const ROWS = 4;

export function Plot({ lines, from, to, unit, tick, title, dots }: PlotProps) {
  const values = lines.flatMap(({ points }) => points.map(([, value]) => value));
  if (values.length === 0) return null;
  const least = values.reduce((a, b) => Math.min(a, b));
  const most = values.reduce((a, b) => Math.max(a, b));
  const pad = (most - least || Math.abs(most) || 1) * 0.05;
  const x = (at: number) => (((at - from) / Math.max(1, to - from)) * WIDTH).toFixed(1);
  const y = (value: number) =>
    (HEIGHT - ((value - least + pad) / (most - least + 2 * pad)) * HEIGHT).toFixed(1);
  return (
    <figure class="plot">
      <div class="plot-y" aria-hidden="true">
        <span>{quantity(Number(most.toPrecision(4)), unit)}</span>
        <span>{quantity(Number(least.toPrecision(4)), unit)}</span>
      </div>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={title}
      >
        <path
          class="plot-grid"
          d={Array.from(
            { length: ROWS - 1 },
            (_, row) => `M0 ${((row + 1) * HEIGHT) / ROWS}h${WIDTH}`,
          ).join("")}
        />
        {lines.map(({ name, points }, index) => (
          <path
            class={dots ? "plot-line plot-dots" : "plot-line"}
            data-line={index}
            d={points
              .map(
                ([at, v], i) => `${dots || i === 0 ? "M" : "L"}${x(at)} ${y(v)}${dots ? "h0" : ""}`,
              )
              .join("")}
          >
            <title>{name}</title>
          </path>
        ))}
      </svg>
      <div class="plot-x" aria-hidden="true">
        <span>{tick(from)}</span>
        <span>{tick((from + to) / 2)}</span>
        <span>{tick(to)}</span>
      </div>
    </figure>
  );
}

/** Which line is which. */
export function Legend({ names }: { names: string[] }) {
  return (
    <ul class="legend">
      {names.map((name, index) => (
        <li>
          <svg viewBox="0 0 24 4" aria-hidden="true">
            <path class="plot-line" data-line={index} d="M0 2h24" />
          </svg>
          {name || "all"}
        </li>
      ))}
    </ul>
  );
}
