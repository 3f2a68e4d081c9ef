/** Tables for Grafana's Infinity data source and other readers of flat JSON (src/pages/docs/grafana.md). rows.ts has what they have in common. */
import { type Context, Hono } from "hono";
import { type AccessEnv, requires } from "../../access/access.ts";
import { compareMetrics } from "../../catalog/compared.ts";
import { eventNames } from "../../catalog/events.ts";
import { type ExceptionGroup, exceptionDays, exceptionGroups } from "../../catalog/exceptions.ts";
import { metricNames, sessionMetrics } from "../../catalog/metrics.ts";
import { TREND_DAYS } from "../../catalog/limits.ts";
import { freeRate, versionDays, versions } from "../../catalog/products.ts";
import { listSessions } from "../../catalog/search/sessions.ts";
import type { SessionRow } from "../../core/answers/session-row.ts";
import { GROUP_LIST } from "../../core/events/group-fields.ts";
import { DAY_MS, MAX_PAGE } from "../../core/limits.ts";
import { labelOf } from "../../core/status/outcome.ts";
import { asking, nameAsked, segmentOf } from "../../core/text/names.ts";
import { quotedName } from "../../core/text/recorded-text.ts";
import { listDecided, withMerged } from "../../registry/merges.ts";
import { askHeld } from "../../session/client.ts";
import { MAX_COUNTED_SESSIONS, MAX_DAYS, TABLE_GROUPS } from "../limits.ts";
import { rowOf as seriesRow } from "../metrics.ts";
import * as query from "../request/query.ts";
import { filterOf, ofProduct, parseQuery, queryOf } from "../request/query.ts";
import { type Completeness, type Row, table, timed } from "./rows.ts";
import { chartOf, countRows, quantileRows, valueRows } from "./steps.ts";

export const tables = new Hono<AccessEnv>();
tables.use("/tables/*", requires("read"));

/** A row per session, the newest first unless sorted otherwise. */
tables.get("/tables/sessions", async (c) => {
  const { completeness, ...asked } = parseQuery(query.TableSessions, c.req.url);
  const held = askHeld(c.env, c.var.access);
  const { items, ...found } = await listSessions(c.env.CATALOG, await filterIn(c, asked), held);
  const rows = items.map((session) => sessionRow(session, new URL(c.req.url).origin));
  return table(c, rows, found, completeness);
});

function sessionRow({ tags, unsure, ...session }: SessionRow, origin: string): Row {
  return {
    ...timed("time", session.created_at),
    id: session.id,
    product: session.product,
    version: session.version,
    machine: session.hostname || session.machine_id,
    status: session.status,
    label: labelOf(session),
    verdict: session.headline,
    exit_code: session.exit_code,
    signal: session.signal,
    ran_ms: session.ran_ms,
    ...timed("ended_at", session.ended_at),
    ...timed("updated_at", session.updated_at),
    states: session.states,
    events: session.events,
    exceptions: session.exceptions,
    uncaught: session.uncaught,
    points: session.points,
    series: session.series,
    attachments: session.attachments,
    tests: session.tests,
    failed_tests: session.failed_tests,
    ever_hung: session.ever_hung,
    bytes: session.bytes,
    tags: tags.join(" "),
    unsure: unsure === true,
    url: `${origin}/sessions/${segmentOf(session.id)}`,
  };
}

/** How many sessions started in each step of time, by outcome; `by` groups. */
tables.get("/tables/sessions/steps", async (c) => {
  const { completeness, by, step, ...asked } = parseQuery(query.TableSteps, c.req.url);
  const filter = await filterIn(c, asked);
  const held = askHeld(c.env, c.var.access);
  const sessions: SessionRow[] = [];
  let found: Completeness;
  let cursor: string | undefined;
  do {
    const page = { ...filter, limit: MAX_PAGE, cursor };
    const { items, ...rest } = await listSessions(c.env.CATALOG, page, held);
    sessions.push(...items);
    found = { ...rest, partial: rest.partial || sessions.some(({ unsure }) => unsure === true) };
    cursor = rest.next ?? undefined;
  } while (cursor !== undefined && sessions.length < MAX_COUNTED_SESSIONS);
  // The table takes no cursor: what is left out is older than searched_to.
  const last = sessions.at(-1)?.created_at;
  const searched_to = found.searched_to ?? (cursor === undefined ? null : last);
  const rows = countRows(sessions, { by, step, from: asked.from, to: asked.to });
  return table(c, rows, { ...found, next: null, searched_to }, completeness);
});

