/**
 * The publication of a session object to the catalog: idempotent, in one transaction; an older one never replaces a newer one.
 *
 * A publication may be sent twice, late, or with rows that have not changed: equal rows are not written, and a publication of a lower
 * revision changes nothing. So a publisher may always send everything; sending only what may have changed saves CPU, not rows.
 */
import { getTableColumns, getTableName, type InferInsertModel } from "drizzle-orm";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import { DAY_MS } from "../core/limits.ts";
import { countExceptions, countSessions } from "./counts.ts";
import { PARAMETER_LENGTH } from "./limits.ts";
import {
  event_counts,
  exceptions,
  failed_tests,
  metrics,
  sessions,
  state_values,
  test_parts,
} from "./schema.ts";
import { CHANGES_TESTS, REMOVE_TESTS, REPLACE_TESTS, type TestRows } from "./test-rows.ts";

/**
 * One session as the catalog knows it. Columns are explained in schema.ts. `session` is always whole; of the other tables
 * come all rows or those that may have changed since the last publication. Lists and objects are JSON text.
 */
export type Publication = {
  session: InferInsertModel<typeof sessions>;
  metrics: Omit<InferInsertModel<typeof metrics>, "session_id">[];
  event_counts: Omit<InferInsertModel<typeof event_counts>, "session_id">[];
  exceptions: Omit<InferInsertModel<typeof exceptions>, "session_id" | "product" | "version">[];
  state_values: Omit<InferInsertModel<typeof state_values>, "session_id">[];
} & TestRows;

/**
 * Publishes sessions, each at most once in one call, and returns the number of rows written. Throws when the catalog does not answer:
 * publish again later. Many sessions cost as many statements as one.
 */
export async function publish(db: D1Database, ...publications: Publication[]): Promise<number> {
  const results = await db.batch(portions(publications).flatMap((some) => statements(db, some)));
  return rowsWritten(results);
}

function statements(db: D1Database, publications: Publication[]): D1PreparedStatement[] {
  const sessions = listOf(publications.map(({ session }) => session));
  const failures = listOf(rowsOf(publications, ({ exceptions }) => exceptions));
  const bind = (sql: string, ...values: string[]) => db.prepare(sql).bind(...values);
  const write = (sql: string, rows: object[]) => lists(rows).map((list) => bind(sql, list));
  return [
    // Counts are the difference to what the tables still hold, so they go first.
    ...COUNT_SESSIONS.map((sql) => bind(sql, sessions)),
    // Also without rows: if the product became known late, the session has to move to other counts.
    ...COUNT_EXCEPTIONS.map((sql) => bind(sql, sessions, failures)),
    // The rows of its tests are found by what the session's row still holds.
    ...REPLACE_TESTS.map((sql) => bind(sql, sessions)),
    ...write(
      WRITE_TEST_PARTS,
      testRowsOf(publications, (one) => one.test_parts),
    ),
    ...write(
      WRITE_FAILED_TESTS,
      testRowsOf(publications, (one) => one.failed_tests),
    ),
    bind(CHANGE_STATUS, sessions),
    bind(CHANGE_IDENTITY, sessions),
    bind(WRITE_SESSION, sessions),
    ...write(
      WRITE_METRICS,
      rowsOf(publications, (one) => one.metrics),
    ),
    ...write(
      WRITE_EVENT_COUNTS,
      rowsOf(publications, (one) => one.event_counts),
    ),
    bind(MOVE_EXCEPTIONS, sessions),
    ...(failures === "[]" ? [] : [bind(WRITE_EXCEPTIONS, failures)]),
    ...write(
      WRITE_STATE_VALUES,
      rowsOf(publications, (one) => one.state_values),
    ),
  ];
}

/** Publications in portions whose sessions and exceptions each fit into one parameter. */
function portions(publications: Publication[]): Publication[][] {
  return divided(
    publications,
    ({ session, exceptions }) => listOf([session, ...exceptions]).length,
  );
}

/** Rows of a detail table, each with what identifies its session and the publication. */
function rowsOf(publications: Publication[], detail: (of: Publication) => object[]): object[] {
  return publications.flatMap((publication) => {
    const { id, revision, product, version } = publication.session;
    return detail(publication).map((row) => ({
      session_id: id,
      revision,
      product,
      version,
      ...row,
    }));
  });
}

function testRowsOf(publications: Publication[], detail: (of: Publication) => object[]): object[] {
  return publications.flatMap((publication) => {
    const { test_mark, test_parts: parts, created_at } = publication.session;
    return rowsOf([publication], detail).map((row) => ({ ...row, test_mark, parts, created_at }));
  });
}

