/**
 * One metric over many sessions. The catalog has the figures, sketch and rollup of every series, so comparing sessions reads a row or two of
 * each and never a point. At most MAX_COMPARED_SESSIONS sessions are compared: the newest that pass the filter.
 */
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { ComparedSeries } from "../core/comparison/comparison.ts";
import type { PackedDistribution } from "../core/metrics/distribution.ts";
import type { QuantileSteps, Rollup } from "../core/metrics/rollup.ts";
import type { MetricType } from "../core/vocabulary.ts";
import {
  detailKey,
  rowsNamed,
  type SeriesRollup,
  unpacked,
  wideColumnsOf,
} from "./tables/details.ts";
import { MAX_COMPARED_SESSIONS } from "./limits.ts";
import { LEFT_OUT_BITS, type SessionFilter } from "./search/filter.ts";
import { type Names, names, type NamesQuery } from "./names.ts";
import { TOKEN } from "./tables/posting.ts";
import type { SessionRow } from "../core/answers/session-row.ts";
import { type Held, keyedSessions, publishedTo } from "./search/sessions.ts";

export type MetricName = { name: string; type: MetricType; unit: string };

/** Metric names, alphabetically, with the type and unit with which they were first recorded in one product that has them. */
export async function metricNames(
  db: D1Database,
  query: NamesQuery = {},
): Promise<Names<MetricName>> {
  const page = await names(db, "metric", query);
  const found = JSON.stringify(page.items);
  const isOf = query.product === undefined ? sql`` : sql` AND product = ${query.product}`;
  const items = await drizzle(db).all<MetricName>(
    sql`SELECT m.name, m.type, m.unit FROM json_each(${found}) AS n CROSS JOIN names AS m ON m.kind = 'metric' AND m.name = n.value
          AND m.product = (SELECT min(product) FROM names WHERE kind = 'metric' AND name = n.value${isOf})
        ORDER BY n.key`,
  );
  return { ...page, items };
}

/** One series of one session. */
export type SessionMetric = ComparedSeries & {
  session: SessionRow;
  series: number;
  name: string;
  unit: string;
  tags: string[];
};

type MetricQuery = SessionFilter & {
  name: string;
  type?: MetricType;
  cursor?: string;
  /** Series that carry all of these. */
  tags?: string[];
  /** Whether quantiles over time are wanted, which are the widest column. */
  quantile_steps?: boolean;
};

export type SessionMetrics = {
  items: SessionMetric[];
  /** How many sessions they are of, and whether there are older ones that might have it. */
  sessions: number;
  /** Ids of sessions that may have it in a series after the first MAX_LISTED_SERIES, which the catalog does not have. */
  unlisted: string[];
  partial: boolean;
  /** Where the older ones begin. */
  next: string | null;
  searched_to: number | null;
  /** As of a SessionList. */
  published_to: number | null;
};

/** The metric in every session that passes, newest session first. core/comparison/comparison.ts combines them. */
export async function sessionMetrics(
  db: D1Database,
  query: MetricQuery,
  held?: Held,
): Promise<SessionMetrics> {
  const { name, type, tags = [], quantile_steps = false, ...filter } = query;
  const asked = { ...filter, metric: name, limit: MAX_COMPARED_SESSIONS };
  const { keys, ...found } = await keyedSessions(db, asked, held);
  const [series, packed] = await Promise.all([
    figuresOf(db, keys, name),
    dividedSeries(db, keys, name, [
      "distribution",
      "rollup",
      ...(quantile_steps ? (["quantile_steps"] as const) : []),
    ]),
  ]);
  const items = found.items.flatMap((session, place) =>
    (series.get(place) ?? [])
      .filter((one) => type === undefined || one.type === type)
      .filter((one) => tags.every((tag) => one.tags.includes(tag)))
      .map((one): SessionMetric => ({
        ...one,
        session,
        ...(packed.get(place)?.get(one.series) ?? UNDIVIDED),
      })),
  );
  const withRows = new Set(items.map((item) => item.session.id));
  const unlisted = found.items
    .filter(({ id, left_out }) => left_out & LEFT_OUT_BITS.series && !withRows.has(id))
    .map(({ id }) => id);
  return {
    items,
    sessions: withRows.size,
    unlisted,
    partial: found.partial || unlisted.length > 0,
    next: found.next,
    searched_to: found.searched_to,
    published_to: publishedTo(filter, Date.now(), true),
  };
}

