/** Lists of names: of metrics, events and state paths. */
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { MAX_COMPARED_SESSIONS, MAX_NAMES } from "./limits.ts";
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
  const [column, from] = [sql.raw(columnOf(table)), sql.raw(table)];
  const end = afterPrefix(prefix);
  const rows = await drizzle(db).all<{ name: string }>(
    sql`WITH RECURSIVE step (name) AS (
          SELECT (SELECT min(${column}) FROM ${from} WHERE ${column} >= ${prefix} AND ${column} < ${end})
          UNION ALL
          SELECT (SELECT min(${column}) FROM ${from} WHERE ${column} > step.name AND ${column} < ${end}) FROM step WHERE step.name IS NOT NULL
          LIMIT ${MAX_NAMES})
        SELECT name FROM step WHERE name IS NOT NULL`,
  );
  return rows.map((row) => row.name);
}

async function namesOf(
  db: D1Database,
  table: Table,
  prefix: string,
  product: string,
): Promise<string[]> {
  const { items } = await listSessions(db, { product, limit: MAX_COMPARED_SESSIONS });
  const ids = JSON.stringify(items.map((row) => row.id));
  const column = sql.raw(`t.${columnOf(table)}`);
  const rows = await drizzle(db).all<{ name: string }>(
    sql`SELECT DISTINCT ${column} AS name FROM json_each(${ids}) AS s CROSS JOIN ${sql.raw(table)} AS t ON t.session_id = s.value
        WHERE ${column} >= ${prefix} AND ${column} < ${afterPrefix(prefix)} ORDER BY 1 LIMIT ${MAX_NAMES}`,
  );
  return rows.map((row) => row.name);
}

/** Greater than every text that begins with the prefix. */
export function afterPrefix(prefix: string): string {
  return `${prefix}\u{10ffff}`;
}
