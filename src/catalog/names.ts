/** Names to pick from: of metrics, events and state paths. */
import { MAX_COMPARED, MAX_NAMES } from "./limits.ts";
import { listSessions } from "./sessions.ts";

type Table = "metrics" | "event_counts" | "state_values";

/** Names that begin with `prefix`, alphabetically; of one product: those of its newest sessions. */
export async function names(
  db: D1Database,
  table: Table,
  prefix: string,
  product?: string,
): Promise<string[]> {
  return product === undefined ? everyName(db, table, prefix) : namesOf(db, table, prefix, product);
}

const columnOf = (table: Table) => (table === "state_values" ? "path" : "name");

/** The distinct first column of an index, one step per name however many rows have it: SQLite has no skip scan of its own. */
async function everyName(db: D1Database, table: Table, prefix: string): Promise<string[]> {
  const column = columnOf(table);
  // Past the last name that begins with the prefix, whatever follows it.
  const end = `${prefix}\u{10ffff}`;
  const { results } = await db
    .prepare(
      `WITH RECURSIVE step (name) AS (
         SELECT (SELECT min(${column}) FROM ${table} WHERE ${column} >= ?1 AND ${column} < ?2)
         UNION ALL
         SELECT (SELECT min(${column}) FROM ${table} WHERE ${column} > step.name AND ${column} < ?2) FROM step WHERE step.name IS NOT NULL
         LIMIT ${MAX_NAMES})
       SELECT name FROM step WHERE name IS NOT NULL`,
    )
    .bind(prefix, end)
    .all<{ name: string }>();
  return results.map((row) => row.name);
}

async function namesOf(
  db: D1Database,
  table: Table,
  prefix: string,
  product: string,
): Promise<string[]> {
  const { items } = await listSessions(db, { product, limit: MAX_COMPARED });
  const column = columnOf(table);
  const { results } = await db
    .prepare(
      `SELECT DISTINCT t.${column} AS name FROM json_each(?1) AS s CROSS JOIN ${table} AS t ON t.session_id = s.value
       WHERE t.${column} >= ?2 AND t.${column} < ?3 ORDER BY 1 LIMIT ${MAX_NAMES}`,
    )
    .bind(JSON.stringify(items.map((row) => row.id)), prefix, `${prefix}\u{10ffff}`)
    .all<{ name: string }>();
  return results.map((row) => row.name);
}
