/** The metrics of the newest sessions that pass a filter: what is shown before one is chosen. */
import { sql } from "drizzle-orm";
import type { Rollup } from "../core/metrics/rollup.ts";
import type { MetricType } from "../core/vocabulary.ts";
import { dividedSeries } from "./metrics.ts";
import type { SessionFilter } from "./search/filter.ts";
import { rowsOf } from "./search/parameters.ts";
import { found, searchOf } from "./search/scan.ts";
import { unpackedAll } from "./tables/details.ts";

export type RecentMetric = {
  name: string;
  type: MetricType;
  unit: string;
  /** How many of the sessions have it, and their points. */
  sessions: number;
  points: number;
  /** Of all these sessions. */
  min: number;
  max: number;
  /** Its last value in the newest of them, and its course there. */
  last: number;
  rollup: Rollup | null;
};

type RecentMetrics = {
  /** Those that most sessions have come first; at most as many as were asked for. */
  items: RecentMetric[];
  /** How many metrics there are in these sessions, and how many sessions were read. */
  metrics: number;
  sessions: number;
};

type Counted = RecentMetric & { key: number; series: number };

export async function recentMetrics(
  db: D1Database,
  filter: SessionFilter,
  { sessions, limit }: { sessions: number; limit: number },
): Promise<RecentMetrics> {
  const search = await searchOf(db, filter);
  const rows = await rowsOf<{ key: number; figures: string }>(
    db,
    sql`SELECT s.key, json(d.figures) AS figures ${found(search, {})} AND d.figures IS NOT NULL LIMIT ${sessions}`,
  );
  const metrics = new Map<string, Counted>();
  for (const { key, figures } of rows) count(metrics, key, figures);
  const most = [...metrics.values()]
    .sort((a, b) => b.sessions - a.sessions || b.points - a.points || (a.name < b.name ? -1 : 1))
    .slice(0, limit);
  const items = await Promise.all(
    most.map(async ({ key, series, ...metric }): Promise<RecentMetric> => {
      const divided = await dividedSeries(db, [key], metric.name, ["rollup"]);
      return { ...metric, rollup: divided.get(0)?.get(series)?.rollup ?? null };
    }),
  );
  return { items, metrics: metrics.size, sessions: rows.length };
}

/** Adds the series of a session. A session is counted once for a metric of which it has several. */
function count(metrics: Map<string, Counted>, key: number, figures: string): void {
  const seen = new Set<string>();
  for (const { name, type, unit, points, min, max, last, series } of unpackedAll(
    "figures",
    figures,
  )) {
    let metric = metrics.get(name);
    if (!metric) {
      metric = {
        name,
        type,
        unit,
        sessions: 0,
        points: 0,
        min,
        max,
        last,
        rollup: null,
        key,
        series,
      };
      metrics.set(name, metric);
    }
    if (!seen.has(name)) metric.sessions++;
    seen.add(name);
    metric.points += points;
    metric.min = Math.min(metric.min, min);
    metric.max = Math.max(metric.max, max);
    if (metric.unit === "") metric.unit = unit;
  }
}
