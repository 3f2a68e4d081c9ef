/**
 * The figures of metrics in all sessions that pass a filter, without their points and rollups: what a table or a chart with a value for each
 * session, or for each group of sessions, is made from. One statement reads up to SCAN_SESSIONS sessions, and of each only what it is grouped by:
 * most of the time is that of bringing the rows to the Worker.
 */
import { type SQL, sql } from "drizzle-orm";
import type { SessionRow } from "../core/answers/session-row.ts";
import {
  groupedPath,
  groupedTag,
  type GroupedSession,
  type Grouping,
} from "../core/comparison/grouping.ts";
import { writePath } from "../core/state/path.ts";
import { ANY_VALUE, MEMBERS } from "../core/state/values.ts";
import { all } from "./search/candidates.ts";
import { metricNamed } from "./search/conditions.ts";
import { readCursor, writeCursor } from "./cursor.ts";
import { detailKey, type Row, rowOf } from "./tables/details.ts";
import { type DividedSeries, UNDIVIDED } from "./metrics.ts";
import { LEFT_OUT_BITS, type SessionFilter, UNPUBLISHED } from "./search/filter.ts";
import { rowsOf } from "./search/parameters.ts";
import { found, scanEnd, type Search, searchOf } from "./search/scan.ts";
import { publishedTo, type SessionList } from "./search/sessions.ts";

/** Which metrics and what else is wanted of each session. */
type Asked = {
  /** Names of metrics: a session has at least one of them. */
  names: string[];
  /** At most SCAN_SESSIONS. */
  limit: number;
  by?: Grouping;
  /** `next` of the page before. */
  cursor?: string;
};

/** Of a session: what comparisons need, and what it is grouped by. */
type FiguredSession = Pick<SessionRow, "id" | "created_at" | "ended_at"> &
  GroupedSession & {
    /** Its key in the catalog. */
    key: number;
    /** It may or may not pass the filter, since its lists are incomplete. */
    unsure?: true;
  };

/** One series of it, of which is not read how its values are divided. */
export type FiguredSeries = Row<"figures"> & DividedSeries & { session: FiguredSession };

export type SessionFigures = Pick<
  SessionList,
  "next" | "partial" | "searched_to" | "published_to"
> & {
  /** The newest session first, of each its series in the order of the metrics in the question, then of the series' ids. */
  items: FiguredSeries[];
  /** Ids of sessions that may have one of the metrics, of which the catalog does not have all series. */
  unlisted: string[];
};

const LIST = "figures";

/** The sessions that pass and have any of the metrics, newest first. `partial`: there may be more. */
export async function sessionFigures(
  db: D1Database,
  filter: SessionFilter,
  { names, limit, by = "none", cursor }: Asked,
): Promise<SessionFigures> {
  const any = names.map((text) => ({ kind: "is" as const, text, isQuoted: true }));
  const passing = await searchOf(db, filter);
  const search = { ...passing, among: all([passing.among, metricNamed(any).among]) };
  const after = cursor === undefined ? undefined : Number(readCursor(cursor, LIST).value);
  const grouped = groupedBy(by);
  const rows = await rowsOf<{ row: string }>(
    db,
    sql`SELECT ${rowText(search, names, grouped)} AS row ${found(search, { after })} LIMIT ${limit + 1}`,
  );

  const items: FiguredSeries[] = [];
  const unlisted: string[] = [];
  let last: FiguredSession | undefined;
  for (const { row } of rows.slice(0, limit)) {
    const stored = JSON.parse(row) as StoredRow; // of `rowText`
    last = sessionOf(stored, grouped);
    const series = addSeries(items, last, stored, names);
    if (series === 0 && stored[MAY_HAVE_OTHERS] === 1) unlisted.push(last.id);
  }
  // All candidates that are read passed: the last one is the end of the scan.
  const isFull = rows.length > limit || rows.length === search.limit;
  const stop = isFull ? last : await scanEnd(db, search, { after, descending: true });
  return {
    items,
    unlisted,
    next: stop ? writeCursor({ list: LIST, value: stop.key, id: "", backwards: false }) : null,
    searched_to: stop?.created_at ?? null,
    partial:
      stop !== undefined || unlisted.length > 0 || items.some(({ session }) => session.unsure),
    published_to: publishedTo(filter, Date.now(), true),
  };
}

/** What a session's group depends on (core/comparison/grouping.ts), beside what is always read. */
type Grouped = {
  /** The values as SQL. */
  values: string;
  read: (values: unknown[]) => Partial<GroupedSession>;
};

