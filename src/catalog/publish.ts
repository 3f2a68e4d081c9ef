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
import { event_counts, exceptions, metrics, sessions, state_values } from "./schema.ts";

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
};

/** Publishes and returns the number of rows written. Throws when the catalog does not answer: publish again later. */
export async function publish(db: D1Database, publication: Publication): Promise<number> {
  const { session } = publication;
  const { id, revision, product, version } = session;
  const bind = (sql: string, rows: object[]) =>
    parameters(rows).map((json) => db.prepare(sql).bind(id, revision, json));
  // Also without rows: if the product became known late, the session has to move to other counts.
  const failures = JSON.stringify(publication.exceptions);
  const count = (sql: string) => db.prepare(sql).bind(id, revision, failures, product, version);

  const results = await db.batch([
    // Counts are the difference to what the tables still hold, so they go first.
    ...COUNT_SESSIONS.flatMap((sql) => bind(sql, [session])),
    ...COUNT_EXCEPTIONS.map(count),
    ...bind(CHANGE_STATUS, [session]),
    ...bind(CHANGE_IDENTITY, [session]),
    ...bind(WRITE_SESSION, [session]),
    ...bind(WRITE_METRICS, publication.metrics),
    ...bind(WRITE_EVENT_COUNTS, publication.event_counts),
    db.prepare(MOVE_EXCEPTIONS).bind(id, revision, product, version),
    ...(publication.exceptions.length > 0 ? [count(WRITE_EXCEPTIONS)] : []),
    ...bind(WRITE_STATE_VALUES, publication.state_values),
  ]);
  return rowsWritten(results);
}

/** Removes a session and what it added to every count, and returns the number of rows written. Idempotent. */
export async function removeSession(db: D1Database, sessionId: string): Promise<number> {
  return rowsWritten(await db.batch(REMOVE_SESSION.map((sql) => db.prepare(sql).bind(sessionId))));
}

function rowsWritten(results: D1Result[]): number {
  return results.reduce((sum, result) => sum + result.meta.rows_written, 0);
}

/** JSON has no infinity (sums of squares may overflow), and the columns refuse null. */
function finite(_: string, value: unknown): unknown {
  if (typeof value !== "number" || Number.isFinite(value)) return value;
  return Number.isNaN(value) ? 0 : Math.sign(value) * Number.MAX_VALUE;
}

/** JSON lists of rows, each short enough for one parameter. */
function parameters(rows: object[]): string[] {
  const lists: string[][] = [];
  let room = 0;
  for (const row of rows) {
    const json = JSON.stringify(row, finite);
    if (json.length > room) {
      lists.push([]);
      room = PARAMETER_LENGTH;
    }
    lists.at(-1)?.push(json);
    room -= json.length;
  }
  return lists.map((list) => `[${list.join()}]`);
}

// The statements: the one place where SQL is plain text, because each publication executes twenty of them, which are generated from the
// schema once. ?1 is the session's id, ?2 the publication's revision, ?3 the rows, ?4 and ?5 its product and version.

/** No newer publication was written. */
const NEWEST = "NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.id = ?1 AND revision > ?2)";

const columnsOf = (table: SQLiteTable) => Object.keys(getTableColumns(table));
const newValue = (column: string) => `new.value ->> '${column}'`;

const COUNTED = ["product", "version", "status", "ever_hung", "created_at", "bytes"];
const COUNT_SESSIONS = countSessions(`
  SELECT -1 AS n, ${COUNTED.join()} FROM sessions WHERE id = ?1 AND revision <= ?2
  UNION ALL
  SELECT 1, ${COUNTED.map((column) => `${newValue(column)} AS ${column}`).join()}
  FROM json_each(?3) AS new WHERE ${NEWEST}`);

const FAILURE = ["fingerprint", "type", "message", "count", "first_at", "last_at", "first_seq"];
const COUNT_EXCEPTIONS = countExceptions(`
  WITH failure AS (
    SELECT ${FAILURE.map((column) => `${newValue(column)} AS ${column}`).join()} FROM json_each(?3) AS new)
  SELECT -1 AS n, session_id, product, version, ${FAILURE.join()} FROM exceptions WHERE session_id = ?1 AND ${NEWEST}
  UNION ALL
  SELECT 1, ?1, ?4, ?5, ${FAILURE.join()} FROM failure WHERE ${NEWEST}
  UNION ALL
  SELECT 1, ?1, ?4, ?5, ${FAILURE.join()} FROM exceptions
  WHERE session_id = ?1 AND fingerprint NOT IN (SELECT fingerprint FROM failure) AND ${NEWEST}`);

/**
 * Naming an indexed column in an update costs a row for its index even when the value stays (and one of the table's key moves the
 * row). So these change by statements of their own, and only when they do.
 */
const STATUS = ["status", "is_open", "ever_hung"];
const IDENTITY = ["created_at", "product", "version", "machine_id"];
const UNINDEXED = columnsOf(sessions).filter(
  (column) => column !== "id" && !STATUS.includes(column) && !IDENTITY.includes(column),
);
const CHANGE_STATUS = changeSession(STATUS);
const CHANGE_IDENTITY = changeSession(IDENTITY);

function changeSession(columns: string[]): string {
  return `
    UPDATE sessions SET ${[...columns, ...UNINDEXED].map((column) => `${column} = ${newValue(column)}`).join()}
    FROM json_each(?3) AS new
    WHERE sessions.id = ?1 AND revision <= ?2 AND (${columns.join()}) IS NOT (${columns.map(newValue).join()})`;
}

const WRITE_SESSION = write(sessions, ["id"], {}, UNINDEXED);
const WRITE_METRICS = write(metrics, ["session_id", "name", "series"]);
const WRITE_EVENT_COUNTS = write(event_counts, ["session_id", "name", "category"]);
const MOVE_EXCEPTIONS = `
  UPDATE exceptions SET product = ?3, version = ?4 WHERE session_id = ?1 AND (product, version) IS NOT (?3, ?4) AND ${NEWEST}`;
const WRITE_EXCEPTIONS = write(exceptions, ["session_id", "fingerprint"], {
  session_id: "?1",
  product: "?4",
  version: "?5",
});
const WRITE_STATE_VALUES = write(state_values, ["session_id", "path", "value"]);

/** An upsert that does not write rows that are equal already. `bound` columns come from parameters, the others from the rows. */
function write(
  table: SQLiteTable,
  key: string[],
  bound: { [column: string]: string } = { session_id: "?1" },
  changing = columnsOf(table).filter((column) => !key.includes(column)),
): string {
  const name = getTableName(table);
  const columns = columnsOf(table);
  const values = columns.map((column) => bound[column] ?? newValue(column));
  return `
    INSERT INTO ${name} (${columns.join()})
    SELECT ${values.join()} FROM json_each(?3) AS new WHERE ${NEWEST}
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
  `UPDATE exception_groups SET (type, message, session_id, session_at, session_seq) = (
     SELECT type, message, session_id, first_at, first_seq FROM exceptions
     WHERE exceptions.fingerprint = exception_groups.fingerprint AND exceptions.product = exception_groups.product
       AND session_id <> ?1 ORDER BY session_id DESC LIMIT 1)
   WHERE session_id = ?1 AND ${OF_GROUP}`,
  ...[metrics, event_counts, exceptions, state_values].map(
    (table) => `DELETE FROM ${getTableName(table)} WHERE session_id = ?1`,
  ),
  "DELETE FROM sessions WHERE id = ?1",
];
