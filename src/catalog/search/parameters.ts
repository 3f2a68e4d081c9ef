/** Statements with more parameters than D1 allows. */
import type { SQL } from "drizzle-orm";
import { SQLiteAsyncDialect } from "drizzle-orm/sqlite-core";
import { Refusal } from "../../core/refusal.ts";
import { MAX_PARAMETERS, MAX_STATEMENT_LENGTH } from "../limits.ts";

/**
 * The rows of a statement with any number of parameters: if there are too many, they are members of one list, which SQLite reads
 * once. Throws a Refusal (invalid_query) for a longer statement than D1 allows.
 */
export async function rowsOf<Row>(db: D1Database, statement: SQL): Promise<Row[]> {
  const query = new SQLiteAsyncDialect().sqlToQuery(statement);
  const { text, values } = bounded(query.sql, query.params);
  if (text.length > MAX_STATEMENT_LENGTH)
    throw new Refusal(
      "invalid_query",
      "The conditions of this query are too many for one search: search in two steps.",
      { position: 0 },
    );
  const { results } = await db
    .prepare(text)
    .bind(...values)
    .all<Row>();
  return results;
}

/** `text` has a question mark for each value, and no other ones. */
function bounded(text: string, values: unknown[]): { text: string; values: unknown[] } {
  if (values.length <= MAX_PARAMETERS) return { text, values };
  let place = 0;
  return {
    text: text.replaceAll("?", () => `(?1 ->> ${place++})`),
    values: [JSON.stringify(values)],
  };
}