/** Undefined: nothing else. */
function groupedBy(by: Grouping): Grouped | undefined {
  const path = groupedPath(by);
  if (path) {
    const written = writePath(path);
    return {
      values: `d.state -> '$.${detailKey(written)}', ${MAY_HAVE_VALUES}`,
      read: ([rows, isPart]) => ({
        state: lastValues(rows as Rows, written, isPart === 1), // of `values`
      }),
    };
  }
  const columns = groupedTag(by) === undefined ? GROUP_COLUMNS[by] : (["tags"] as const);
  return (
    columns && {
      values: columns.map((column) => COLUMN_VALUES[column]).join(),
      read: (values) => Object.fromEntries(columns.map((column, index) => [column, values[index]])),
    }
  );
}

/** Its state may have had values that are not listed. */
const MAY_HAVE_VALUES = `(s.left_out & ${LEFT_OUT_BITS.state_paths | UNPUBLISHED} OR s.damaged <> 0)`;

const GROUP_COLUMNS: { [by: string]: readonly (keyof typeof COLUMN_VALUES)[] } = {
  status: ["status", "failed"],
  machine: ["hostname", "machine_id"],
  os: ["os"],
  language: ["language"],
  browser: ["browser"],
  exit_code: ["exit_code"],
};

const COLUMN_VALUES = {
  status: "s.status",
  failed: "json(iif(s.failed, 'true', 'false'))",
  hostname: "s.hostname",
  machine_id: "s.machine_id",
  os: "s.os",
  language: "s.language",
  browser: "s.browser",
  exit_code: "s.exit_code",
  tags: "json(s.tags)",
};

/** A row as one JSON text: many columns take twice as long to arrive. Keys of lists are hashes, so they need no parameters. */
function rowText(
  { unsure, unsureQuery }: Search,
  names: string[],
  grouped: Grouped | undefined,
): SQL {
  const figures = names.map((name) => `d.figures -> '$.${detailKey(name)}'`);
  const values = grouped ? `json_array(${grouped.values})` : "NULL";
  return sql`json_array(s.key, s.id, s.product, s.version, s.created_at, s.ended_at, ${unsure} OR ${unsureQuery},
    s.left_out & ${sql.raw(`${LEFT_OUT_BITS.series} OR s.damaged <> 0, ${[values, ...figures].join()}`)})`;
}

type StoredRow = [
  key: number,
  id: string,
  product: string,
  version: string,
  created_at: number,
  ended_at: number | null,
  unsure: number,
  /** It may have a metric in a series that is not listed. */
  mayHaveOthers: number,
  grouped: unknown[] | null,
  ...figures: Rows[],
];
const [MAY_HAVE_OTHERS, FIRST_FIGURES] = [7, 9] as const;
/** Those of a name or a path; null: there are none. */
type Rows = unknown[][] | null;

function sessionOf(row: StoredRow, grouped: Grouped | undefined): FiguredSession {
  const session: FiguredSession = {
    key: row[0],
    id: row[1],
    product: row[2],
    version: row[3],
    created_at: row[4],
    ended_at: row[5],
  };
  if (row[6] === 1) session.unsure = true;
  return grouped ? Object.assign(session, grouped.read(row[8] ?? [])) : session;
}

/** Adds the series of a session, and returns how many. Loops and one literal for each, since there may be ten thousand. */
function addSeries(
  items: FiguredSeries[],
  session: FiguredSession,
  row: StoredRow,
  names: string[],
): number {
  const before = items.length;
  for (let index = 0; index < names.length; index++) {
    const from = items.length;
    for (const values of (row[FIRST_FIGURES + index] as Rows) ?? []) {
      const item = Object.assign(rowOf("figures", values), UNDIVIDED, { session });
      if (item.name === names[index]) items.push(item);
    }
    if (items.length > from + 1)
      items.push(...items.splice(from).sort((a, b) => a.series - b.series));
  }
  return items.length - before;
}

function lastValues(rows: Rows, path: string, isPart: boolean): string[] | null {
  const all = (rows ?? []).map((row) => rowOf("state", row)).filter((row) => row.path === path);
  if (all.length === 0) return isPart ? null : [];
  if (all.some(({ value }) => value === ANY_VALUE)) return null;
  const last = all.filter(({ value, last_at }) => last_at === null && value !== MEMBERS);
  // Members of a list that are objects or lists have no values here.
  if (last.length === 0 && all.some(({ value }) => value === MEMBERS)) return null;
  return last.map(({ value }) => value);
}
