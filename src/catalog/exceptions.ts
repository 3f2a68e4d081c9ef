/**
 * Exceptions grouped by fingerprint, over sessions and versions of a product. What people decided about groups, and which they merged, comes
 * in as an argument (registry/merges.ts); whether a resolved group returned follows from the decision and the group's later occurrences.
 */
import { type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { GROUPS, type SearchedGroup } from "../core/events/group-fields.ts";
import { DAY_MS, DEFAULT_PAGE } from "../core/limits.ts";
import { matcherOf } from "../core/query/evaluate.ts";
import { leavesOf, type Query } from "../core/query/tree.ts";
import { templateOf } from "../core/events/template.ts";
import type { GroupStatus } from "../core/vocabulary.ts";
import { readCursor, writeCursor } from "./cursor.ts";
import { columnOf, detailKey } from "./tables/details.ts";
import { LEFT_OUT_BITS, termsOf } from "./search/filter.ts";
import { GROUPS_AT_ONCE, MAX_SEARCHED_GROUPS, RETURN_SESSIONS, TREND_DAYS } from "./limits.ts";
import { MERGED_GROUPS, type MergedGroup, mergedTables } from "./merged.ts";
import { startsWith } from "./search/matching.ts";
import { incompleteSessions } from "./names.ts";
import { TOKEN } from "./tables/posting.ts";

export const GROUP_SORTS = ["last_at", "first_at", "sessions", "count"] as const;
type GroupSort = (typeof GROUP_SORTS)[number];

/** What was decided about a group; groups without a decision are open. */
type GroupDecision = {
  product: string;
  fingerprint: string;
  status: GroupStatus;
  resolved_at: number | null;
  resolved_version: string | null;
};

type Decided = { decisions: GroupDecision[]; merged: MergedGroup[] };

export type ExceptionGroup = {
  product: string;
  fingerprint: string;
  /** Its own first, then those of the groups that are merged into it. */
  fingerprints: string[];
  type: string;
  message: string;
  /** Of the message: the values in it as `<number>` and the like. */
  template: string;
  /** Where it arose: `open_door (door.py:12)`; "" if it is not known. */
  place: string;
  sessions: number;
  /** Of a merged group with too many sessions to find those that had several of its groups: these are counted several times. */
  sessions_at_most: boolean;
  count: number;
  /** Those that ended the program or its thread. */
  unhandled: number;
  first_at: number;
  last_at: number;
  /** An example: the session that had it last, and when and after which op it first happened there. */
  session_id: string;
  session_at: number;
  session_seq: number;
  status: GroupStatus;
  resolved_at: number | null;
  resolved_version: string | null;
  /** When it first happened again after it was resolved. */
  returned_at: number | null;
};

/** One day (epoch milliseconds of its UTC midnight) of a group: sessions of a version in which it first occurred that day. */
export type GroupDay = { day_at: number; version: string; sessions: number; count: number };

export type GroupQuery = {
  product?: string;
  /** `open` includes resolved groups that returned. */
  status?: GroupStatus;
  text?: string;
  /** Of core/events/group-fields.ts. */
  query?: Query | undefined;
  sort?: GroupSort;
  cursor?: string;
  limit?: number;
};

type GroupList = {
  items: ExceptionGroup[];
  next: string | null;
  /** There may be exceptions that are in no group: of sessions with more kinds than the catalog lists, and of damaged ones. */
  partial: boolean;
  /** How many such sessions there are, up to MAX_COUNTED_INCOMPLETE. */
  incomplete_sessions: number;
};

/** Groups, the newest occurrence first unless sorted otherwise. There are as many as there are different bugs, not sessions. */
export async function exceptionGroups(
  db: D1Database,
  { product, status, text, query, sort = "last_at", cursor, limit = DEFAULT_PAGE }: GroupQuery,
  decided: Decided,
): Promise<GroupList> {
  const all: SQL[] = [];
  if (product !== undefined) all.push(sql`g.product = ${product}`);
  if (status !== undefined) all.push(sql`${STANDING} = ${status}`);
  for (const term of termsOf(text)) {
    all.push(sql`instr(g.search, ${term}) > 0`);
  }
  const column = sql.raw(sort);
  const passes = query && matcherOf(query, GROUPS);
  const searched = query ? searchedColumns(query) : sql``;
  const read = async (after: string | undefined, size: number) => {
    const further = after === undefined ? all : [...all, isAfter(after, sort)];
    return drizzle(db).all<GroupRow>(
      sql`${selectGroups(decided, further, searched)} ORDER BY ${column} DESC, ${GROUP_ID} DESC LIMIT ${size}`,
    );
  };
  const cursorAt = (row: GroupRow) =>
    writeCursor({
      list: sort,
      value: row[sort],
      id: `${row.product}/${row.fingerprint}`,
      backwards: false,
    });

  const found: GroupRow[] = [];
  let next: string | null = cursor ?? null;
  let looked = 0;
  do {
    const size = passes ? GROUPS_AT_ONCE : limit + 1;
    const rows = await read(next ?? undefined, size);
    found.push(...(passes ? rows.filter((row) => passes(searchedGroup(row))) : rows));
    looked += rows.length;
    const last = rows.at(-1);
    next = rows.length === size && last ? cursorAt(last) : null;
  } while (next !== null && found.length <= limit && looked < MAX_SEARCHED_GROUPS);

  const incomplete_sessions = await incompleteSessions(db, LEFT_OUT_BITS.exceptions, product);
  const rest = { partial: incomplete_sessions > 0, incomplete_sessions };
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  const items = await groupsOf(db, shown);
  return { items, next: found.length > limit && last ? cursorAt(last) : next, ...rest };
}

function isAfter(cursor: string, sort: GroupSort): SQL {
  const { value, id } = readCursor(cursor, sort);
  return sql`(${sql.raw(sort)}, ${GROUP_ID}) < (${value}, ${id})`;
}

/** What a query may look at besides the columns of a group. */
function searchedColumns(query: Query): SQL {
  const hasVersion = [...leavesOf(query)].some(
    (leaf) => leaf.kind === "term" && leaf.field.kind === "plain" && leaf.field.name === "version",
  );
  return sql`, g.search${hasVersion ? sql`, ${VERSIONS} AS versions` : sql``}`;
}

/** Of the days of its trend. */
const VERSIONS = sql`(SELECT json_group_array(DISTINCT v.value ->> 0)
  FROM json_each(g.fingerprints) AS part CROSS JOIN exception_groups AS e ON e.product = g.product AND e.fingerprint = part.value
  CROSS JOIN json_each(e.days) AS d CROSS JOIN json_each(d.value) AS v WHERE v.value ->> 1 > 0)`;

function searchedGroup({
  fingerprints,
  search = "",
  versions = "[]",
  ...row
}: GroupRow): SearchedGroup {
  return {
    ...row,
    search,
    fingerprints: JSON.parse(fingerprints) as string[],
    versions: JSON.parse(versions) as string[],
  }; // as: of the statements here
}

/** Types of exceptions that begin with a text, in order. */
export async function exceptionTypes(
  db: D1Database,
  prefix: string,
  limit: number,
): Promise<string[]> {
  const rows = await drizzle(db).all<{ type: string }>(
    sql`SELECT DISTINCT type FROM exception_groups WHERE sessions > 0 AND ${startsWith(sql`type`, prefix)} ORDER BY 1 LIMIT ${limit}`,
  );
  return rows.map(({ type }) => type);
}

/** The groups that have a fingerprint, by product; usually one. */
export async function exceptionGroup(
  db: D1Database,
  fingerprint: string,
  product: string | undefined,
  decided: Decided,
): Promise<ExceptionGroup[]> {
  const wholes = decided.merged
    .filter(({ members }) => members.includes(fingerprint))
    .map((group) => [group.product, group.members[0]]);
  const all = [
    sql`(g.fingerprint = ${fingerprint} OR (g.product, g.fingerprint) IN (
      SELECT value ->> 0, value ->> 1 FROM json_each(${JSON.stringify(wholes)})))`,
  ];
  if (product !== undefined) all.push(sql`g.product = ${product}`);
  const rows = await drizzle(db).all<GroupRow>(
    sql`${selectGroups(decided, all)} ORDER BY last_at DESC`,
  );
  return groupsOf(db, rows);
}

/** The parts of a merged group, each as a group of its own would be, in their order. Those that no session has any more are left out. */
export async function groupParts(
  db: D1Database,
  { product, fingerprints }: Pick<ExceptionGroup, "product" | "fingerprints">,
): Promise<ExceptionGroup[]> {
  const parts = sql`g.product = ${product} AND g.fingerprint IN (SELECT value FROM json_each(${JSON.stringify(fingerprints)}))`;
  const rows = await drizzle(db).all<GroupRow>(
    selectGroups({ decisions: [], merged: [] }, [parts]),
  );
  const placeOf = (group: ExceptionGroup) => fingerprints.indexOf(group.fingerprint);
  return rows.map(groupOf).toSorted((a, b) => placeOf(a) - placeOf(b));
}

/** A group as SQLite has it: if it returned, `returned_at` is when it last happened. */
type GroupRow = Omit<ExceptionGroup, "template" | "fingerprints" | "sessions_at_most"> & {
  fingerprints: string;
  is_at_most: number;
  /** With a query. */
  search?: string;
  versions?: string;
};

function groupOf({
  fingerprints,
  is_at_most,
  search: _search,
  versions: _versions,
  ...row
}: GroupRow): ExceptionGroup {
  const all = JSON.parse(fingerprints) as string[]; // of a statement below
  const others = all.filter((each) => each !== row.fingerprint).toSorted();
  return {
    ...row,
    fingerprints: [row.fingerprint, ...others],
    sessions_at_most: is_at_most === 1,
    template: templateOf(row.message),
  };
}

async function groupsOf(db: D1Database, rows: GroupRow[]): Promise<ExceptionGroup[]> {
  const groups = rows.map(groupOf);
  const returns = await returnsOf(db, groups);
  return groups.map((group, place) => ({
    ...group,
    returned_at: returns.get(place) ?? group.returned_at,
  }));
}

/** When groups that returned first happened again, by their place: as far as one of their newest RETURN_SESSIONS sessions shows it. */
async function returnsOf(db: D1Database, groups: ExceptionGroup[]): Promise<Map<number, number>> {
  const asked = groups.flatMap(({ product, fingerprints, resolved_at, returned_at }, place) =>
    returned_at === null
      ? []
      : fingerprints.map((fingerprint) => [
          place,
          product,
          fingerprint,
          resolved_at,
          `${TOKEN.product(product)} AND ${TOKEN.fingerprint(fingerprint)}`,
          `$.${detailKey(fingerprint)}`,
        ]),
  );
  if (asked.length === 0) return new Map();
  const [fingerprint, lastAt] = [
    sql.raw(columnOf("exceptions", "fingerprint", "e")),
    sql.raw(columnOf("exceptions", "last_at", "e")),
  ];
  const rows = await drizzle(db).all<{ place: number; at: number | null }>(
    sql`SELECT asked.value ->> 0 AS place, min((SELECT min(${lastAt}) FROM (
            SELECT postings.rowid AS key FROM postings WHERE postings MATCH asked.value ->> 4 ORDER BY postings.rowid DESC LIMIT ${RETURN_SESSIONS}) AS found
          CROSS JOIN sessions AS s ON s.key = found.key CROSS JOIN details AS d ON d.key = s.key
          CROSS JOIN json_each(d.exceptions, asked.value ->> 5) AS e
          WHERE s.product = asked.value ->> 1 AND ${fingerprint} = asked.value ->> 2 AND ${lastAt} > asked.value ->> 3)) AS at
        FROM json_each(${JSON.stringify(asked)}) AS asked GROUP BY 1`,
  );
  return new Map(rows.flatMap(({ place, at }) => (at === null ? [] : [[place, at]])));
}

const COLUMNS = sql.raw(
  `g.product, g.fingerprint, g.type, g.message, g.place, g.search, g.sessions, g.count, g.unhandled, g.first_at, g.last_at, g.session_id, g.session_at, g.session_seq`,
);
/** All columns but the folded text. */
const GROUP_COLUMNS = sql.raw(
  `g.product, g.fingerprint, g.type, g.message, g.place, g.sessions, g.count, g.unhandled, g.first_at, g.last_at, g.session_id, g.session_at, g.session_seq, g.fingerprints, g.is_at_most`,
);
const GROUP_ID = sql`g.product || '/' || g.fingerprint`;
const RETURNED = sql`(d.status = 'resolved' AND g.last_at > d.resolved_at)`;
/** A resolved group that returned is open again. */
const STANDING = sql`CASE WHEN ${RETURNED} THEN 'open' ELSE coalesce(d.status, 'open') END`;

/** Groups with their decisions. The decisions are one parameter, because filters and pages depend on them. */
function selectGroups({ decisions, merged }: Decided, conditions: SQL[], more: SQL = sql``): SQL {
  const decided = decisions.map(
    ({ product, fingerprint, status, resolved_at, resolved_version }) => [
      product,
      fingerprint,
      status,
      resolved_at,
      resolved_version,
    ],
  );
  // MATERIALIZED, so that SQLite builds an index for the join rather than parse the JSON for each group.
  return sql`WITH decision AS MATERIALIZED (
      SELECT value ->> 0 AS product, value ->> 1 AS fingerprint, value ->> 2 AS status, value ->> 3 AS resolved_at,
        value ->> 4 AS resolved_version
      FROM json_each(${JSON.stringify(decided)}))${merged.length > 0 ? sql`, ${mergedTables(merged)}` : sql``}
    SELECT ${GROUP_COLUMNS}, coalesce(d.status, 'open') AS status, d.resolved_at, d.resolved_version,
      CASE WHEN ${RETURNED} THEN g.last_at END AS returned_at${more}
    FROM (${merged.length > 0 ? WITH_MERGED : SINGLE_GROUPS}) AS g LEFT JOIN decision AS d ON d.product = g.product AND d.fingerprint = g.fingerprint
    WHERE ${sql.join([sql`g.sessions > 0`, ...conditions], sql` AND `)}`;
}

const SINGLE_GROUPS = sql`SELECT ${COLUMNS}, json_array(g.fingerprint) AS fingerprints, 0 AS is_at_most FROM exception_groups AS g`;
const WITH_MERGED = sql`${SINGLE_GROUPS}
  WHERE NOT EXISTS (SELECT 1 FROM member AS m WHERE m.product = g.product AND m.fingerprint = g.fingerprint)
  UNION ALL ${MERGED_GROUPS}`;

/** The trends of groups by day and version, oldest first; days without occurrences are left out. */
export async function exceptionDays(
  db: D1Database,
  groups: Pick<ExceptionGroup, "product" | "fingerprints">[],
  now: number,
  days = TREND_DAYS,
): Promise<GroupDay[][]> {
  const since = Math.floor(now / DAY_MS) - days;
  const parts = groups.flatMap(({ product, fingerprints }, place) =>
    fingerprints.map((fingerprint) => [place, product, fingerprint]),
  );
  const rows = await drizzle(db).all<GroupDay & { place: number }>(
    sql`SELECT p.value ->> 0 AS place, CAST(d.key AS INTEGER) * ${DAY} AS day_at, v.value ->> 0 AS version,
          sum(v.value ->> 1) AS sessions, sum(v.value ->> 2) AS count
        FROM json_each(${JSON.stringify(parts)}) AS p CROSS JOIN exception_groups AS g
          ON g.product = p.value ->> 1 AND g.fingerprint = p.value ->> 2
        CROSS JOIN json_each(g.days) AS d CROSS JOIN json_each(d.value) AS v
        WHERE CAST(d.key AS INTEGER) > ${since} AND v.value ->> 1 > 0 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
  );
  const repeated = await repeatedDays(db, groups);
  const trends: GroupDay[][] = groups.map(() => []);
  for (const { place, ...day } of rows) {
    const again = repeated.get(dayKey(place, day)) ?? 0;
    trends[place]?.push({ ...day, sessions: day.sessions - again });
  }
  return trends;
}

/** How often sessions that had several parts of a merged group are counted again, by dayKey. */
async function repeatedDays(
  db: D1Database,
  groups: Pick<ExceptionGroup, "product" | "fingerprints">[],
): Promise<Map<string, number>> {
  const merged = groups.map(({ product, fingerprints }) => ({
    product,
    members: fingerprints.length > 1 ? fingerprints : [],
  }));
  if (merged.every(({ members }) => members.length === 0)) return new Map();
  const rows = await drizzle(db).all<Omit<GroupDay, "count"> & { whole: number }>(
    sql`WITH ${mergedTables(merged)}
        SELECT whole, first_at / ${DAY} * ${DAY} AS day_at, version, count(*) AS sessions FROM repeated GROUP BY 1, 2, 3`,
  );
  return new Map(rows.map(({ whole, sessions, ...day }) => [dayKey(whole, day), sessions]));
}

/** Not a parameter: those are floating-point numbers, which divide exactly. */
const DAY = sql.raw(String(DAY_MS));

function dayKey(place: number, { day_at, version }: Pick<GroupDay, "day_at" | "version">): string {
  return `${place} ${day_at} ${version}`;
}
