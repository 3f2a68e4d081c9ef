/** Two metrics against each other, a point for each session. */
import {
  scatter,
  SESSION_FIGURES,
  type SessionFigure,
  type SessionPoint,
} from "../../core/comparison/scatter.ts";
import type { GroupStatistics } from "../../core/comparison/statistics.ts";
import { formatCount, formatNumber, formatQuantity, formatTick } from "../../core/text/format.ts";
import { nameLabel } from "../../core/text/recorded-text.ts";
import { endStep, logScaleOf, logShareOf, scaleOf, shareOf } from "../../core/text/scale.ts";
import type { MetricType } from "../../core/vocabulary.ts";
import { LINKED_POINTS, SCATTER_CELLS } from "../limits.ts";
import { Empty } from "../ui/empty.tsx";
import { Panel } from "../ui/panel.tsx";
import { Legend } from "../ui/plot.tsx";
import type { FoundMetric } from "./found.ts";
import { type Question, shownOf } from "./question.ts";
import { groupLabel } from "./statistics.tsx";

export const FIGURE_LABELS: Record<SessionFigure, string> = {
  mean: "mean",
  min: "min",
  max: "max",
  last: "last",
  count: "count",
  sum: "sum",
  total: "total",
  rate: "rate",
  p50: "p50",
  p95: "p95",
  p99: "p99",
  stddev: "std dev",
};

/** The figure of the horizontal axis: a counter's values are running totals. */
export function xFigureOf({ xFigure }: Question, type: MetricType): SessionFigure {
  return (
    SESSION_FIGURES.find((each) => each === xFigure) ?? (type === "counter" ? "total" : "mean")
  );
}

type ScatterProps = {
  question: Question;
  metric: FoundMetric;
  x: FoundMetric | undefined;
  rows: GroupStatistics[];
  drawn: string[];
  suffix: string;
};

export function ScatterPanel({ question, metric, x: other, rows, drawn, suffix }: ScatterProps) {
  const { by, isLog } = question;
  const name = nameLabel(metric.name);
  if (!other || other.items.length === 0) {
    return (
      <section class="panel" aria-label={name}>
        <Empty
          title={
            question.x === undefined
              ? "Choose the metric of the horizontal axis"
              : `No metric “${nameLabel(question.x)}” in these sessions`
          }
        />
      </section>
    );
  }
  const figures = { x: xFigureOf(question, other.type), y: shownOf(question, metric.type) };
  const { points: all, missing } = scatter(other.items, metric.items, { by, ...figures });
  const points = isLog ? all.filter(({ y }) => y > 0) : all;
  const xName = `${nameLabel(other.name)} (${FIGURE_LABELS[figures.x]})`;
  const yName = `${name} (${FIGURE_LABELS[figures.y]})`;
  const notes = [
    ...(missing > 0
      ? [
          `${formatCount(missing, "session")} with only one of the two, or without these figures, ${missing === 1 ? "is" : "are"} left out.`,
        ]
      : []),
    ...(points.length < all.length
      ? [
          `${formatCount(all.length - points.length, "session")} with 0 or less cannot be on a logarithmic axis.`,
        ]
      : []),
    ...(points.length > LINKED_POINTS
      ? [`Points of the newest ${formatNumber(LINKED_POINTS)} sessions are links.`]
      : []),
    ...(rows.length > drawn.length
      ? [`${drawn.length} of ${formatNumber(rows.length)} groups have a colour of their own.`]
      : []),
  ];
  return (
    <Panel
      id={`over-time${suffix}`}
      title={`${yName} against ${xName}`}
      aside={<span class="quiet">{formatCount(points.length, "session")}</span>}
    >
      {points.length === 0 ? (
        <Empty title="No session has both" />
      ) : (
        <Points
          points={points}
          drawn={drawn}
          units={[unitOf(figures.x, other), unitOf(figures.y, metric)]}
          names={[xName, yName]}
          isLog={isLog}
        />
      )}
      {by === "none" ? null : (
        <Legend
          lines={drawn.map((group, index) => ({ index, name: groupLabel(group, by) }))}
          isOfPoints
        />
      )}
      {notes.length === 0 ? null : <p class="panel-note quiet">{notes.join(" ")}</p>}
    </Panel>
  );
}

