/** The distinct first column of an index, one step per name however many rows have it: SQLite has no skip scan of its own. */
import { MAX_NAMES } from "./limits.ts";

export async function names(
  db: D1Database,
  table: "metrics" | "event_counts" | "state_values",
  prefix: string,
): Promise<string[]> {
  const column = table === "state_values" ? "path" : "name";
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