/** A metric over time: a row per step and group. `quantiles=true`: p50, p95 and p99 instead of mean, min and max. */
tables.get("/tables/metrics/:name", async (c) => {
  const { completeness, by, step, quantiles, from, ...asked } = parseQuery(
    query.TableMetric,
    c.req.url,
  );
  // A session that started before the range may have points in it; one that started after it has none.
  const filter = await filterIn(c, asked);
  const name = nameAsked(c.req.param("name"));
  const steps = { by, step, from, to: asked.to };
  const { metrics, ...found } = await compareMetrics(
    c.env.CATALOG,
    filter,
    { names: [name], by, overTime: chartOf(steps), quantiles, type: asked.type, tags: asked.tags },
    askHeld(c.env, c.var.access),
  );
  const items = metrics.flatMap((metric) => metric.items);
  const { rows, undrawn } = (quantiles ? quantileRows : valueRows)(items, steps);
  const partial = found.partial || undrawn > 0;
  return table(c, rows, { ...found, next: null, partial }, completeness);
});

/** A metric's statistics: a row per session and series. */
tables.get("/tables/metrics/:name/sessions", async (c) => {
  const { completeness, ...asked } = parseQuery(query.TableMetricSessions, c.req.url);
  const filter = await filterIn(c, asked);
  const name = nameAsked(c.req.param("name"));
  const held = askHeld(c.env, c.var.access);
  const { items, ...found } = await sessionMetrics(c.env.CATALOG, { ...filter, name }, held);
  const rows = items.map((item) => {
    const { created_at, first_at, last_at, ...row } = seriesRow(item);
    const times = { ...timed("first_at", first_at), ...timed("last_at", last_at) };
    return { ...timed("time", created_at), ...row, ...times };
  });
  return table(c, rows, found, completeness);
});

/** A row per version of a product, the product used last first. */
tables.get("/tables/products", async (c) => {
  const { completeness, product } = ofProduct(
    parseQuery(query.TableProducts, c.req.url),
    c.var.access.product,
  );
  const counted = await versions(c.env.CATALOG, product);
  const rows = counted.map(({ first_at, last_at, ...counts }) => ({
    ...timed("time", last_at),
    ...counts,
    crash_free: freeRate(counts.sessions, counts.crashed),
    failure_free: freeRate(counts.sessions, counts.crashed + counts.failed),
    hang_free: freeRate(counts.sessions, counts.ever_hung),
    runs_passed: freeRate(counts.test_runs, counts.failed_runs),
    ...timed("first_at", first_at),
  }));
  return table(c, rows, WHOLE, completeness);
});

/** How many sessions started on each day (UTC), by version: exact, over all sessions. */
tables.get("/tables/days", async (c) => {
  const { completeness, product, from, to } = ofProduct(
    parseQuery(query.TableDays, c.req.url),
    c.var.access.product,
  );
  const { days, since } = daysSince(from);
  const counted = await versionDays(c.env.CATALOG, Date.now(), { product, days });
  const rows = counted
    .filter(({ day_at }) => isIn(day_at, from, to))
    .map(({ day_at, ...counts }) => ({ ...timed("time", day_at), ...counts }));
  return table(c, rows, since, completeness);
});

/** A row per group of exceptions, the one that occurred last first unless sorted otherwise. */
tables.get("/tables/exceptions", async (c) => {
  const { completeness, ...asked } = ofProduct(
    parseQuery(query.TableGroups, c.req.url),
    c.var.access.product,
  );
  const { items, ...found } = await groupsOf(c, asked);
  const { origin } = new URL(c.req.url);
  const rows = items.map((group) => groupRow(group, origin));
  return table(c, rows, { ...found, partial: found.partial || found.next !== null }, completeness);
});

function groupRow({ fingerprints, ...group }: ExceptionGroup, origin: string): Row {
  return {
    ...timed("time", group.last_at),
    product: group.product,
    fingerprint: group.fingerprint,
    merged: fingerprints.length - 1,
    type: group.type,
    message: group.message,
    place: group.place,
    sessions: group.sessions,
    sessions_at_most: group.sessions_at_most,
    count: group.count,
    unhandled: group.unhandled,
    status: group.status,
    ...timed("first_at", group.first_at),
    session_id: group.session_id,
    url: `${origin}/exceptions/${segmentOf(group.fingerprint)}?product=${encodeURIComponent(asking(group.product))}`,
  };
}