/** Notes that the storage of a session cannot be read. Writes nothing if that is noted already. */
export async function noteDamaged(db: D1Database, sessionId: string): Promise<void> {
  await db
    .prepare("UPDATE sessions SET damaged = 1 WHERE id = ? AND damaged = 0")
    .bind(sessionId)
    .run();
}

/** Removes a session and what it added to every count, and returns the number of rows written. Idempotent. */
export async function removeSession(db: D1Database, sessionId: string): Promise<number> {
  return rowsWritten(await db.batch(REMOVE_SESSION.map((sql) => db.prepare(sql).bind(sessionId))));
}

function rowsWritten(results: D1Result[]): number {
  return results.reduce((sum, result) => sum + result.meta.rows_written, 0);
}

/** JSON has no infinity, and the columns refuse null. */
function finite(_: string, value: unknown): unknown {
  if (typeof value !== "number" || Number.isFinite(value)) return value;
  return Number.isNaN(value) ? 0 : Math.sign(value) * Number.MAX_VALUE;
}

/** A JSON list. */
function listOf(rows: object[]): string {
  return JSON.stringify(rows, finite);
}

/** JSON lists of rows, each short enough for one parameter. */
function lists(rows: object[]): string[] {
  const texts = rows.map((row) => JSON.stringify(row, finite));
  return divided(texts, (text) => text.length).map((portion) => `[${portion.join()}]`);
}

/** Items in portions whose lengths add up to at most PARAMETER_LENGTH, or of one longer item. */
function divided<Item>(items: Item[], lengthOf: (item: Item) => number): Item[][] {
  const portions: Item[][] = [];
  let room = 0;
  for (const item of items) {
    const length = lengthOf(item);
    if (length > room) {
      portions.push([]);
      room = PARAMETER_LENGTH;
    }
    portions.at(-1)?.push(item);
    room -= length;
  }
  return portions;
}

// The statements: the one place where SQL is plain text, because each publication executes twenty of them, which are generated from the
// schema once. ?1 is a JSON list of rows: of sessions, or of a detail table, which name their session and its revision. The lists come
// first in each join (CROSS JOIN), so that the tables are read by their keys.

/** No newer publication of the session was written. */
const newest = (id: string) =>
  `NOT EXISTS (SELECT 1 FROM sessions AS other WHERE other.id = new.value ->> '${id}' AND other.revision > new.value ->> 'revision')`;
const NEWEST_SESSION = newest("id");
const NEWEST_DETAIL = newest("session_id");

const columnsOf = (table: SQLiteTable) => Object.keys(getTableColumns(table));
const newValue = (column: string) => `new.value ->> '${column}'`;

const COUNTED = [
  "product",
  "version",
  "status",
  "failed",
  "ever_hung",
  "created_at",
  "bytes",
  "tests",
  "failed_tests",
];
const COUNT_SESSIONS = countSessions(`
  SELECT -1 AS n, ${COUNTED.map((column) => `old.${column}`).join()}
  FROM json_each(?1) AS new CROSS JOIN sessions AS old
  WHERE old.id = new.value ->> 'id' AND old.revision <= new.value ->> 'revision'
  UNION ALL
  SELECT 1, ${COUNTED.map((column) => `${newValue(column)} AS ${column}`).join()}
  FROM json_each(?1) AS new WHERE ${NEWEST_SESSION}`);

const FAILURE = [
  "fingerprint",
  "type",
  "message",
  "place",
  "search",
  "count",
  "unhandled",
  "first_at",
  "last_at",
  "first_seq",
];
const OF_SESSION = ["session_id", "product", "version"];
const OLD_FAILURE = FAILURE.map((column) => `old.${column}`).join();
/** ?2 is the list of exceptions. */
const COUNT_EXCEPTIONS = countExceptions(`
  SELECT -1 AS n, ${OF_SESSION.map((column) => `old.${column}`).join()}, ${OLD_FAILURE}
  FROM json_each(?1) AS new CROSS JOIN exceptions AS old ON old.session_id = new.value ->> 'id' WHERE ${NEWEST_SESSION}
  UNION ALL
  SELECT 1, ${[...OF_SESSION, ...FAILURE].map(newValue).join()} FROM json_each(?2) AS new WHERE ${NEWEST_DETAIL}
  UNION ALL
  SELECT 1, old.session_id, ${["product", "version"].map(newValue).join()}, ${OLD_FAILURE}
  FROM json_each(?1) AS new CROSS JOIN exceptions AS old ON old.session_id = new.value ->> 'id'
  WHERE ${NEWEST_SESSION} AND (old.session_id, old.fingerprint) NOT IN (
    SELECT failure.value ->> 'session_id', failure.value ->> 'fingerprint' FROM json_each(?2) AS failure)`);

/**
 * Naming an indexed column in an update costs a row for its index even when the value stays (and one of the table's key moves the
 * row). So these change by statements of their own, and only when they do.
 */
