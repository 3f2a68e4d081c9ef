/** Lists of names: of metrics, events and state paths, in pages. */
import { type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { readCursor, writeCursor } from "./cursor.ts";
import { LEFT_OUT_BITS, UNPUBLISHED } from "./search/filter.ts";
import { MAX_COUNTED_INCOMPLETE, MAX_NAMES, SCAN_NAMES } from "./limits.ts";
import type { names as table } from "./tables/schema.ts";
import { publishedTo } from "./search/sessions.ts";

/** Of what the names are: of state, its paths; of tags, their keys. */
type NameKind = (typeof table.$inferSelect)["kind"];

export type NamesQuery = {
  /** How the names begin. */
  prefix?: string;
  /** Only names in sessions of this product. */
  product?: string;
  cursor?: string;
  limit?: number;
};

/** Names in alphabetical order, and what was not looked at for them. */
export type Names<Item> = {
  /** With a `product` there may be fewer than the limit although there is a `next`, because most names are of other products. */
  items: Item[];
  next: string | null;
  /** There are names that this list, with all its pages, does not have: those of sessions with an incomplete index. */
  partial: boolean;
  /** Always null: the names of all sessions are listed. */
  searched_to: number | null;
  /** As of a SessionList. */
  published_to: number | null;
  /** Sessions that have more names than the catalog lists, or are damaged, up to MAX_COUNTED_INCOMPLETE. */
  incomplete_sessions: number;
};

export async function names(
  db: D1Database,
  kind: NameKind,
  query: NamesQuery,
): Promise<Names<string>> {
  const { product, cursor, limit = MAX_NAMES } = query;
  const list = `${kind} names`;
  const after = cursor === undefined ? undefined : readCursor(cursor, list).id;
  const [rows, incomplete_sessions] = await Promise.all([
    drizzle(db).all<Step>(steps(kind, query, after, limit)),
    incompleteSessions(db, BITS[kind], product),
  ]);
  const items = rows.filter(({ is_of }) => is_of === 1).map(({ name }) => name);
  const last =
    items.length > limit ? items[limit - 1] : rows.find(({ n }) => n === SCAN_NAMES)?.name;
  return {
    items: items.slice(0, limit),
    next: last === undefined ? null : writeCursor({ list, value: "", id: last, backwards: false }),
    partial: incomplete_sessions > 0,
    searched_to: null,
    published_to: publishedTo({}, Date.now(), true),
    incomplete_sessions,
  };
}

const BITS: { [kind in NameKind]: number } = {
  metric: LEFT_OUT_BITS.series | UNPUBLISHED,
  event: LEFT_OUT_BITS.event_names | UNPUBLISHED,
  state: LEFT_OUT_BITS.state_paths | UNPUBLISHED,
  tag: LEFT_OUT_BITS.tags,
};

/** The name at step `n`, and whether it is of the product. */
type Step = { n: number; name: string; is_of: number };

/**
 * The distinct names in their order, one step each however many products have it: SQLite has no skip scan of its own. At most SCAN_NAMES
 * steps; the last of these is among the rows although it may be no name of the product.
 */
function steps(
  kind: NameKind,
  { prefix = "", product }: NamesQuery,
  after: string | undefined,
  limit: number,
): SQL {
  const next = (from: SQL) =>
    sql`(SELECT min(name) FROM names WHERE kind = ${kind} AND ${from} AND name < ${afterPrefix(prefix)})`;
  const first = after === undefined ? sql`name >= ${prefix}` : sql`name > ${after}`;
  const isOf =
    product === undefined
      ? sql`1`
      : sql`EXISTS (SELECT 1 FROM names AS own WHERE own.kind = ${kind} AND own.name = step.name AND own.product = ${product})`;
  return sql`WITH RECURSIVE step (n, name) AS (
      SELECT 1, ${next(first)}
      UNION ALL
      SELECT n + 1, ${next(sql`name > step.name`)} FROM step WHERE step.name IS NOT NULL
      LIMIT ${SCAN_NAMES})
    SELECT n, name, is_of FROM (SELECT n, name, ${isOf} AS is_of FROM step WHERE name IS NOT NULL)
    WHERE is_of OR n = ${SCAN_NAMES} LIMIT ${limit + 1}`;
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
          SELECT key FROM sessions INDEXED BY sessions_left_out WHERE left_out <> 0 AND left_out & ${bits}${isOf}
          UNION SELECT key FROM sessions INDEXED BY sessions_damaged WHERE damaged <> 0${isOf}
          LIMIT ${MAX_COUNTED_INCOMPLETE})`,
  );
  return row?.n ?? 0;
}

/** Greater than every text that begins with the prefix. */
export function afterPrefix(prefix: string): string {
  return `${prefix}\u{10ffff}`;
}