/** On which days (UTC) the groups occurred: a row per day and group, of the groups that the filter finds first. */
tables.get("/tables/exceptions/days", async (c) => {
  const { completeness, from, to, ...asked } = ofProduct(
    parseQuery(query.TableGroupDays, c.req.url),
    c.var.access.product,
  );
  const { items, ...found } = await groupsOf(c, { limit: TABLE_GROUPS, ...asked });
  const { days, since } = daysSince(from);
  const trends = await exceptionDays(c.env.CATALOG, items, Date.now(), days);
  const rows = items.flatMap(({ product, fingerprint, type, place }, index) => {
    const byDay = Map.groupBy(trends[index] ?? [], ({ day_at }) => day_at);
    return [...byDay].map(([day_at, versionsOfDay]) => ({
      day_at,
      product,
      fingerprint,
      type,
      place,
      sessions: versionsOfDay.reduce((sum, { sessions }) => sum + sessions, 0),
      count: versionsOfDay.reduce((sum, { count }) => sum + count, 0),
    }));
  });
  const shown = rows
    .filter(({ day_at }) => isIn(day_at, from, to))
    .toSorted((a, b) => a.day_at - b.day_at)
    .map(({ day_at, ...row }) => ({ ...timed("time", day_at), ...row }));
  const partial = found.partial || found.next !== null || since.partial;
  return table(c, shown, { ...since, partial }, completeness);
});

/** Names for lists to choose from, each with the value that a parameter takes for it. */
tables.get("/tables/names", async (c) => {
  const { completeness, of, ...asked } = ofProduct(
    parseQuery(query.TableNames, c.req.url),
    c.var.access.product,
  );
  const { names, ...found } = await namesOf(c, of, asked);
  const rows = names.map((name) => ({ text: asking(name), value: valueOf(name) }));
  return table(c, rows, found, completeness);
});

type NamesAsked = { product?: string; prefix?: string; cursor?: string; limit?: number };

async function namesOf(
  c: Context<AccessEnv>,
  of: (typeof query.NAMES_OF)[number],
  { product, ...asked }: NamesAsked,
): Promise<Completeness & { names: string[] }> {
  const inProduct = { ...asked, product };
  switch (of) {
    case "metric": {
      const { items, ...found } = await metricNames(c.env.CATALOG, inProduct);
      return { ...found, names: items.map(({ name }) => name) };
    }
    case "event": {
      const { items, ...found } = await eventNames(c.env.CATALOG, inProduct);
      return { ...found, names: items };
    }
    case "product":
    case "version": {
      const rows = await versions(c.env.CATALOG, product);
      const different = [...new Set(rows.map((row) => row[of]))];
      const fitting = different.filter((name) => name.startsWith(asked.prefix ?? ""));
      const names = fitting.slice(0, asked.limit ?? MAX_PAGE);
      return { partial: names.length < fitting.length, names };
    }
  }
}

/** The name as a parameter's value. A `*` of its own is written as a JSON string, because a bare one stands for any. */
function valueOf(name: string): string {
  return name === "*" ? quotedName(name) : asking(name);
}

/** The filter of sessions that a query asks for. */
async function filterIn<Asked extends Parameters<typeof filterOf>[0]>(
  c: Context<AccessEnv>,
  asked: Asked,
) {
  return withMerged(c.env.REGISTRY, filterOf(asked, c.var.access.product));
}

async function groupsOf(
  c: Context<AccessEnv>,
  { q, ...filter }: Parameters<typeof exceptionGroups>[1] & { q?: string },
) {
  const asked = { ...filter, query: queryOf(GROUP_LIST, q) };
  const decided = await listDecided(c.env.REGISTRY, asked.product);
  return exceptionGroups(c.env.CATALOG, asked, decided);
}

const WHOLE: Completeness = { partial: false };

/** How many days before now begin at `from` or later, up to MAX_DAYS. */
function daysSince(from = Date.now() - (TREND_DAYS - 1) * DAY_MS): {
  days: number;
  since: Completeness;
} {
  const wanted = Math.floor(Date.now() / DAY_MS) - Math.floor(from / DAY_MS) + 1;
  const days = Math.min(MAX_DAYS, Math.max(1, wanted));
  const first = (Math.floor(Date.now() / DAY_MS) - days + 1) * DAY_MS;
  return {
    days,
    since: { partial: wanted > MAX_DAYS, searched_to: wanted > MAX_DAYS ? first : null },
  };
}

/** Whether any moment of the day is in the range. */
function isIn(day_at: number, from = 0, to = Infinity): boolean {
  return day_at + DAY_MS > from && day_at < to;
}