/** The series of a metric in each of these sessions, by the session's place in the list, in the order of their ids. */
async function figuresOf(
  db: D1Database,
  keys: number[],
  name: string,
): Promise<Map<number, ReturnType<typeof unpacked<"figures">>>> {
  const rows = await drizzle(db).all<{ place: number; figures: string }>(
    sql`SELECT s.key AS place, d.figures -> ${`$.${detailKey(name)}`} AS figures
        FROM json_each(${JSON.stringify(keys)}) AS s CROSS JOIN details AS d ON d.key = s.value
        WHERE d.figures -> ${`$.${detailKey(name)}`} IS NOT NULL`,
  );
  return new Map(
    rows.map(({ place, figures }) => [
      place,
      unpacked("figures", figures)
        .filter((series) => series.name === name)
        .toSorted((a, b) => a.series - b.series),
    ]),
  );
}

/** How the values of a series are divided; null if it was not asked for, or is not there. */
export type DividedSeries = Pick<ComparedSeries, "distribution" | "rollup" | "quantile_steps">;

export const UNDIVIDED: DividedSeries = { distribution: null, rollup: null, quantile_steps: null };

/** The same of a metric's series in some sessions, by the session's place among the keys and the series' id. */
export async function dividedSeries(
  db: D1Database,
  keys: number[],
  name: string,
  columns: readonly (keyof DividedSeries)[],
): Promise<Map<number, Map<number, DividedSeries>>> {
  const found = new Map<number, Map<number, DividedSeries>>();
  if (keys.length === 0) return found;
  const selected = sql.raw(wideColumnsOf("rollups", ["series", ...columns]));
  const from = (table: "details" | "more_rollups") =>
    sql`SELECT s.key AS place, ${selected} FROM json_each(${JSON.stringify(keys)}) AS s
        CROSS JOIN ${sql.raw(table)} AS d ON d.key = s.value CROSS JOIN ${rowsNamed("rollups", name)}`;
  const rows = await drizzle(db).all<Partial<SeriesRollup> & { place: number; series: number }>(
    sql`${from("details")} UNION ALL ${from("more_rollups")}`,
  );
  for (const { place, series, distribution, rollup, quantile_steps } of rows) {
    // All as core wrote them.
    const divided: DividedSeries = {
      distribution: parsed<PackedDistribution>(distribution),
      rollup: parsed<Rollup>(rollup),
      quantile_steps: parsed<QuantileSteps>(quantile_steps),
    };
    const ofSession = found.get(place);
    if (ofSession) ofSession.set(series, divided);
    else found.set(place, new Map([[series, divided]]));
  }
  return found;
}

function parsed<Value>(json: string | null | undefined): Value | null {
  return json ? (JSON.parse(json) as Value) : null;
}

/** The unit of the newest session that gave one. */
export function unitOf(items: { unit: string }[]): string {
  return items.find(({ unit }) => unit !== "")?.unit ?? "";
}

/** A sparkline of a metric in one session, and its last value. */
type SessionRollup = { rollup: Rollup; last: number; unit: string };

/** The metric in each of these sessions (its first series there). */
export async function rollups(
  db: D1Database,
  sessionIds: string[],
  name: string,
): Promise<Map<string, SessionRollup>> {
  if (sessionIds.length === 0) return new Map();
  const any = sessionIds.map(TOKEN.id).join(" OR ");
  const known = await drizzle(db).all<{ key: number; id: string }>(
    sql`SELECT s.key, s.id FROM postings CROSS JOIN sessions AS s ON s.key = postings.rowid WHERE postings MATCH ${any}`,
  );
  const keys = known.map(({ key }) => key);
  const [series, packed] = await Promise.all([
    figuresOf(db, keys, name),
    dividedSeries(db, keys, name, ["rollup"]),
  ]);
  return new Map(
    known.flatMap(({ id }, place): [string, SessionRollup][] => {
      const ofSession = packed.get(place);
      for (const { series: number, last, unit } of series.get(place) ?? []) {
        const rollup = ofSession?.get(number)?.rollup;
        if (rollup) return [[id, { rollup, last, unit }]];
      }
      return [];
    }),
  );
}
