/** Lists of names: of metrics, events and state paths, in pages. */
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { readCursor, writeCursor } from "./cursor.ts";
import { LEFT_OUT_BITS, UNPUBLISHED } from "./filter.ts";
import { MAX_COMPARED_SESSIONS, MAX_COUNTED_INCOMPLETE, MAX_NAMES } from "./limits.ts";
import { listSessions, publishedTo } from "./sessions.ts";

type Table = "metrics" | "event_counts" | "state_values";

export type NamesQuery = {
  /** How the names begin. */
  prefix?: string;
  /** Only names in the newest sessions of this product. */
  product?: string;
  cursor?: string;
  limit?: number;
};

/** Names in alphabetical order, and what was not looked at for them. */
export type Names<Item> = {
  items: Item[];
  next: string | null;
  /** There are names that this list, with all its pages, does not have: those of older sessions, or of sessions with an incomplete index. */
  partial: boolean;
  /** Start of the oldest session whose names were read, if older ones of the product were not. */
  searched_to: number | null;
  /** As of a SessionList. */
  published_to: number | null;
  /** Sessions that have more names than the catalog lists, or are damaged, up to MAX_COUNTED_INCOMPLETE. */
  incomplete_sessions: number;
};

export async function names(
  db: D1Database,
  table: Table,
  query: NamesQuery,
): Promise<Names<string>> {
  const { prefix = "", product, cursor, limit = MAX_NAMES } = query;
  const after = cursor === undefined ? undefined : readCursor(cursor, table).id;
  const range = { prefix, after, limit: limit + 1 };
  const [{ found, searched_to }, incomplete_sessions] = await Promise.all([
    product === undefined
      ? everyName(db, table, range).then((found) => ({ found, searched_to: null }))
      : namesOf(db, table, range, product),
    incompleteSessions(db, BITS[table], product),
  ]);
  const items = found.slice(0, limit);
  const last = items.at(-1);
  const hasMore = found.length > limit && last !== undefined;
  return {
    items,
    next: hasMore ? writeCursor({ list: table, value: "", id: last, backwards: false }) : null,
    partial: searched_to !== null || incomplete_sessions > 0,
    searched_to,
    published_to: publishedTo({}, Date.now()),
    incomplete_sessions,
  };
}

type Range = { prefix: string; after: string | undefined; limit: number };

const columnOf = (table: Table) => (table === "state_values" ? "path" : "name");
const BITS = {
  metrics: LEFT_OUT_BITS.series | UNPUBLISHED,
  event_counts: LEFT_OUT_BITS.event_names | UNPUBLISHED,
  state_values: LEFT_OUT_BITS.state_paths | UNPUBLISHED,
};

/** The distinct first column of an index, one step per name however many rows have it: SQLite has no skip scan of its own. */
async function everyName(
  db: D1Database,
  table: Table,
  { prefix, after, limit }: Range,
): Promise<string[]> {
  const [column, from] = [sql.raw(columnOf(table)), sql.raw(table)];
  const end = afterPrefix(prefix);
  const start = after === undefined ? sql`${column} >= ${prefix}` : sql`${column} > ${after}`;
  const rows = await drizzle(db).all<{ name: string }>(
    sql`WITH RECURSIVE step (name) AS (
          SELECT (SELECT min(${column}) FROM ${from} WHERE ${start} AND ${column} < ${end})
          UNION ALL
          SELECT (SELECT min(${column}) FROM ${from} WHERE ${column} > step.name AND ${column} < ${end}) FROM step WHERE step.name IS NOT NULL
          LIMIT ${limit})
        SELECT name FROM step WHERE name IS NOT NULL`,
  );
  return rows.map((row) => row.name);
}

async function namesOf(
  db: D1Database,
  table: Table,
  { prefix, after, limit }: Range,
  product: string,
): Promise<{ found: string[]; searched_to: number | null }> {
  const { items, next } = await listSessions(db, { product, limit: MAX_COMPARED_SESSIONS });
  const ids = JSON.stringify(items.map((row) => row.id));
  const column = sql.raw(`t.${columnOf(table)}`);
  const start = after === undefined ? sql`${column} >= ${prefix}` : sql`${column} > ${after}`;
  const rows = await drizzle(db).all<{ name: string }>(
    sql`SELECT DISTINCT ${column} AS name FROM json_each(${ids}) AS s CROSS JOIN ${sql.raw(table)} AS t ON t.session_id = s.value
        WHERE ${start} AND ${column} < ${afterPrefix(prefix)} ORDER BY 1 LIMIT ${limit}`,
  );
  const searched_to = next === null ? null : (items.at(-1)?.created_at ?? null);
  return { found: rows.map((row) => row.name), searched_to };
}

/** How many sessions have more than the catalog lists, or are damaged, up to MAX_COUNTED_INCOMPLETE. `bits`: LEFT_OUT_BITS and UNPUBLISHED. */
export async function incompleteSessions(
  db: D1Database,
  bits: number,
  product: string | undefined,
): Promise<number> {
  const isOf = product === undefined ? sql`` : sql` AND product = ${product}`;
  const [row] = await drizzle(db).all<{ n: number }>(
    sql`SELECT count(*) AS n FROM (
          SELECT id FROM sessions INDEXED BY sessions_left_out WHERE left_out <> 0 AND left_out & ${bits}${isOf}
          UNION SELECT id FROM sessions INDEXED BY sessions_damaged WHERE damaged <> 0${isOf}
          LIMIT ${MAX_COUNTED_INCOMPLETE})`,
  );
  return row?.n ?? 0;
}

/** Greater than every text that begins with the prefix. */
export function afterPrefix(prefix: string): string {
  return `${prefix}\u{10ffff}`;
}
