/** State paths over all sessions and the values they held: suggestions for "ever in state". */
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { MAX_NAMES } from "./limits.ts";
import { afterPrefix, type Names, names, type NamesQuery } from "./names.ts";

/** Paths (as core/state/path.ts writes them), alphabetically. */
export async function statePaths(db: D1Database, query: NamesQuery = {}): Promise<Names<string>> {
  return names(db, "state_values", query);
}

/** Values that the path held in any session, strings first, alphabetically; for a path with too many, some of them. */
export async function stateValues(db: D1Database, path: string, prefix = ""): Promise<string[]> {
  // As core/state/values.ts writes values: strings, then all others.
  const kinds = await Promise.all(['"', "="].map((kind) => valuesFrom(db, path, kind + prefix)));
  return [...new Set(kinds.flat())].slice(0, MAX_NAMES);
}

async function valuesFrom(db: D1Database, path: string, from: string): Promise<string[]> {
  const end = afterPrefix(from);
  const rows = await drizzle(db).all<{ value: string }>(
    sql`WITH RECURSIVE step (value) AS (
          SELECT (SELECT min(value) FROM state_values WHERE path = ${path} AND value >= ${from} AND value < ${end})
          UNION ALL
          SELECT (SELECT min(value) FROM state_values WHERE path = ${path} AND value > step.value AND value < ${end})
          FROM step WHERE step.value IS NOT NULL
          LIMIT ${MAX_NAMES})
        SELECT substr(value, 2) AS value FROM step WHERE value IS NOT NULL`,
  );
  return rows.map((row) => row.value);
}
