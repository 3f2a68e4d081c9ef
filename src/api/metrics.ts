/** One metric over many sessions: statistics per group, over time, distribution; as JSON, or its table as CSV. */
import { nameAsked } from "../core/text/names.ts";
import { type Context, Hono } from "hono";
import { type AccessEnv, requires } from "../access/access.ts";
import { distribution } from "../core/metrics/bars.ts";
import { totalOf } from "../core/comparison/comparison.ts";
import { ungrouped } from "../core/comparison/grouping.ts";
import { overTime, quantilesOverTime } from "../core/comparison/over-time.ts";
import { statistics } from "../core/comparison/statistics.ts";
import { csvOf } from "../core/text/csv.ts";
import { Distribution } from "../core/metrics/distribution.ts";
import { METRIC_LIST, metricsPassing } from "../core/metrics/fields.ts";
import { meanOf, sumOf } from "../core/metrics/moments.ts";
import { compareMetrics } from "../catalog/compared.ts";
import { eventNames } from "../catalog/events.ts";
import { metricNames, type SessionMetric, sessionMetrics, unitOf } from "../catalog/metrics.ts";
import { withMerged } from "../registry/merges.ts";
import { askHeld } from "../session/client.ts";
import * as query from "./request/query.ts";
import { filterOf, parseQuery, queryOf } from "./request/query.ts";

export const metrics = new Hono<AccessEnv>();

metrics.get("/metrics", requires("read"), async (c) => {
  const { q, ...asked } = parseQuery(query.MetricNames, c.req.url);
  const passing = queryOf(METRIC_LIST, q);
  const product = c.var.access.product ?? undefined;
  const page = await metricNames(c.env.CATALOG, { ...asked, product });
  return c.json(passing ? { ...page, items: metricsPassing(page.items, passing) } : page);
});

metrics.get("/events", requires("read"), async (c) => {
  const asked = parseQuery(query.Names, c.req.url);
  const product = c.var.access.product ?? undefined;
  return c.json(await eventNames(c.env.CATALOG, { ...asked, product }));
});

/**
 * Aggregated: `by` groups, `quantiles=true` adds those over time, `axis` aligns sessions at their start or end; `format=csv` is the
 * statistics' table.
 */
metrics.get("/metrics/:name", requires("read"), async (c) => {
  const { by, axis, buckets, bars, quantiles, format, type, tags, cursor, ...asked } = parseQuery(
    query.Metric,
    c.req.url,
  );
  const name = nameAsked(c.req.param("name"));
  const filter = await withMerged(c.env.REGISTRY, filterOf(asked, c.var.access.product));
  const chart = { by, axis, buckets };
  const wanted = { names: [name], by, overTime: chart, quantiles, type, tags, cursor };
  const held = askHeld(c.env, c.var.access);
  const { metrics: found, ...read } = await compareMetrics(c.env.CATALOG, filter, wanted, held);
  const items = found[0]?.items ?? [];
  if (format === "csv") return spreadsheet(c, statistics(items, by));
  return c.json({
    name,
    type: items[0]?.type ?? null,
    unit: unitOf(items),
    ...read,
    statistics: statistics(items, by),
    ungrouped: ungrouped(items, by ?? "none"),
    over_time: overTime(items, chart),
    quantiles_over_time: quantiles ? quantilesOverTime(items, chart) : undefined,
    distribution: distribution(items, bars),
  });
});

/** One row per session and series; `format=csv` for spreadsheets. */
metrics.get("/metrics/:name/sessions", requires("read"), async (c) => {
  const { format, ...asked } = parseQuery(query.MetricSessions, c.req.url);
  const name = nameAsked(c.req.param("name"));
  const passing = await withMerged(c.env.REGISTRY, filterOf(asked, c.var.access.product));
  const filter = { ...passing, name };
  const held = askHeld(c.env, c.var.access);
  const { items, sessions: _, ...searched } = await sessionMetrics(c.env.CATALOG, filter, held);
  const rows = items.map(rowOf);
  if (format !== "csv") return c.json({ items: rows, ...searched });
  return spreadsheet(c, rows);
});

/** A series of a session as a row without nesting. */
export function rowOf({ session, distribution: packed, ...metric }: SessionMetric) {
  const quantiles = packed ? Distribution.unpack(packed).quantiles() : null;
  const total = totalOf({ session, distribution: packed, ...metric });
  return {
    session_id: session.id,
    product: session.product,
    version: session.version,
    machine: session.hostname || session.machine_id,
    status: session.status,
    created_at: session.created_at,
    name: metric.name,
    type: metric.type,
    unit: metric.unit,
    tags: metric.tags.join(" "),
    points: metric.points,
    count: metric.count,
    sum: sumOf(total),
    mean: meanOf(total, metric.count),
    min: metric.min,
    max: metric.max,
    stddev: metric.deviation,
    p50: quantiles?.p50 ?? null,
    p95: quantiles?.p95 ?? null,
    p99: quantiles?.p99 ?? null,
    quantiles_exact: quantiles?.exact ?? null,
    quantiles_accuracy: quantiles?.accuracy ?? null,
    first: metric.first,
    last: metric.last,
    first_at: metric.first_at,
    last_at: metric.last_at,
  };
}

type Row = { [column: string]: string | number | boolean | null };

function spreadsheet(c: Context, rows: Row[]): Response {
  const columns = Object.keys(rows[0] ?? {});
  const cells = rows.map((row) => columns.map((column) => row[column]));
  return c.body(csvOf(columns, cells), 200, {
    "content-type": "text/csv; charset=utf-8",
    "content-disposition": `attachment; filename="metric.csv"`,
  });
}
