/**
 * The session list: any filter, over any number of sessions, in bounded time.
 *
 * Candidates are read in order of the sessions' start, newest first (candidates.ts), and each is verified on its rows. For one page so many of them are read as
 * can be verified in SCAN_MICROS (scan.ts): such a page may have fewer rows than requested, and its `next` continues where it stopped. Any order but by start
 * is that of as many of the newest candidates.
 *
 * The catalog lists only a part of what some sessions hold. Whether those pass is asked of their objects, of MAX_ASKED for one page.
 */
import { type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { Refusal } from "../../core/refusal.ts";
import type { HeldQuery } from "../../core/questions/held.ts";
import type { SessionRow } from "../../core/answers/session-row.ts";
import { ranMs, statusMs } from "../../core/session/duration.ts";
import { DEFAULT_PAGE, POSTING_MS, PUBLISH_MS } from "../../core/limits.ts";
import { type Cursor, readCursor, writeCursor } from "../cursor.ts";
import { EVERY, leavesOf } from "../../core/query/tree.ts";
import { heldQuery, type SessionFilter } from "./filter.ts";
import { GROUPS, isByVersion, type Sorting, sortingOf } from "./sorting.ts";
import { MAX_ASKED } from "../limits.ts";
import { rowsOf } from "./parameters.ts";
import { compile, conditionOf } from "./query.ts";
import {
  candidates,
  type ScanStart,
  scanEnd,
  type Search,
  searchOf,
  WITH_DETAILS,
} from "./scan.ts";
import { versionsSeen } from "./version-ranges.ts";

export type SessionListQuery = SessionFilter & {
  /** As core/query/sort.ts reads it. Default: created_at. */
  sort?: string;
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
  /**
   * What was recorded after this time may be missing, because a running session publishes it up to PUBLISH_MS later, and the figures of its series, events and
   * state up to POSTING_MS later. Null: nothing of that time can pass.
   */
  published_to: number | null;
};

/** Asks a session's object what is left out in the catalog; null: the object cannot answer it either. */
export type Held = (sessionId: string, query: HeldQuery) => Promise<boolean | null>;

/** A list with the keys of its sessions in the catalog, by which their details are read, and the values that it is sorted by. */
export type KeyedList = SessionList & { keys: number[]; values: SortValue[] };
type SortValue = string | number | null;

/** One page of the list. With `held`, the objects of sessions that may or may not pass are asked. */
export async function listSessions(
  db: D1Database,
  asked: SessionListQuery,
  held?: Held,
): Promise<SessionList> {
  const { keys: _keys, values: _values, ...list } = await keyedSessions(db, asked, held);
  return list;
}

/** The same with the keys of the sessions. */
export async function keyedSessions(
  db: D1Database,
  query: SessionListQuery,
  held?: Held,
): Promise<KeyedList> {
  const { sort = "created_at", order = "desc", limit = DEFAULT_PAGE } = query;
  const list = `${sort} ${order}`;
  const cursor = query.cursor === undefined ? undefined : readCursor(query.cursor, list);
  const forwards = !cursor?.backwards;
  const page: Page = {
    sorting: sort === "created_at" ? undefined : await sortingIn(db, sort, query),
    descending: (order === "desc") === forwards,
    forwards,
    after: cursor && placeIn(cursor),
    limit,
    // Sessions that begin while one pages through the list do not move the end of the scan.
    until: 0,
  };
  const search = await searchOf(db, query, page.sorting?.cost);
  if (page.sorting) page.until = page.after?.until ?? (await newestKey(db));

  const [found, endOfSorted] = await Promise.all([
    rowsOf<StoredRow>(db, selectPage(search, page)),
    page.sorting && endOfScan(db, search, page),
  ]);
  const fits = held ? askable(found) : found.length;
  const rows = found.slice(0, Math.min(limit, fits));
  const more = found.length > rows.length;
  // A full page in order of start is complete; in any other order it is the best of the candidates that were read.
  const isWhole = more && !page.sorting;
  const stop = page.sorting || isWhole ? endOfSorted : await endOfScan(db, search, page);
  const searchedTo = stop?.created_at ?? (fits < limit && more ? rows.at(-1)?.created_at : null);

  const last = rows.at(-1);
  const ahead = more && last ? placeOf(last, page) : page.sorting ? undefined : stop;
  const behind =
    page.after && (rows[0] ? placeOf(rows[0], page) : including(page.after, page.descending));
  const [next, previous] = forwards ? [ahead, behind] : [behind, ahead];
  if (!forwards) rows.reverse();
  const passing = await certain(rows, query, held);
  const items = passing.map(sessionRow);
  const at = ({ value, group = 0, key, until = 0 }: Place, backwards: boolean) =>
    writeCursor({ list, value, id: [group, key, until].join(" "), backwards });
  return {
    items,
    keys: passing.map(({ key }) => key),
    values: passing.map(({ sort_value }) => sort_value),
    next: next ? at(next, false) : null,
    previous: previous ? at(previous, true) : null,
    searched_to: searchedTo ?? null,
    partial:
      next !== undefined ||
      stop !== undefined ||
      items.some(({ unsure, unsorted }) => unsure || unsorted),
    published_to: publishedTo(query, Date.now(), (page.sorting?.cost ?? 0) > 0),
  };
}

async function sortingIn(db: D1Database, sort: string, filter: SessionFilter): Promise<Sorting> {
  return sortingOf(sort, isByVersion(sort) ? await versionsSeen(db, filter.product) : []);
}

async function newestKey(db: D1Database): Promise<number> {
  const [row] = await drizzle(db).all<{ key: number | null }>(
    sql`SELECT max(key) AS key FROM sessions`,
  );
  return row?.key ?? 0;
}

/**
 * A session publishes its start at once; of one that started before, only what it held can be newer. `ofFigures`: the answer depends on figures, which a
 * session that is found by a new name or value publishes later than that it has one.
 */
export function publishedTo(filter: SessionFilter, now: number, ofFigures: boolean): number | null {
  if (ofFigures || hasFigures(filter)) return now - POSTING_MS;
  const from = now - PUBLISH_MS;
  const isOver = filter.to !== undefined && filter.to <= from;
  const isCertain = conditionOf(filter).cost + compile(filter.query).cost === 0;
  return isOver && isCertain ? null : from;
}

function hasFigures({ query = EVERY }: SessionFilter): boolean {
  return [...leavesOf(query)].some((leaf) => leaf.kind === "term" && leaf.field.kind === "metric");
}

/** How many of the rows fit into a page of which every uncertain session is asked. */
function askable(rows: StoredRow[]): number {
  let asked = 0;
  const over = rows.findIndex((row) => isUnsure(row) && ++asked > MAX_ASKED);
  return over < 0 ? rows.length : over;
}

/** What a page asks of the database, apart from the filter. */
type Page = {
  /** Undefined: in order of their start. */
  sorting: Sorting | undefined;
  descending: boolean;
  forwards: boolean;
  after: Place | undefined;
  limit: number;
  /** The newest session that is read for a sorted list. */
  until: number;
};
type Place = { value: string | number; group?: number; key: number; until?: number };

function placeOf({ key, sort_value, sort_group }: StoredRow, { sorting, until }: Page): Place {
  return sorting ? { value: sort_value ?? "", group: sort_group, key, until } : { value: key, key };
}

function placeIn({ value, id }: Cursor): Place {
  const [group = NaN, key = NaN, until = NaN] = id.split(" ").map(Number);
  if (![group, key, until].every(Number.isSafeInteger))
    throw new Refusal(
      "invalid_query",
      "The cursor is not one of this list: start again without it.",
    );
  return { value, group, key, until };
}

/** The same place, moved so that the page before it includes the session that it names: the page after it was empty. */
function including(place: Place, descending: boolean): Place {
  return { ...place, key: descending ? place.key - 1 : place.key + 1 };
}

/** The query of a page, and of one row more, which shows that there is another page. */
function selectPage(search: Search, page: Page): SQL {
  const { sorting, after, limit, descending } = page;
  const unsure = sql`${search.unsure} AS unsure, ${search.unsureQuery} AS unsure_query`;
  // Without an order of its own the query reads candidates only until the page is full.
  if (!sorting)
    return sql`SELECT ${COLUMNS}, s.created_at AS sort_value, 0 AS sort_group, ${unsure} FROM ${candidates(search, { after: after?.key, descending })}
        ${search.isListed ? WITH_DETAILS : sql``} WHERE ${search.may} LIMIT ${limit + 1}`;

  const { value, shown, join, bits } = sorting;
  const details = search.isListed || sorting.cost > 0 ? WITH_DETAILS : sql``;
  const isIncomplete =
    bits === 0 ? sql`0` : sql`(s.left_out & ${sql.raw(String(bits))} OR s.damaged <> 0)`;
  const { known, unknown, none } = GROUPS;
  return sql`WITH valued AS MATERIALIZED (
        SELECT s.key, ${value} AS v, ${isIncomplete} AS is_incomplete, ${unsure}
        FROM ${candidates(search, newestTo(page))} ${details} ${join} WHERE ${search.may}),
      grouped AS (SELECT *, iif(v IS NOT NULL, ${known}, iif(is_incomplete, ${unknown}, ${none})) AS sort_group FROM valued)
      SELECT ${COLUMNS}, ${shown} AS sort_value, p.sort_group, p.unsure, p.unsure_query
      FROM (SELECT * FROM grouped ${after ? sql`WHERE ${isAfter(after, page, sorting)}` : sql``} ${inOrder(page)} LIMIT ${limit + 1}) AS p
        CROSS JOIN sessions AS s ON s.key = p.key ${inOrder(page, "p.")}`;
}

/** The newest sessions of a sorted list. */
function newestTo({ until }: Page): ScanStart {
  return { after: until + 1, descending: true };
}

function inOrder({ descending, forwards }: Page, of = ""): SQL {
  const direction = descending ? "DESC" : "ASC";
  return sql.raw(
    `ORDER BY ${of}sort_group ${forwards ? "ASC" : "DESC"}, ${of}v ${direction}, ${of}key ${direction}`,
  );
}

function isAfter(
  { value, group = GROUPS.known, key }: Place,
  { descending, forwards }: Page,
  { place }: Sorting,
): SQL {
  const [sign, further] = [sql.raw(descending ? "<" : ">"), sql.raw(forwards ? ">" : "<")];
  const following =
    group === GROUPS.known
      ? sql`(v, key) ${sign} (${place(value)}, ${key})`
      : sql`key ${sign} ${key}`;
  return sql`(sort_group ${further} ${group} OR (sort_group = ${group} AND ${following}))`;
}

/** The last session of a scan that read as many candidates as it may; undefined if it read all. */
async function endOfScan(
  db: D1Database,
  search: Search,
  page: Page,
): Promise<(Place & { created_at: number }) | undefined> {
  const { sorting, descending, after } = page;
  const portion = sorting ? newestTo(page) : { after: after?.key, descending };
  const last = await scanEnd(db, search, portion);
  return last && { ...last, value: last.key };
}

/** All columns but the wide ones, which are stored on other pages. */
const COLUMNS = sql.raw(
  `s.key, s.id, s.product, s.version, s.status, s.ever_hung, s.recovered, s.headline, s.machine_id, s.hostname, s.browser, s.tags,
   s.created_at, s.updated_at, s.received_at, s.status_since, s.ended_at, s.last_heartbeat_at, s.states, s.events, s.exceptions, s.points, s.series, s.attachments,
   s.exit_code, s.signal, s.uncaught, s.tests, s.failed_tests, s.bytes, s.revision, s.damaged, s.left_out`,
);

type Durations = "ran_ms" | "status_ms";

/** A SessionRow as SQLite has it. */
type StoredRow = Omit<
  SessionRow,
  "ever_hung" | "recovered" | "tags" | "unsure" | "unsorted" | Durations
> & {
  key: number;
  ever_hung: number;
  recovered: number;
  tags: string;
  unsure: number;
  unsure_query: number;
  sort_value: SortValue;
  sort_group: number;
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
  sort_value: _value,
  sort_group,
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
    ...(sort_group === GROUPS.unknown && { unsorted: true }),
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
