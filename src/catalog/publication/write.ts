/**
 * What a publication writes, as statements of one transaction. SQL is plain text here, because each publication executes them. ?1
 * is a JSON list of rows, which comes first in each join (CROSS JOIN), so that the tables are read by their keys.
 */
import { getTableColumns, getTableName } from "drizzle-orm";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import type { Batch, BatchRow } from "./batch.ts";
import {
  ADD_DAY_COUNTS,
  ADD_GROUP_COUNTS,
  type Change,
  type Counted,
  dayCounts,
  groupCounts,
} from "./counts.ts";
import type { Packed } from "./pack.ts";
import { readTag } from "../../core/text/tag.ts";
import { TOKEN } from "../tables/posting.ts";
import { failed_tests, sessions, test_parts } from "../tables/schema.ts";
import type { Publication, SessionRow } from "../tables/publication.ts";
import type { Stored } from "./stored.ts";
import { REMOVE_TESTS } from "./test-rows.ts";

/** What is to be written for a session that has no newer publication. */
export type Draft = {
  place: number;
  publication: Publication;
  old: Stored | undefined;
  row: SessionRow & { key: number };
  /** Undefined if it stays. */
  tokens: string | undefined;
  /** Undefined if they stay. */
  packed: Packed | undefined;
};

export function addDrafts(batch: Batch, drafts: Draft[]): void {
  addCheck(
    batch,
    drafts.map(({ place, old, publication }) => ({ place, old, id: publication.session.id })),
  );
  addCounts(batch, drafts.flatMap(changesOf));
  addTests(batch, drafts);
  addSessions(batch, drafts);
  addPostings(batch, drafts);
  addDetails(batch, drafts);
  addNames(batch, drafts);
}

/** The transaction fails unless the catalog has these sessions as they were read. */
export function addCheck(
  batch: Batch,
  sessions: { place: number; old: Stored | undefined; id: string }[],
): void {
  const known = sessions.flatMap(({ place, old }) => (old ? [{ place, old }] : []));
  batch.add(
    CHECK_KNOWN,
    known.map(({ place, old }) => one(place, JSON.stringify([old.key, old.id, old.writes]))),
  );
  const unknown = sessions.filter(({ old }) => !old);
  batch.add(
    CHECK_UNKNOWN,
    unknown.map(({ place, id }) => one(place, JSON.stringify([TOKEN.id(id), id]))),
  );
}

const one = (place: number, row: object | string): BatchRow => ({ places: [place], row });

/** SQLite has no statement that fails on purpose outside of a trigger; an overflow of integers is an error that nothing else here causes. */
const failIf = (rows: string) => `SELECT iif(EXISTS (${rows}), abs(-9223372036854775807 - 1), 0)`;
const OVERTAKEN = /integer overflow|UNIQUE constraint failed: sessions\.key/;
const CHECK_KNOWN = failIf(`
  SELECT 1 FROM json_each(?1) AS old LEFT JOIN sessions AS s ON s.key = old.value ->> 0 AND s.id = old.value ->> 1 AND s.writes = old.value ->> 2
  WHERE s.key IS NULL`);
const CHECK_UNKNOWN = failIf(`
  SELECT 1 FROM json_each(?1) AS new CROSS JOIN postings ON postings MATCH new.value ->> 0
  CROSS JOIN sessions AS s ON s.key = postings.rowid AND s.id = new.value ->> 1`);

/** Whether a transaction failed because another one changed what was read before it: a session, or a key that was free. */
export function isOvertaken(error: unknown): boolean {
  return error instanceof Error && (OVERTAKEN.test(error.message) || isOvertaken(error.cause));
}

export function addCounts(batch: Batch, changes: Change[]): void {
  batch.add(
    ADD_DAY_COUNTS,
    dayCounts(changes).map(({ places, ...row }) => ({ places, row })),
  );
  batch.add(
    ADD_GROUP_COUNTS,
    groupCounts(changes).map(({ places, ...row }) => ({ places, row })),
  );
}

