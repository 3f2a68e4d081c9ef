/**
 * The session list: any filter, over any number of sessions, in bounded time.
 *
 * If few sessions pass a filter, its own index finds each. Otherwise sessions are read in order of their start, newest first, and
 * at most SCAN_SESSIONS of them for one page: such a page may have fewer rows than requested, and its `next` continues where it stopped.
 * Any order but by start is that of the newest SCAN_SESSIONS candidates.
 *
 * The catalog lists only a part of what some sessions hold. Whether those pass is asked of their objects, of MAX_ASKED for one page.
 */
import { type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { SQLiteAsyncDialect } from "drizzle-orm/sqlite-core";
import { Refusal } from "../core/refusal.ts";
import type { HeldQuery, SessionRow } from "../core/answers.ts";
import { ranMs, statusMs } from "../core/session/duration.ts";
import { DEFAULT_PAGE, PUBLISH_MS } from "../core/limits.ts";
import { readCursor, writeCursor } from "./cursor.ts";
import {
  condition,
  heldQuery,
  RAN_MS,
  type SessionFilter,
  sideTables,
  type StatusKind,
  uncertain,
} from "./filter.ts";
import { compile, uncertainQuery, versionRanges, withVersions } from "./query.ts";
import {
  MAX_ASKED,
  MAX_PARAMETERS,
  MAX_VERSION_RANGES,
  PARAMETER_LENGTH,
  RARE_SESSIONS,
  SCAN_SESSIONS,
} from "./limits.ts";

export const SESSION_SORTS = [
  "created_at",
  "updated_at",
  "status",
  "events",
  "exceptions",
  "points",
  "product",
  "hostname",
  "ran_ms",
] as const;
export type SessionSort = (typeof SESSION_SORTS)[number];

export type SessionListQuery = SessionFilter & {
  sort?: SessionSort;
  order?: "desc" | "asc";
  cursor?: string;
  limit?: number;
};

export type SessionList = {
  items: SessionRow[];
  next: string | null;
  previous: string | null;
  /** Start of the oldest session that was read, if older ones were not; `next`, if any, continues there. */
  searched_to: number | null;
  /** Not every session that may pass was looked at: there is a `next`, older ones were not read, or some rows are `unsure`. */
  partial: boolean;
  /** What was recorded after this time may be missing, because a running session publishes it up to PUBLISH_MS later. Null: nothing of that time can pass. */
  published_to: number | null;
};

/** Asks a session's object what is left out in the catalog; null: the object cannot answer it either. */
export type Held = (sessionId: string, query: HeldQuery) => Promise<boolean | null>;

/** One page of the list. With `held`, the objects of sessions that may or may not pass are asked. */
export async function listSessions(
  db: D1Database,
  asked: SessionListQuery,
  held?: Held,
): Promise<SessionList> {
  const query = await resolved(db, asked);
  const { sort = "created_at", order = "desc", limit = DEFAULT_PAGE } = query;
  const list = `${sort} ${order}`;
  const cursor = query.cursor === undefined ? undefined : readCursor(query.cursor, list);
  const forwards = !cursor?.backwards;
  const page: PageQuery = {
    sort,
    descending: (order === "desc") === forwards,
    after: cursor,
    limit,
  };
  const source = await sourceOf(db, query);

  const selection = selectPage(query, source, page);
  if (query.query) checkParameters(selection);
  const found = await drizzle(db).all<StoredRow>(selection);
  const fits = held ? askable(found) : found.length;
  const rows = found.slice(0, Math.min(limit, fits));
  const more = found.length > rows.length;
  // A full page in order of start is complete; in any other order it is the best of the candidates that were read.
  const isWhole = source.kind === "all" || (more && sort === "created_at");
  const stop = isWhole ? undefined : await endOfScan(db, query, source, page);
  const searchedTo = stop?.created_at ?? (fits < limit && more ? rows.at(-1)?.created_at : null);

  const last = rows.at(-1);
  const ahead = more && last ? placeOf(last, sort) : sort === "created_at" ? stop : undefined;
  const behind = cursor && (rows[0] ? placeOf(rows[0], sort) : including(cursor, page.descending));
  const [next, previous] = forwards ? [ahead, behind] : [behind, ahead];
  if (!forwards) rows.reverse();
  const items = await certain(rows, query, held);
  return {
    items,
    next: next ? writeCursor({ ...next, list, backwards: false }) : null,
    previous: previous ? writeCursor({ ...previous, list, backwards: true }) : null,
    searched_to: searchedTo ?? null,
    partial: next !== undefined || stop !== undefined || items.some(({ unsure }) => unsure),
    published_to: publishedTo(query, Date.now()),
  };
}

/** A session publishes its start at once; of one that started before, only what it held can be newer. */
export function publishedTo(filter: SessionFilter, now: number): number | null {
  const from = now - PUBLISH_MS;
  const isOver = filter.to !== undefined && filter.to <= from;
  const isCertain = uncertain(filter) === undefined && uncertainQuery(filter.query) === undefined;
  return isOver && isCertain ? null : from;
}

/** Refuses a query whose conditions take more parameters than D1 allows. */
function checkParameters(selection: SQL): void {
  const { params } = new SQLiteAsyncDialect().sqlToQuery(selection);
  if (params.length <= MAX_PARAMETERS) return;
  throw new Refusal(
    "invalid_query",
    "The conditions of this query are too many for one search: leave out some of those on state values, or search in two steps.",
    { position: 0 },
  );
}

/** The filter with its ranges of versions as lists. Versions have an order that SQL does not know, and few have many. */
async function resolved<Filter extends SessionFilter>(
  db: D1Database,
  filter: Filter,
): Promise<Filter> {
  const { query, product } = filter;
  const ranges = query ? versionRanges(query) : 0;
  if (!query || ranges === 0) return filter;
  if (ranges > MAX_VERSION_RANGES)
    throw new Refusal(
      "invalid_query",
      `A query may have ${MAX_VERSION_RANGES} ranges of versions; this has ${ranges}.`,
      { position: 0 },
    );
  const of = product === undefined ? sql`` : sql`WHERE product = ${product}`;
  const rows = await drizzle(db).all<{ version: string }>(
    sql`SELECT DISTINCT version FROM versions ${of}`,
  );
  const known = rows.map(({ version }) => version);
  if (known.reduce((sum, version) => sum + version.length, 0) > PARAMETER_LENGTH / 2)
    throw new Refusal(
      "invalid_query",
      "There are too many versions to search by a range of them: name the product, or versions with *.",
      { position: 0 },
    );
  return { ...filter, query: withVersions(query, known) };
}

/** How many of the rows fit into a page of which every uncertain session is asked. */
function askable(rows: StoredRow[]): number {
  let asked = 0;
  const over = rows.findIndex((row) => row.unsure === 1 && ++asked > MAX_ASKED);
  return over < 0 ? rows.length : over;
}

/** What a page asks of the database, apart from the filter. */
type PageQuery = {
  sort: SessionSort;
  descending: boolean;
  after: Place | undefined;
  limit: number;
};
type Place = { value: string | number; id: string };

function placeOf(row: StoredRow, sort: SessionSort): Place {
  const value = sort === "ran_ms" ? ranMs(row, Date.now()) : row[sort];
  return { value, id: row.id };
}

/** The same place, moved so that the page before it includes the session that it names: the page after it was empty. */
function including({ value }: Place, descending: boolean): Place {
  return { value, id: descending ? "" : "\uffff" };
}

/** Where candidates come from: `all` by a small index, or a `scan` in order of their start. */
type Source =
  | { kind: "all"; from: SQL; where?: SQL }
  | { kind: "scan"; index?: string; where?: SQL };

async function sourceOf(db: D1Database, filter: SessionFilter): Promise<Source> {
  const small: { rows: SQL; source: Source }[] = sideTables(filter).map((side) => {
    const leftOut = sql`SELECT id FROM sessions INDEXED BY sessions_left_out WHERE left_out <> 0 AND left_out & ${side.bit}`;
    const listed = sql`SELECT side.session_id AS id FROM ${sql.raw(side.table)} AS side WHERE ${side.mayHave}`;
    const damaged = sql`SELECT id FROM sessions INDEXED BY sessions_damaged WHERE damaged <> 0`;
    const ids = sql`${listed} UNION ALL ${leftOut} UNION ALL ${damaged}`;
    const from = sql`(SELECT DISTINCT id FROM (${ids})) AS found CROSS JOIN sessions AS s ON s.id = found.id`;
    return { rows: sql`(${ids})`, source: { kind: "all", from } };
  });
  if (filter.product !== undefined) {
    const from = sql`sessions AS s INDEXED BY sessions_by_product`;
    const version = filter.version === undefined ? sql`` : sql` AND s.version = ${filter.version}`;
    const rows = sql`${from} WHERE s.product = ${filter.product}${version}`;
    small.push({ rows, source: { kind: "all", from } });
  }
  if (filter.status?.length && filter.status.every((kind) => OPEN_KINDS.has(kind))) {
    const from = sql`sessions AS s INDEXED BY sessions_open`;
    const machine =
      filter.machine === undefined ? sql`` : sql` AND s.machine_id = ${filter.machine}`;
    const where = sql`s.is_open = 1${machine}`;
    small.push({ rows: sql`${from} WHERE ${where}`, source: { kind: "all", from, where } });
  }
  if (small.length > 0) {
    const counts = small.map(
      ({ rows }, index) =>
        sql`(SELECT count(*) FROM (SELECT 1 FROM ${rows} LIMIT ${RARE_SESSIONS + 1})) AS ${sql.raw(`n${index}`)}`,
    );
    const [counted] = await drizzle(db).all<{ [n: string]: number }>(
      sql`SELECT ${sql.join(counts, sql`, `)}`,
    );
    const [rarest] = small
      .map(({ source }, index) => ({ source, count: counted?.[`n${index}`] ?? Infinity }))
      .toSorted((a, b) => a.count - b.count);
    if (rarest && rarest.count <= RARE_SESSIONS) return rarest.source;
  }
  return scanOf(filter);
}

const OPEN_KINDS = new Set<StatusKind>(["active", "suspended", "hung"]);
const CRASHED_KINDS = new Set<StatusKind>(["crashed", "hung_crashed"]);
const HUNG_KINDS = new Set<StatusKind>([
  "hung",
  "ever_hung",
  "hung_recovered",
  "hung_ended",
  "hung_crashed",
]);

/** The narrowest index that is in order of the sessions' start, as the table itself is. */
function scanOf({ status, product, version }: SessionFilter): Source {
  if (status?.length && status.every((kind) => CRASHED_KINDS.has(kind))) {
    return { kind: "scan", index: "sessions_crashed", where: sql`s.status = 'crashed'` };
  }
  if (status?.length && status.every((kind) => kind === "failed")) {
    return { kind: "scan", index: "sessions_failed", where: sql`s.failed = 1` };
  }
  if (status?.length && status.every((kind) => HUNG_KINDS.has(kind))) {
    return { kind: "scan", index: "sessions_hung", where: sql`s.ever_hung = 1` };
  }
  if (product !== undefined && version !== undefined) {
    const where = sql`s.product = ${product} AND s.version = ${version}`;
    return { kind: "scan", index: "sessions_by_product", where };
  }
  return { kind: "scan" };
}

/** The query of a page, and of one row more, which shows that there is another page. */
function selectPage(filter: SessionFilter, source: Source, page: PageQuery): SQL {
  const { sort, after, limit } = page;
  const order = inOrder(sort, page.descending);
  const unsure = uncertain(filter) ?? sql`0`;
  const unsureQuery = uncertainQuery(filter.query) ?? sql`0`;
  const columns = sql`${COLUMNS}, ${unsure} AS unsure, ${unsureQuery} AS unsure_query`;
  const matches = matching(filter);
  const following = after && isAfter(page, after);

  if (source.kind === "all") {
    return sql`SELECT ${columns} FROM ${source.from} ${whereAll(source.where, matches, following)} ${order} LIMIT ${limit + 1}`;
  }
  if (sort === "created_at") {
    // Without an order of its own the outer query reads the scan only until the page is full.
    return sql`SELECT ${columns} FROM (${scan(filter, source, page)}) AS s ${whereAll(matches)} LIMIT ${limit + 1}`;
  }
  const newest = scan(filter, source, {
    ...page,
    sort: "created_at",
    descending: true,
    after: undefined,
  });
  return sql`SELECT ${columns} FROM (${newest}) AS s ${whereAll(matches, following)} ${order} LIMIT ${limit + 1}`;
}

function matching(filter: SessionFilter): SQL | undefined {
  const fields = condition(filter);
  if (!filter.query) return fields;
  // As a comparison: SQLite would leave out all other conditions beside one that is always false, and then refuses a partial index.
  const query = sql`${compile(filter.query).may} <> 0`;
  return fields ? sql`${fields} AND ${query}` : query;
}

/** At most SCAN_SESSIONS candidates in order of their start. */
function scan(filter: SessionFilter, source: Source & { kind: "scan" }, page: PageQuery): SQL {
  const isWide = filter.text !== undefined || filter.query !== undefined;
  const wide = isWide ? sql`, s.search, s.is_open, s.os, s.language` : sql``;
  return sql`SELECT ${COLUMNS}, s.failed${wide} ${scanned(filter, source, page)} LIMIT ${SCAN_SESSIONS}`;
}

function scanned(
  { from, to }: SessionFilter,
  { index, where }: Source & { kind: "scan" },
  page: PageQuery,
): SQL {
  const range = whereAll(
    where,
    from === undefined ? undefined : sql`s.created_at >= ${from}`,
    to === undefined ? undefined : sql`s.created_at < ${to}`,
    page.after && isAfter(page, page.after),
  );
  return sql`FROM sessions AS s ${sql.raw(index === undefined ? "" : `INDEXED BY ${index}`)} ${range} ${inOrder("created_at", page.descending)}`;
}

/** The last session of a scan that reached SCAN_SESSIONS; undefined if it read all candidates. */
async function endOfScan(
  db: D1Database,
  filter: SessionFilter,
  source: Source & { kind: "scan" },
  page: PageQuery,
): Promise<(Place & { created_at: number }) | undefined> {
  const newest = { ...page, descending: true, after: undefined };
  const rows = scanned(filter, source, page.sort === "created_at" ? page : newest);
  const [row] = await drizzle(db).all<{ id: string; created_at: number }>(
    sql`SELECT s.created_at, s.id ${rows} LIMIT 1 OFFSET ${SCAN_SESSIONS - 1}`,
  );
  return row && { ...row, value: row.created_at };
}

function inOrder(sort: SessionSort, descending: boolean): SQL {
  const direction = descending ? sql`DESC` : sql`ASC`;
  return sql`ORDER BY ${sorted(sort)} ${direction}, s.id ${direction}`;
}

/** What a list is sorted by, as SQL. */
function sorted(sort: SessionSort): SQL {
  return sql.raw(sort === "ran_ms" ? RAN_MS : `s.${sort}`);
}

function isAfter({ sort, descending }: PageQuery, { value, id }: Place): SQL {
  const column = sorted(sort);
  return descending
    ? sql`${column} <= ${value} AND (${column}, s.id) < (${value}, ${id})`
    : sql`${column} >= ${value} AND (${column}, s.id) > (${value}, ${id})`;
}

function whereAll(...conditions: (SQL | undefined)[]): SQL {
  const set = conditions.filter((condition) => condition !== undefined);
  return set.length > 0 ? sql`WHERE ${sql.join(set, sql` AND `)}` : sql``;
}

/** All columns but the wide ones, which are stored on other pages. */
const COLUMNS = sql.raw(
  `s.id, s.product, s.version, s.status, s.ever_hung, s.recovered, s.headline, s.machine_id, s.hostname, s.browser, s.tags,
   s.created_at, s.updated_at, s.received_at, s.status_since, s.ended_at, s.last_heartbeat_at, s.states, s.events, s.exceptions, s.points, s.series, s.attachments,
   s.exit_code, s.signal, s.uncaught, s.tests, s.failed_tests, s.bytes, s.revision, s.damaged, s.left_out`,
);

type Durations = "ran_ms" | "status_ms";

/** A SessionRow as SQLite has it. */
type StoredRow = Omit<SessionRow, "ever_hung" | "recovered" | "tags" | "unsure" | Durations> & {
  ever_hung: number;
  recovered: number;
  tags: string;
  unsure: number;
  unsure_query: number;
};
function sessionRow({
  ever_hung,
  recovered,
  tags,
  unsure,
  unsure_query,
  ...row
}: StoredRow): SessionRow {
  const now = Date.now();
  return {
    ...row,
    ran_ms: ranMs(row, now),
    status_ms: statusMs(row, now),
    ever_hung: ever_hung === 1,
    recovered: recovered === 1,
    tags: JSON.parse(tags) as string[], // written by publish
    ...((unsure === 1 || unsure_query === 1) && { unsure: true }),
  };
}

/** The rows without those sessions whose objects answer that they never had what the filter asks for. */
async function certain(
  rows: StoredRow[],
  filter: SessionFilter,
  held?: Held,
): Promise<SessionRow[]> {
  if (!held) return rows.map(sessionRow);
  const query = heldQuery(filter);
  const unsure = rows.filter((row) => row.unsure === 1);
  const answers = await Promise.allSettled(unsure.map(({ id }) => held(id, query)));
  const answered = new Map(unsure.map((row, index) => [row, answers[index]]));
  return rows.flatMap((row) => {
    const answer = answered.get(row);
    if (answer?.status !== "fulfilled" || answer.value === null) return [sessionRow(row)]; // still unsure, if it was
    return answer.value ? [sessionRow({ ...row, unsure: 0 })] : [];
  });
}
