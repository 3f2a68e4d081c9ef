/**
 * The session list: any filter, over any number of sessions, in bounded time.
 *
 * Candidates are read in order of the sessions' start, newest first (candidates.ts), and each is verified on its rows. At most SCAN_SESSIONS of them are read for
 * one page: such a page may have fewer rows than requested, and its `next` continues where it stopped. Any order but by start is that of the newest
 * SCAN_SESSIONS candidates.
 *
 * The catalog lists only a part of what some sessions hold. Whether those pass is asked of their objects, of MAX_ASKED for one page.
 */
import { type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { Refusal } from "../../core/refusal.ts";
import type { HeldQuery, SessionRow } from "../../core/answers.ts";
import { ranMs, statusMs } from "../../core/session/duration.ts";
import { DEFAULT_PAGE, PUBLISH_MS } from "../../core/limits.ts";
import { all, type Candidates, keysOf } from "./candidates.ts";
import { readCursor, writeCursor } from "../cursor.ts";
import { heldQuery, RAN_MS, type SessionFilter } from "./filter.ts";
import { MAX_ASKED, MAX_VERSION_RANGES, PARAMETER_LENGTH, SCAN_SESSIONS } from "../limits.ts";
import { rowsOf } from "./parameters.ts";
import { compile, conditionOf } from "./query.ts";
import { versionRanges, withVersions } from "./version-ranges.ts";

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

/** A list with the keys of its sessions in the catalog, by which their details are read. */
export type KeyedList = SessionList & { keys: number[] };

/** One page of the list. With `held`, the objects of sessions that may or may not pass are asked. */
export async function listSessions(
  db: D1Database,
  asked: SessionListQuery,
  held?: Held,
): Promise<SessionList> {
  const { keys: _keys, ...list } = await keyedSessions(db, asked, held);
  return list;
}

/** The same with the keys of the sessions. */
export async function keyedSessions(
  db: D1Database,
  query: SessionListQuery,
  held?: Held,
): Promise<KeyedList> {
  const { sort = "created_at", order = "desc", limit = DEFAULT_PAGE } = query;
  const search = await searchOf(db, query);
  const list = `${sort} ${order}`;
  const cursor = query.cursor === undefined ? undefined : readCursor(query.cursor, list);
  const forwards = !cursor?.backwards;
  const page: Page = {
    sort,
    descending: (order === "desc") === forwards,
    after: cursor && { value: cursor.value, key: Number(cursor.id) },
    limit,
  };

  const found = await rowsOf<StoredRow>(db, selectPage(search, page));
  const fits = held ? askable(found) : found.length;
  const rows = found.slice(0, Math.min(limit, fits));
  const more = found.length > rows.length;
  // A full page in order of start is complete; in any other order it is the best of the candidates that were read.
  const isWhole = more && sort === "created_at";
  const stop = isWhole ? undefined : await endOfScan(db, search, page);
  const searchedTo = stop?.created_at ?? (fits < limit && more ? rows.at(-1)?.created_at : null);

  const last = rows.at(-1);
  const ahead = more && last ? placeOf(last, sort) : sort === "created_at" ? stop : undefined;
  const behind =
    page.after && (rows[0] ? placeOf(rows[0], sort) : including(page.after, page.descending));
  const [next, previous] = forwards ? [ahead, behind] : [behind, ahead];
  if (!forwards) rows.reverse();
  const passing = await certain(rows, query, held);
  const items = passing.map(sessionRow);
  const at = (place: Place, backwards: boolean) =>
    writeCursor({ list, value: place.value, id: String(place.key), backwards });
  return {
    items,
    keys: passing.map(({ key }) => key),
    next: next ? at(next, false) : null,
    previous: previous ? at(previous, true) : null,
    searched_to: searchedTo ?? null,
    partial: next !== undefined || stop !== undefined || items.some(({ unsure }) => unsure),
    published_to: publishedTo(query, Date.now()),
  };
}

/** A session publishes its start at once; of one that started before, only what it held can be newer. */
export function publishedTo(filter: SessionFilter, now: number): number | null {
  const from = now - PUBLISH_MS;
  const isOver = filter.to !== undefined && filter.to <= from;
  const isCertain = !conditionOf(filter).isListed && !compile(filter.query).isListed;
  return isOver && isCertain ? null : from;
}

/** A filter, compiled. */
export type Search = {
  /** True for the sessions that may pass. */
  may: SQL;
  /** True for those of which the catalog does not know whether they pass the filter without its query, and with it. */
  unsure: SQL;
  unsureQuery: SQL;
  among: Candidates;
  /** Whether it depends on lists. */
  isListed: boolean;
  from: number | undefined;
  to: number | undefined;
};

/** Throws a Refusal (invalid_query) for a query of too many versions. */
export async function searchOf(db: D1Database, filter: SessionFilter): Promise<Search> {
  const { query, from, to } = await resolved(db, filter);
  const [fields, rest] = [conditionOf(filter), compile(query)];
  return {
    may: sql`${fields.may} AND ${rest.may}`,
    unsure: fields.isListed ? sql`NOT ${fields.has}` : sql`0`,
    unsureQuery: rest.isListed ? sql`NOT ${rest.has}` : sql`0`,
    among: all([fields.among, rest.among]),
    isListed: fields.isListed || rest.isListed,
    from,
    to,
  };
}

/** The filter with its ranges of versions as lists. */
async function resolved(db: D1Database, filter: SessionFilter): Promise<SessionFilter> {
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
    sql`SELECT DISTINCT version FROM version_days ${of}`,
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
  const over = rows.findIndex((row) => isUnsure(row) && ++asked > MAX_ASKED);
  return over < 0 ? rows.length : over;
}

/** What a page asks of the database, apart from the filter. */
type Page = {
  sort: SessionSort;
  descending: boolean;
  after: Place | undefined;
  limit: number;
};
type Place = { value: string | number; key: number };

function placeOf(row: StoredRow, sort: SessionSort): Place {
  const value =
    sort === "ran_ms" ? ranMs(row, Date.now()) : sort === "created_at" ? row.key : row[sort];
  return { value, key: row.key };
}

/** The same place, moved so that the page before it includes the session that it names: the page after it was empty. */
function including({ value, key }: Place, descending: boolean): Place {
  return { value, key: descending ? key - 1 : key + 1 };
}

/**
 * `FROM sessions AS s … WHERE …`: the sessions that may pass, with their details as d, which may be missing. Those of the candidates between `after` and the
 * end of the scan, in order of their keys, of which SCAN_SESSIONS are read.
 */
export function found(
  search: Search,
  { after, descending = true }: { after?: number | undefined; descending?: boolean } = {},
): SQL {
  return sql`FROM ${candidates(search, { after, descending })} ${WITH_DETAILS} WHERE ${search.may}`;
}

const WITH_DETAILS = sql.raw("LEFT JOIN details AS d ON d.key = s.key");

function candidates(
  search: Search,
  portion: { after: number | undefined; descending: boolean },
): SQL {
  return sql`(${scan(search, portion)}) AS c CROSS JOIN sessions AS s ON s.key = c.key`;
}

function scan(
  { among, from, to }: Search,
  { after, descending }: { after: number | undefined; descending: boolean },
): SQL {
  return keysOf(among, { from, to, descending, after, limit: SCAN_SESSIONS });
}

/** The query of a page, and of one row more, which shows that there is another page. */
function selectPage(search: Search, page: Page): SQL {
  const { sort, after, limit, descending } = page;
  const columns = sql`${COLUMNS}, ${search.unsure} AS unsure, ${search.unsureQuery} AS unsure_query`;
  const passing = (portion: { after: number | undefined; descending: boolean }) =>
    sql`SELECT ${columns} FROM ${candidates(search, portion)} ${search.isListed ? WITH_DETAILS : sql``} WHERE ${search.may}`;
  // Without an order of its own the query reads candidates only until the page is full.
  if (sort === "created_at")
    return sql`${passing({ after: after?.key, descending })} LIMIT ${limit + 1}`;
  const newest = passing({ after: undefined, descending: true });
  const following = after ? sql`AND ${isAfter(page, after)}` : sql``;
  return sql`${newest} ${following} ${inOrder(sort, descending)} LIMIT ${limit + 1}`;
}

/** The last session of a scan that read SCAN_SESSIONS candidates; undefined if it read all. */
async function endOfScan(
  db: D1Database,
  search: Search,
  { sort, descending, after }: Page,
): Promise<(Place & { created_at: number }) | undefined> {
  const portion =
    sort === "created_at"
      ? { after: after?.key, descending }
      : { after: undefined, descending: true };
  return scanEnd(db, search, portion);
}

/** Where a scan ends that reads SCAN_SESSIONS candidates; undefined if there are fewer. */
export async function scanEnd(
  db: D1Database,
  search: Search,
  portion: { after: number | undefined; descending: boolean },
): Promise<(Place & { created_at: number }) | undefined> {
  const [row] = await rowsOf<{ key: number; created_at: number }>(
    db,
    sql`SELECT s.key, s.created_at FROM (SELECT key FROM (${scan(search, portion)}) LIMIT 1 OFFSET ${SCAN_SESSIONS - 1}) AS c
          CROSS JOIN sessions AS s ON s.key = c.key`,
  );
  return row && { ...row, value: row.key };
}

function inOrder(sort: SessionSort, descending: boolean): SQL {
  const direction = descending ? sql`DESC` : sql`ASC`;
  return sql`ORDER BY ${sorted(sort)} ${direction}, s.key ${direction}`;
}

/** What a list is sorted by, as SQL. */
function sorted(sort: SessionSort): SQL {
  return sql.raw(sort === "ran_ms" ? RAN_MS : `s.${sort}`);
}

function isAfter({ sort, descending }: Page, { value, key }: Place): SQL {
  const column = sorted(sort);
  return descending
    ? sql`(${column}, s.key) < (${value}, ${key})`
    : sql`(${column}, s.key) > (${value}, ${key})`;
}

/** All columns but the wide ones, which are stored on other pages. */
const COLUMNS = sql.raw(
  `s.key, s.id, s.product, s.version, s.status, s.ever_hung, s.recovered, s.headline, s.machine_id, s.hostname, s.browser, s.tags,
   s.created_at, s.updated_at, s.received_at, s.status_since, s.ended_at, s.last_heartbeat_at, s.states, s.events, s.exceptions, s.points, s.series, s.attachments,
   s.exit_code, s.signal, s.uncaught, s.tests, s.failed_tests, s.bytes, s.revision, s.damaged, s.left_out`,
);

type Durations = "ran_ms" | "status_ms";

/** A SessionRow as SQLite has it. */
type StoredRow = Omit<SessionRow, "ever_hung" | "recovered" | "tags" | "unsure" | Durations> & {
  key: number;
  ever_hung: number;
  recovered: number;
  tags: string;
  unsure: number;
  unsure_query: number;
};

function isUnsure({ unsure, unsure_query }: Pick<StoredRow, "unsure" | "unsure_query">): boolean {
  return unsure === 1 || unsure_query === 1;
}

function sessionRow({
  key: _key,
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
    ...(isUnsure({ unsure, unsure_query }) && { unsure: true }),
  };
}

/** The rows without those sessions whose objects answer that they never had what the filter asks for. */
async function certain(
  rows: StoredRow[],
  filter: SessionFilter,
  held?: Held,
): Promise<StoredRow[]> {
  if (!held) return rows;
  const query = heldQuery(filter);
  const unsure = rows.filter(isUnsure);
  const answers = await Promise.allSettled(unsure.map(({ id }) => held(id, query)));
  const answered = new Map(unsure.map((row, index) => [row, answers[index]]));
  return rows.flatMap((row) => {
    const answer = answered.get(row);
    if (answer?.status !== "fulfilled" || answer.value === null) return [row]; // still unsure, if it was
    return answer.value ? [{ ...row, unsure: 0, unsure_query: 0 }] : [];
  });
}
