/** State paths over all sessions and the values they held: suggestions for "ever in state". */
import { MAX_NAMES } from "./limits.ts";
import { names } from "./names.ts";

/** Paths (keys joined by dots) that begin with `prefix`, alphabetically. */
export async function statePaths(db: D1Database, prefix = ""): Promise<string[]> {
  return names(db, "state_values", prefix);
}

/** Values that the path held in any session, alphabetically; for a path with too many, some of them. */
export async function stateValues(db: D1Database, path: string, prefix = ""): Promise<string[]> {
  const { results } = await db
    .prepare(
      `WITH RECURSIVE step (value) AS (
         SELECT (SELECT min(value) FROM state_values WHERE path = ?1 AND value >= ?2 AND value < ?3)
         UNION ALL
         SELECT (SELECT min(value) FROM state_values WHERE path = ?1 AND value > step.value AND value < ?3)
         FROM step WHERE step.value IS NOT NULL
         LIMIT ${MAX_NAMES})
       SELECT substr(value, 2) AS value FROM step WHERE value IS NOT NULL`,
    )
    .bind(path, `=${prefix}`, `=${prefix}\u{10ffff}`)
    .all<{ value: string }>();
  return results.map((row) => row.value);
}
