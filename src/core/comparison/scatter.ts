/** Two metrics of the same sessions against each other: one point for each session that has both. */
import { groupBy, grouper, type Grouping } from "./grouping.ts";
import type { ComparedSeries } from "./comparison.ts";
import { type GroupStatistics, statisticsOf } from "./statistics.ts";

/** A figure of a session: of all its series of the metric together. */
export const SESSION_FIGURES = [
  "mean",
  "min",
  "max",
  "last",
  "count",
  "sum",
  "total",
  "rate",
  "p50",
  "p95",
  "p99",
  "stddev",
] as const;
export type SessionFigure = (typeof SESSION_FIGURES)[number];

export type SessionPoint = { session: string; group: string; x: number; y: number };

/** `missing`: sessions that have only one of the two, or of which a figure or the group is not known. */
type Scatter = { points: SessionPoint[]; missing: number };

type ScatterQuery = { by?: Grouping; x: SessionFigure; y: SessionFigure };

export function scatter(
  xItems: ComparedSeries[],
  yItems: ComparedSeries[],
  { by = "none", x, y }: ScatterQuery,
): Scatter {
  const groupOf = grouper(by);
  const [xs, ys] = [bySession(xItems), bySession(yItems)];
  const points: SessionPoint[] = [];
  for (const [session, members] of ys) {
    const [first] = members;
    const others = xs.get(session);
    const group = first ? groupOf(first.session) : null;
    const xValue = others && figureOf(others, x);
    const yValue = figureOf(members, y);
    if (group === null || typeof xValue !== "number" || yValue === null) continue;
    points.push({ session, group, x: xValue, y: yValue });
  }
  const all = new Set([...xs.keys(), ...ys.keys()]).size;
  return { points, missing: all - points.length };
}

function bySession(items: ComparedSeries[]): Map<string, ComparedSeries[]> {
  return groupBy(items, ({ session }) => session.id);
}

/** Null if it is not known, or a metric of this type has none. */
export function figureOf(members: ComparedSeries[], figure: SessionFigure): number | null {
  if (figure === "last") return lastOf(members);
  const statistics: GroupStatistics = statisticsOf("", members);
  // Quantiles of a part of the values would be others.
  return statistics.quantiles_sessions === undefined || !isQuantile(figure)
    ? statistics[figure]
    : null;
}

function isQuantile(figure: SessionFigure): boolean {
  return figure === "p50" || figure === "p95" || figure === "p99";
}

/** The value of the newest point. */
function lastOf(members: ComparedSeries[]): number | null {
  let newest: ComparedSeries | undefined;
  for (const item of members) if (!newest || item.last_at > newest.last_at) newest = item;
  return newest?.last ?? null;
}
