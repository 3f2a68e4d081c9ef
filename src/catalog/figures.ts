/**
 * The figures of metrics in all sessions that pass a filter, without their points and rollups: what a table or a chart with a value for each
 * session, or for each group of sessions, is made from. One statement reads up to SCAN_SESSIONS sessions.
 */
import { type SQL, sql } from "drizzle-orm";
import type { SessionRow } from "../core/answers/session-row.ts";
import { ranMs } from "../core/session/duration.ts";
import { writePath } from "../core/state/path.ts";
import { ANY_VALUE, MEMBERS } from "../core/state/values.ts";
import type { Status } from "../core/vocabulary.ts";
import { all } from "./search/candidates.ts";
import { metricNamed } from "./search/conditions.ts";
import { readCursor, writeCursor } from "./cursor.ts";
import { detailKey, type Row, rowOf } from "./tables/details.ts";
import { LEFT_OUT_BITS, type SessionFilter, UNPUBLISHED } from "./search/filter.ts";
import { chained } from "./search/matching.ts";
import { rowsOf } from "./search/parameters.ts";
import {
  found,
  publishedTo,
  scanEnd,
  type Search,
  searchOf,
  type SessionList,
} from "./search/sessions.ts";

/** Which metrics and what else is wanted of each session. */
type Asked = {
  /** Names of metrics: a session has at least one of them. */
  names: string[];
  /** At most SCAN_SESSIONS. */
  limit: number;
  /** Paths of the state whose last values are wanted. */
  paths?: string[][];
  /** `next` of the page before. */
  cursor?: string;
};

/** A session with what it may be grouped by. */
export type FiguredSession = Pick<
  SessionRow,
  | "id"
  | "product"
  | "version"
  | "status"
  | "ever_hung"
  | "machine_id"
  | "hostname"
  | "browser"
  | "created_at"
  | "ended_at"
  | "ran_ms"
  | "exit_code"
  | "tags"
> & {
  /** Its key in the catalog. */
  key: number;
  failed: boolean;
  os: string;
  language: string;
  /** It may or may not pass the filter, since its lists are incomplete. */
  unsure?: true;
  /**
   * For each of the paths, the values that it has, or had when the session ended, as core/state/values.ts writes them: several of a list, none if
   * the path had none. Null: not known, because it had too many values, or the list is incomplete.
   */
  state: (string[] | null)[];
  /** Of the metrics, in the order of their names in the question, then of the series' ids. */
  series: SeriesFigures[];
};

type SeriesFigures = Row<"figures">;

export type SessionFigures = Pick<
  SessionList,
  "next" | "partial" | "searched_to" | "published_to"
> & {
  /** The newest session first. */
  items: FiguredSession[];
  /** Ids of sessions that may have one of the metrics, of which the catalog does not have all series. */
  unlisted: string[];
};

const LIST = "figures";

/** The sessions that pass and have any of the metrics, newest first. `partial`: there may be more. */
export async function sessionFigures(
  db: D1Database,
  filter: SessionFilter,
  { names, limit, paths = [], cursor }: Asked,
): Promise<SessionFigures> {
  const any = names.map((text) => ({ kind: "is" as const, text, isQuoted: true }));
  const passing = await searchOf(db, filter);
  const search = { ...passing, among: all([passing.among, metricNamed(any).among]) };
  const after = cursor === undefined ? undefined : Number(readCursor(cursor, LIST).value);
  const written = paths.map(writePath);
  const rows = await rowsOf<{ key: number; created_at: number; row: string }>(
    db,
    sql`SELECT s.key, s.created_at, ${columns(search, names, written)} AS row ${found(search, { after })}
        AND (${hasAny(names)} OR ${UNLISTED}) LIMIT ${limit + 1}`,
  );
  const page = rows.slice(0, limit);
  const stop =
    rows.length > limit ? page.at(-1) : await scanEnd(db, search, { after, descending: true });

  const now = Date.now();
  const items: FiguredSession[] = [];
  const unlisted: string[] = [];
  for (const { key, row } of page) {
    const session = sessionOf(key, JSON.parse(row) as StoredRow, names, written, now); // of `columns`
    if (session.series.length > 0) items.push(session);
    else unlisted.push(session.id);
  }
  return {
    items,
    unlisted,
    next: stop ? writeCursor({ list: LIST, value: stop.key, id: "", backwards: false }) : null,
    searched_to: stop?.created_at ?? null,
    partial: stop !== undefined || unlisted.length > 0 || items.some(({ unsure }) => unsure),
    published_to: publishedTo(filter, now, true),
  };
}

/** Of a session without the metrics: it may have them in a series that is not listed. */
const UNLISTED = sql.raw(`s.left_out & ${LEFT_OUT_BITS.series} OR s.damaged <> 0`);

