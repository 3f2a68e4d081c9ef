/** Exceptions grouped by fingerprint, over sessions and versions of a product, and what people decided about them. */
import { type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { DEFAULT_PAGE } from "../core/limits.ts";
import { Refusal } from "../core/refusal.ts";
import { DAY_MS } from "./counts.ts";
import { readCursor, writeCursor } from "./cursor.ts";
import { wordsOf } from "./filter.ts";
import { TREND_DAYS } from "./limits.ts";

export const GROUP_STATUSES = ["open", "resolved", "muted"] as const;
export type GroupStatus = (typeof GROUP_STATUSES)[number];
export const GROUP_SORTS = ["last_at", "first_at", "sessions", "count"] as const;
export type GroupSort = (typeof GROUP_SORTS)[number];

export type ExceptionGroup = {
  product: string;
  fingerprint: string;
  type: string;
  message: string;
  sessions: number;
  count: number;
  first_at: number;
  last_at: number;
  /** An example: the session that had it last, and when and after which op it first happened there. */
  session_id: string;
  session_at: number;
  session_seq: number;
  status: GroupStatus;
  resolved_at: number | null;
  resolved_version: string | null;
  /** It happened again after it was resolved. */
  returned_at: number | null;
};

/** One day (epoch milliseconds of its UTC midnight) of a group: sessions of a version that met it first then. */
export type GroupDay = { day_at: number; version: string; sessions: number; count: number };

export type GroupQuery = {
  product?: string;
  /** `open` includes what was resolved and came back. */
  status?: GroupStatus;
  text?: string;
  sort?: GroupSort;
  cursor?: string;
  limit?: number;
};

/** Groups, the newest occurrence first unless sorted otherwise. There are as many as there are different bugs, not sessions. */
export async function exceptionGroups(
  db: D1Database,
  { product, status, text, sort = "last_at", cursor, limit = DEFAULT_PAGE }: GroupQuery,
): Promise<{ items: ExceptionGroup[]; next: string | null }> {
  const all: SQL[] = [sql`sessions > 0`];
  if (product !== undefined) all.push(sql`product = ${product}`);
  if (status !== undefined) all.push(sql`${STANDING} = ${status}`);
  for (const word of wordsOf(text)) {
    all.push(sql`instr(lower(type || ' ' || message || ' ' || fingerprint), ${word}) > 0`);
  }
  const column = sql.raw(sort);
  if (cursor !== undefined) {
    const { value, id } = readCursor(cursor, sort);
    all.push(sql`(${column}, product || '/' || fingerprint) < (${value}, ${id})`);
  }
  const rows = await drizzle(db).all<ExceptionGroup>(
    sql`SELECT * FROM exception_groups WHERE ${sql.join(all, sql` AND `)}
        ORDER BY ${column} DESC, product || '/' || fingerprint DESC LIMIT ${limit + 1}`,
  );
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  if (rows.length <= limit || !last) return { items, next: null };
  const id = `${last.product}/${last.fingerprint}`;
  return { items, next: writeCursor({ list: sort, value: last[sort], id, backwards: false }) };
}

/** A resolved group that came back stands open again. */
const STANDING = sql`CASE WHEN status = 'resolved' AND returned_at IS NOT NULL THEN 'open' ELSE status END`;

/** The groups of one fingerprint, by product; usually one. */
export async function exceptionGroup(
  db: D1Database,
  fingerprint: string,
  product?: string,
): Promise<ExceptionGroup[]> {
  const of = product === undefined ? sql`` : sql` AND product = ${product}`;
  return drizzle(db).all<ExceptionGroup>(
    sql`SELECT * FROM exception_groups WHERE fingerprint = ${fingerprint}${of} AND sessions > 0 ORDER BY last_at DESC`,
  );
}

/** A group's trend by day and version, oldest first; days without it are left out. */
export async function exceptionDays(
  db: D1Database,
  product: string,
  fingerprint: string,
  now: number,
  days = TREND_DAYS,
): Promise<GroupDay[]> {
  return drizzle(db).all<GroupDay>(
    sql`SELECT day * ${DAY_MS} AS day_at, version, sessions, count FROM exception_days
        WHERE product = ${product} AND fingerprint = ${fingerprint} AND day > ${Math.floor(now / DAY_MS) - days} AND sessions > 0
        ORDER BY day, version`,
  );
}

/** Decides about a group. Resolving it again starts over: what came back before counts no more. */
export async function decideGroup(
  db: D1Database,
  {
    product,
    fingerprint,
    status,
    version,
  }: { product: string; fingerprint: string; status: GroupStatus; version?: string },
  now: number,
): Promise<void> {
  const resolved = status === "resolved";
  const result = await drizzle(db).run(
    sql`UPDATE exception_groups SET status = ${status}, resolved_at = ${resolved ? now : null},
        resolved_version = ${(resolved && version) || null}, returned_at = NULL
        WHERE product = ${product} AND fingerprint = ${fingerprint}`,
  );
  if (result.meta.changes === 0) {
    throw new Refusal("not_found", "There is no such group of exceptions.");
  }
}