function unitOf(figure: SessionFigure, { unit }: FoundMetric): string {
  return figure === "count" ? "" : unit;
}

type PointsProps = {
  points: SessionPoint[];
  drawn: string[];
  units: [x: string, y: string];
  names: [x: string, y: string];
  isLog: boolean;
};

function Points({
  points,
  drawn,
  units: [xUnit, yUnit],
  names: [xName, yName],
  isLog,
}: PointsProps) {
  const [xs, ys] = [rangeOf(points.map(({ x }) => x)), rangeOf(points.map(({ y }) => y))];
  const xScale = scaleOf(xs.least, xs.most, xUnit, 5);
  const yScale = (isLog ? logScaleOf : scaleOf)(ys.least, ys.most, yUnit);
  const [xStep, yStep] = [endStep(xs.least, xs.most, xUnit), endStep(ys.least, ys.most, yUnit)];
  const placeX = (value: number) => shareOf(value, xScale.low, xScale.high);
  const placeY = (value: number) => (isLog ? logShareOf : shareOf)(value, yScale.low, yScale.high);
  const indexOf = new Map(drawn.map((group, index) => [group, index]));
  const inCells = oneInEachCell(points, placeX, placeY);
  const linked = inCells.slice(0, LINKED_POINTS);
  const others = inCells.slice(LINKED_POINTS);
  const left = (share: number) => `${(share * 100).toFixed(2)}%`;
  const top = (share: number) => left(1 - share);
  return (
    <figure class="plot scatter" aria-label={`${yName} against ${xName}`}>
      <div
        class="plot-y"
        aria-hidden="true"
        data-alone={yScale.ticks.length === 1 ? "" : undefined}
      >
        {yScale.ticks.toReversed().map((tick) => (
          <span>{formatTick(tick, yUnit, isLog ? tick : yScale.step)}</span>
        ))}
      </div>
      {/* Without a view box, so that circles are round at any width. */}
      <svg class="plot-series">
        {yScale.ticks.map((tick) => (
          <line class="plot-grid" x2="100%" y1={top(placeY(tick))} y2={top(placeY(tick))} />
        ))}
        {xScale.ticks.map((tick) => (
          <line class="plot-grid" y2="100%" x1={left(placeX(tick))} x2={left(placeX(tick))} />
        ))}
        {others.map(({ x, y, group }) => (
          <circle cx={left(placeX(x))} cy={top(placeY(y))} r="3" data-line={indexOf.get(group)} />
        ))}
        {linked.toReversed().map(({ session, x, y, group }) => (
          <a href={`/sessions/${encodeURIComponent(session)}`}>
            <circle cx={left(placeX(x))} cy={top(placeY(y))} r="3" data-line={indexOf.get(group)}>
              <title>{`${formatQuantity(x, xUnit, xStep)}, ${formatQuantity(y, yUnit, yStep)} (${session.slice(0, 8)})`}</title>
            </circle>
          </a>
        ))}
      </svg>
      <svg class="plot-x" aria-hidden="true">
        {xScale.ticks.map((tick) => (
          <text x={`${placeX(tick) * 100}%`} y="1em" text-anchor={anchorAt(placeX(tick))}>
            {formatTick(tick, xUnit, xScale.step)}
          </text>
        ))}
      </svg>
      <figcaption class="plot-caption quiet">{xName}</figcaption>
    </figure>
  );
}

function rangeOf(values: number[]): { least: number; most: number } {
  return {
    least: values.reduce((a, b) => Math.min(a, b), Infinity),
    most: values.reduce((a, b) => Math.max(a, b), -Infinity),
  };
}

/** Of points that would be drawn over each other, the first of each group. */
function oneInEachCell(
  points: SessionPoint[],
  placeX: (value: number) => number,
  placeY: (value: number) => number,
): SessionPoint[] {
  const { across, up } = SCATTER_CELLS;
  const cells = new Set<string>();
  return points.filter(({ x, y, group }) => {
    const cell = `${Math.floor(placeX(x) * across)} ${Math.floor(placeY(y) * up)} ${group}`;
    if (cells.has(cell)) return false;
    cells.add(cell);
    return true;
  });
}

/** Labels at the edges stay inside. */
function anchorAt(share: number): "start" | "middle" | "end" {
  if (share < 0.06) return "start";
  return share > 0.94 ? "end" : "middle";
}