function hasAny(names: string[]): SQL {
  const parts = names.map((name) => sql`${figuresOf(name)} IS NOT NULL`);
  return parts.length === 0 ? sql`0` : chained(parts, sql` OR `);
}

/** The rows of a metric in the session's list, as JSON. The key is a hash, so it needs no parameter. */
function figuresOf(name: string): SQL {
  return sql.raw(`d.figures -> '$.${detailKey(name)}'`);
}

/** One JSON text instead of many columns, which take twice as long to arrive. */
function columns({ unsure, unsureQuery }: Search, names: string[], paths: string[]): SQL {
  const states = paths.map((path) => sql.raw(`d.state -> '$.${detailKey(path)}'`));
  return sql`json_array(json_array(${OWN}, ${unsure}, ${unsureQuery}), ${jsonLists(names.map(figuresOf))}, ${jsonLists(states)})`;
}

/** Lists of at most 30 values each: a function of SQLite takes 32 arguments on this platform. */
function jsonLists(values: SQL[]): SQL {
  const lists: SQL[] = [];
  for (let at = 0; at < values.length; at += 30)
    lists.push(sql`json_array(${sql.join(values.slice(at, at + 30), sql`, `)})`);
  return sql`json_array(${sql.join(lists, sql`, `)})`;
}

/** The figures by name and the values by path are in lists of jsonLists. */
type StoredRow = [
  own: OwnColumns,
  figures: (unknown[][] | null)[][],
  state: (unknown[][] | null)[][],
];

/** Columns of the session's row, in the order of OWN. */
type OwnColumns = [
  id: string,
  product: string,
  version: string,
  status: Status,
  failed: number,
  ever_hung: number,
  machine_id: string,
  hostname: string,
  browser: string,
  os: string,
  language: string,
  created_at: number,
  ended_at: number | null,
  exit_code: number | null,
  status_since: number,
  updated_at: number,
  received_at: number,
  left_out: number,
  damaged: number,
  tags: string[],
  unsure: number,
  unsureQuery: number,
];
const OWN = sql.raw(
  `s.id, s.product, s.version, s.status, s.failed, s.ever_hung, s.machine_id, s.hostname, s.browser, s.os, s.language, s.created_at, s.ended_at, s.exit_code,
   s.status_since, s.updated_at, s.received_at, s.left_out, s.damaged, json(s.tags)`,
);

/** Without lists and objects in between: ten thousand sessions are read at once. */
function sessionOf(
  key: number,
  [own, figures, state]: StoredRow,
  names: string[],
  paths: string[],
  now: number,
): FiguredSession {
  const [
    id,
    product,
    version,
    status,
    failed,
    ever_hung,
    machine_id,
    hostname,
    browser,
    os,
    ...rest
  ] = own;
  const [
    language,
    created_at,
    ended_at,
    exit_code,
    status_since,
    updated_at,
    received_at,
    ...marks
  ] = rest;
  const [left_out, damaged, tags, unsure, unsureQuery] = marks;
  const isPart = damaged > 0 || (left_out & (LEFT_OUT_BITS.state_paths | UNPUBLISHED)) !== 0;
  const times = { status, status_since, created_at, updated_at, received_at, ended_at };
  return {
    key,
    id,
    product,
    version,
    status,
    failed: failed === 1,
    ever_hung: ever_hung === 1,
    machine_id,
    hostname,
    browser,
    os,
    language,
    created_at,
    ended_at,
    ran_ms: ranMs(times, now),
    exit_code,
    tags,
    ...((unsure === 1 || unsureQuery === 1) && { unsure: true }),
    state: state.flat().map((rows, index) => lastValues(rows, paths[index], isPart)),
    series: figures.flat().flatMap((rows, index) => seriesOf(rows, names[index])),
  };
}

function seriesOf(rows: unknown[][] | null, name: string | undefined): SeriesFigures[] {
  const series = (rows ?? []).map((row) => rowOf("figures", row));
  return series.filter((one) => one.name === name).sort((a, b) => a.series - b.series);
}

function lastValues(rows: unknown[][] | null, path: string | undefined, isPart: boolean) {
  const all = (rows ?? []).map((row) => rowOf("state", row)).filter((row) => row.path === path);
  if (all.length === 0) return isPart ? null : [];
  if (all.some(({ value }) => value === ANY_VALUE)) return null;
  const last = all.filter(({ value, last_at }) => last_at === null && value !== MEMBERS);
  // Members of a list that are objects or lists have no values here.
  if (last.length === 0 && all.some(({ value }) => value === MEMBERS)) return null;
  return last.map(({ value }) => value);
}
