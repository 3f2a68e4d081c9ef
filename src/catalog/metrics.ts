/**
 * One metric over many sessions. The catalog has the statistics, sketch and rollup of every series, so comparing sessions reads a row per
 * series and never a point. At most MAX_COMPARED_SESSIONS sessions are compared: the newest that pass the filter.
 */
import { and, getTableColumns, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { ComparedSeries } from "../core/comparison/comparison.ts";
import type { PackedDistribution } from "../core/metrics/distribution.ts";
import type { QuantileSteps, Rollup } from "../core/metrics/rollup.ts";
import type { MetricType } from "../core/vocabulary.ts";
import { MAX_COMPARED_SESSIONS } from "./limits.ts";
import { LEFT_OUT_BITS, type SessionFilter } from "./filter.ts";
import { type Names, names, type NamesQuery } from "./names.ts";
import type { SessionRow } from "../core/answers.ts";
import { metrics } from "./schema.ts";
import { type Held, listSessions } from "./sessions.ts";

export type MetricName = { name: string; type: MetricType; unit: string };

/** Metric names, alphabetically, with the type and unit of one session that has them. */
export async function metricNames(
  db: D1Database,
  query: NamesQuery = {},
): Promise<Names<MetricName>> {
  const page = await names(db, "metrics", query);
  const found = JSON.stringify(page.items);
  const items = await drizzle(db).all<MetricName>(
    sql`SELECT m.name, m.type, m.unit FROM json_each(${found}) AS n JOIN metrics AS m ON (m.session_id, m.name, m.series) =
          (SELECT session_id, name, series FROM metrics WHERE name = n.value ORDER BY session_id DESC LIMIT 1)
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
  const found = await listSessions(db, asked, held);
  const sessions = new Map(found.items.map((session) => [session.id, session]));
  const conditions = [
    sql`NOT EXISTS (SELECT 1 FROM json_each(${JSON.stringify(tags)}) AS wanted
          WHERE wanted.value NOT IN (SELECT value FROM json_each(metrics.tags)))`,
    type === undefined ? undefined : sql`metrics.type = ${type}`,
  ];
  const rows = await drizzle(db).all<StoredMetric>(
    sql`SELECT ${quantile_steps ? ALL_COLUMNS : COLUMNS} FROM json_each(${JSON.stringify([...sessions.keys()])}) AS s
          CROSS JOIN metrics ON metrics.session_id = s.value AND metrics.name = ${name}
        WHERE ${and(...conditions)} ORDER BY s.key, metrics.series`,
  );
  const items = rows.flatMap((row) => {
    const session = sessions.get(row.session_id);
    return session ? [sessionMetric(row, session)] : [];
  });
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
    published_to: found.published_to,
  };
}

const ALL_COLUMNS = sql.raw("metrics.*");
const COLUMNS = sql.raw(
  Object.keys(getTableColumns(metrics))
    .filter((column) => column !== "quantile_steps")
    .map((column) => `metrics.${column}`)
    .join(),
);

type Packed = "distribution" | "rollup" | "quantile_steps";
/** The unit of the newest session that gave one. */
export function unitOf(items: SessionMetric[]): string {
  return items.find(({ unit }) => unit !== "")?.unit ?? "";
}

type StoredMetric = Omit<SessionMetric, "session" | "tags" | Packed> & {
  session_id: string;
  tags: string;
} & { [Column in Packed]?: string | null };

function sessionMetric(row: StoredMetric, session: SessionRow): SessionMetric {
  return {
    ...row,
    session,
    // All as core wrote them.
    tags: JSON.parse(row.tags) as string[],
    distribution: parsed<PackedDistribution>(row.distribution),
    rollup: parsed<Rollup>(row.rollup),
    quantile_steps: parsed<QuantileSteps>(row.quantile_steps),
  };
}

function parsed<Value>(json: string | null | undefined): Value | null {
  return json ? (JSON.parse(json) as Value) : null;
}

/** A sparkline of a metric in one session, and its last value. */
type SessionRollup = { rollup: Rollup; last: number; unit: string };

/** The metric in each of these sessions (its first series there). */
export async function rollups(
  db: D1Database,
  sessionIds: string[],
  name: string,
): Promise<Map<string, SessionRollup>> {
  const rows = await drizzle(db).all<{ id: string; rollup: string; last: number; unit: string }>(
    sql`SELECT metrics.session_id AS id, metrics.rollup, metrics.last, metrics.unit FROM json_each(${JSON.stringify(sessionIds)}) AS s
          CROSS JOIN metrics ON metrics.session_id = s.value AND metrics.name = ${name}
        WHERE metrics.rollup IS NOT NULL ORDER BY metrics.series DESC`,
  );
  return new Map(
    rows.map(({ id, rollup, ...rest }) => [
      id,
      { ...rest, rollup: JSON.parse(rollup) as Rollup }, // written by publish
    ]),
  );
}