/** What a session added to the counts, and what it adds. */
function changesOf({ place, old, publication: { session, scope, exceptions } }: Draft): Change[] {
  const kinds = scope === "all" ? exceptions : (old?.exceptions ?? []);
  const counted: Counted = { ...session, exceptions: kinds };
  const added: Change = { n: 1, place, counted };
  return old ? [{ n: -1, place, counted: old }, added] : [added];
}

function addTests(batch: Batch, drafts: Draft[]): void {
  const changed = drafts.filter(({ old, row }) => (old?.test_mark ?? "") !== row.test_mark);
  removeTests(
    batch,
    changed.flatMap(({ place, old }) => (old ? [{ place, old }] : [])),
  );
  const rowsOf = (rows: (draft: Draft) => object[]) =>
    changed.flatMap((draft) => {
      const { id, product, version, created_at, test_parts } = draft.row;
      const ofSession = { session_id: id, product, version, created_at, parts: test_parts };
      return rows(draft).map((row) => one(draft.place, { ...ofSession, ...row }));
    });
  batch.add(
    insert(test_parts),
    rowsOf(({ publication }) => publication.test_parts),
  );
  batch.add(
    insert(failed_tests),
    rowsOf(({ publication }) => publication.failed_tests),
  );
}

export function removeTests(batch: Batch, sessions: { place: number; old: Stored }[]): void {
  const rows = sessions
    .filter(({ old }) => old.test_parts > 0)
    .map(({ place, old: { id, product, created_at, test_parts } }) =>
      one(place, { id, product, created_at, test_parts }),
    );
  for (const sql of REMOVE_TESTS) batch.add(sql, rows);
}

function addSessions(batch: Batch, drafts: Draft[]): void {
  const moved = drafts.flatMap(({ place, old, row }) =>
    old && old.key !== row.key ? [one(place, String(old.key))] : [],
  );
  removeRows(batch, moved);
  const rowsOf = (some: Draft[]) => some.map(({ place, row }) => one(place, row));
  const isHere = ({ old, row }: Draft) => old?.key === row.key;
  const isListedAs = ({ old, row }: Draft) =>
    old?.left_out === row.left_out && old.damaged === row.damaged;
  batch.add(INSERT_SESSIONS, rowsOf(drafts.filter((draft) => !isHere(draft))));
  batch.add(UPDATE_SESSIONS, rowsOf(drafts.filter((draft) => isHere(draft) && isListedAs(draft))));
  batch.add(RELIST_SESSIONS, rowsOf(drafts.filter((draft) => isHere(draft) && !isListedAs(draft))));
}

/** `keys`: of sessions. Counts are not changed. */
export function removeRows(batch: Batch, keys: BatchRow[]): void {
  for (const table of ["sessions", "details", "more_rollups"])
    batch.add(`DELETE FROM ${table} WHERE key IN (SELECT value FROM json_each(?1))`, keys);
  batch.add(REMOVE_POSTINGS, keys);
}

const REMOVE_POSTINGS = `DELETE FROM postings WHERE rowid IN (SELECT value FROM json_each(?1))`;

const columnsOf = (table: SQLiteTable) => Object.keys(getTableColumns(table));
const newValue = (column: string) => `new.value ->> '${column}'`;

function insert(table: SQLiteTable): string {
  const columns = columnsOf(table);
  return `INSERT OR IGNORE INTO ${getTableName(table)} (${columns.join()})
    SELECT ${columns.map(newValue).join()} FROM json_each(?1) AS new`;
}

const SESSION_COLUMNS = columnsOf(sessions);
const INSERT_SESSIONS = `INSERT INTO sessions (${SESSION_COLUMNS.join()})
  SELECT ${SESSION_COLUMNS.map(newValue).join()} FROM json_each(?1) AS new`;
/** Naming a column of an index in an update costs a row for the index even when the value stays. So these two have a statement of their own. */
const OF_INDEXES = ["left_out", "damaged"];
const CHANGING = SESSION_COLUMNS.filter(
  (column) => !["key", "id", "writes", ...OF_INDEXES].includes(column),
);
const UPDATE_SESSIONS = update(CHANGING);
const RELIST_SESSIONS = update([...CHANGING, ...OF_INDEXES]);