const STATUS = ["status", "is_open", "failed", "ever_hung", "left_out", "damaged"];
const IDENTITY = ["created_at", "product", "version", "machine_id"];
const UNINDEXED = columnsOf(sessions).filter(
  (column) => column !== "id" && !STATUS.includes(column) && !IDENTITY.includes(column),
);
const CHANGE_STATUS = changeSession(STATUS);
const CHANGE_IDENTITY = changeSession(IDENTITY);

function changeSession(columns: string[]): string {
  return `
    UPDATE sessions SET ${[...columns, ...UNINDEXED].map((column) => `${column} = ${newValue(column)}`).join()}
    FROM json_each(?1) AS new
    WHERE sessions.id = new.value ->> 'id' AND revision <= new.value ->> 'revision'
      AND (${columns.join()}) IS NOT (${columns.map(newValue).join()})`;
}

const WRITE_SESSION = write(sessions, ["id"], NEWEST_SESSION, UNINDEXED);
const WRITE_METRICS = write(metrics, ["session_id", "name", "series"]);
const WRITE_EVENT_COUNTS = write(event_counts, ["session_id", "name", "category"]);
const MOVE_EXCEPTIONS = `
  UPDATE exceptions SET product = ${newValue("product")}, version = ${newValue("version")} FROM json_each(?1) AS new
  WHERE session_id = new.value ->> 'id' AND (product, version) IS NOT (${["product", "version"].map(newValue).join()})
    AND ${NEWEST_SESSION}`;
const WRITE_EXCEPTIONS = write(exceptions, ["session_id", "fingerprint"]);
const WRITE_TEST_PARTS = insert(test_parts);
const WRITE_FAILED_TESTS = insert(failed_tests);

/** Rows of a session whose tests changed; the old ones are removed before. */
function insert(table: SQLiteTable): string {
  const columns = columnsOf(table);
  return `INSERT OR IGNORE INTO ${getTableName(table)} (${columns.join()})
    SELECT ${columns.map(newValue).join()} FROM json_each(?1) AS new WHERE ${CHANGES_TESTS}`;
}
const WRITE_STATE_VALUES = write(state_values, ["session_id", "path", "value"]);

/** An upsert that does not write rows that are equal already. */
function write(
  table: SQLiteTable,
  key: string[],
  isNewest = NEWEST_DETAIL,
  changing = columnsOf(table).filter((column) => !key.includes(column)),
): string {
  const name = getTableName(table);
  const columns = columnsOf(table);
  return `
    INSERT INTO ${name} (${columns.join()})
    SELECT ${columns.map(newValue).join()} FROM json_each(?1) AS new WHERE ${isNewest}
    ON CONFLICT (${key.join()}) DO UPDATE SET ${changing.map((column) => `${column} = excluded.${column}`).join()}
    WHERE (${changing.map((column) => `${name}.${column}`).join()}) IS NOT (${changing.map((column) => `excluded.${column}`).join()})`;
}

const OF_GROUP =
  "(product, fingerprint) IN (SELECT product, fingerprint FROM exceptions WHERE session_id = ?1)";
const REMOVE_SESSION = [
  ...countSessions(`SELECT -1 AS n, ${COUNTED.join()} FROM sessions WHERE id = ?1`),
  ...countExceptions(
    `SELECT -1 AS n, session_id, product, version, ${FAILURE.join()} FROM exceptions WHERE session_id = ?1`,
  ),
  // Counts that are 0 are removed, with the names in them…
  "DELETE FROM versions WHERE sessions <= 0 AND product = (SELECT product FROM sessions WHERE id = ?1)",
  `DELETE FROM version_days WHERE sessions <= 0 AND day = (SELECT created_at / ${DAY_MS} FROM sessions WHERE id = ?1)`,
  `DELETE FROM exception_groups WHERE sessions <= 0 AND ${OF_GROUP}`,
  `DELETE FROM exception_days WHERE sessions <= 0 AND ${OF_GROUP}`,
  // …and groups whose example was this session get another example.
  `UPDATE exception_groups SET (type, message, place, search, session_id, session_at, session_seq) = (
     SELECT type, message, place, search, session_id, first_at, first_seq FROM exceptions
     WHERE exceptions.fingerprint = exception_groups.fingerprint AND exceptions.product = exception_groups.product
       AND session_id <> ?1 ORDER BY session_id DESC LIMIT 1)
   WHERE session_id = ?1 AND ${OF_GROUP}`,
  ...REMOVE_TESTS,
  ...[metrics, event_counts, exceptions, state_values].map(
    (table) => `DELETE FROM ${getTableName(table)} WHERE session_id = ?1`,
  ),
  "DELETE FROM sessions WHERE id = ?1",
];
