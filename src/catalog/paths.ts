/** State paths over all sessions and the values they held: suggestions for "ever in state". */
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { columnOf, rowsNamed } from "./tables/details.ts";
import { MAX_NAMES, SUGGESTED_SESSIONS } from "./limits.ts";
import { afterPrefix, type Names, names, type NamesQuery } from "./names.ts";
import { TOKEN } from "./tables/posting.ts";

/** Paths (as core/state/path.ts writes them), alphabetically. */
export async function statePaths(db: D1Database, query: NamesQuery = {}): Promise<Names<string>> {
  return names(db, "state", query);
}

type StateValues = {
  /** Strings first, alphabetically, then all others; for a path with too many in one session, some of them. */
  items: string[];
  /** Start of the oldest session whose values were read, if older ones have the path. */
  searched_to: number | null;
};

/** Values that the path held in the newest SUGGESTED_SESSIONS sessions that have it. */
export async function stateValues(db: D1Database, path: string, prefix = ""): Promise<StateValues> {
  const having = sql`FROM postings WHERE postings MATCH ${TOKEN.path(path)} ORDER BY postings.rowid DESC`;
  const value = sql.raw(columnOf("state", "value"));
  // As core/state/values.ts writes values: strings, then all others.
  const begins = ['"', "="].map((kind) => {
    const from = kind + prefix;
    return sql`(${value} >= ${from} AND ${value} < ${afterPrefix(from)})`;
  });
  const all = drizzle(db);
  const [rows, last] = await Promise.all([
    all.all<{ value: string }>(
      sql`SELECT DISTINCT ${value} AS value FROM (SELECT postings.rowid AS key ${having} LIMIT ${SUGGESTED_SESSIONS}) AS found
          CROSS JOIN details AS d ON d.key = found.key CROSS JOIN ${rowsNamed("state", path)}
          WHERE ${sql.raw(columnOf("state", "path"))} = ${path} AND (${sql.join(begins, sql` OR `)}) ORDER BY 1 LIMIT ${MAX_NAMES}`,
    ),
    all.all<{ created_at: number }>(
      sql`SELECT s.created_at FROM (SELECT postings.rowid AS key ${having} LIMIT 2 OFFSET ${SUGGESTED_SESSIONS - 1}) AS found
          CROSS JOIN sessions AS s ON s.key = found.key`,
    ),
  ]);
  const [oldest, older] = last;
  return {
    items: [...new Set(rows.map((row) => row.value.slice(1)))],
    searched_to: oldest && older ? oldest.created_at : null,
  };
}