/** Rows that are equal already are not written. */
function update(columns: string[]): string {
  return `UPDATE sessions SET writes = writes + 1, ${columns.map((column) => `${column} = ${newValue(column)}`).join()}
    FROM json_each(?1) AS new WHERE sessions.key = ${newValue("key")}
      AND (${columns.map((column) => `sessions.${column}`).join()}) IS NOT (${columns.map(newValue).join()})`;
}

function addPostings(batch: Batch, drafts: Draft[]): void {
  batch.add(
    `INSERT OR REPLACE INTO postings (rowid, tokens) SELECT new.value ->> 0, new.value ->> 1 FROM json_each(?1) AS new`,
    drafts.flatMap(({ place, row, tokens }) =>
      tokens === undefined ? [] : [one(place, `[${row.key},"${tokens}"]`)],
    ),
  );
}

function addDetails(batch: Batch, drafts: Draft[]): void {
  const changed = drafts.flatMap(({ place, row, packed, old }) =>
    packed ? [{ place, key: row.key, packed, old }] : [],
  );
  const written = changed.filter(({ packed }) => packed.mark !== "");
  batch.add(
    WRITE_DETAILS,
    written.map(({ place, key, packed }) => one(place, detailsText(key, packed))),
  );
  batch.add(
    WRITE_MORE_ROLLUPS,
    written.flatMap(({ place, key, packed }) =>
      packed.further.map((rollups, part) => one(place, `[${key},${part},${rollups}]`)),
    ),
  );
  batch.add(
    `DELETE FROM more_rollups WHERE (key, part) IN (
       SELECT more.key, more.part FROM json_each(?1) AS new CROSS JOIN more_rollups AS more ON more.key = new.value ->> 0 AND more.part >= new.value ->> 1)`,
    changed.map(({ place, key, packed }) => one(place, [key, packed.further.length])),
  );
  batch.add(
    "DELETE FROM details WHERE key IN (SELECT value FROM json_each(?1))",
    changed
      .filter(({ packed, old }) => packed.mark === "" && old)
      .map(({ place, key }) => one(place, String(key))),
  );
}

const LISTS = [
  "events",
  "exceptions",
  "state",
  "figures",
  "attachments",
  "tests",
  "texts",
] as const;
const WRITE_DETAILS = `
  INSERT OR REPLACE INTO details (key, ${[...LISTS, "rollups"].join()}, searched)
  SELECT new.value ->> 'key', ${[...LISTS, "rollups"].map((list) => `jsonb_extract(new.value, '$.${list}')`).join()}, new.value ->> 'searched'
  FROM json_each(?1) AS new`;
const WRITE_MORE_ROLLUPS = `
  INSERT OR REPLACE INTO more_rollups (key, part, rollups)
  SELECT new.value ->> 0, new.value ->> 1, jsonb_extract(new.value, '$[2]') FROM json_each(?1) AS new`;

/** Empty lists are left out. */
function detailsText(key: number, { row }: Packed): string {
  const lists = [...LISTS, "rollups" as const]
    .filter((list) => row[list] !== "")
    .map((list) => `"${list}":${row[list]},`);
  return `{${lists.join("")}"key":${key},"searched":${JSON.stringify(row.searched)}}`;
}

/** Names that the products have already cost no row. */
function addNames(batch: Batch, drafts: Draft[]): void {
  const rows = new Map<string, BatchRow>();
  for (const { place, publication, tokens } of drafts) {
    if (tokens === undefined) continue;
    const { session, metrics, event_counts, state_values } = publication;
    const add = (kind: string, name: string, type = "", unit = "") => {
      const key = JSON.stringify([kind, name, session.product]);
      if (!rows.has(key)) rows.set(key, one(place, [kind, name, session.product, type, unit]));
    };
    for (const { name, type, unit } of metrics) add("metric", name, type, unit);
    for (const { name } of event_counts) add("event", name);
    for (const { path } of state_values) add("state", path);
    for (const tag of JSON.parse(session.tags) as string[]) add("tag", readTag(tag).key); // of its publication
  }
  batch.add(
    `INSERT OR IGNORE INTO names (kind, name, product, type, unit)
     SELECT new.value ->> 0, new.value ->> 1, new.value ->> 2, new.value ->> 3, new.value ->> 4 FROM json_each(?1) AS new`,
    [...rows.values()],
  );
}
