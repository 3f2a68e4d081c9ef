/**
 * What every table is: a JSON array of rows with equal columns, none of them nested. Each column of epoch milliseconds has a second one
 * beside it, with `_iso` after its name, for readers that know only RFC 3339. What the rows leave out is in headers, because an array has no
 * place for it, and with `completeness=true` in a row of its own, because Grafana shows no headers.
 */
import type { Context } from "hono";

type Cell = string | number | boolean | null;
export type Row = { [column: string]: Cell };

/** What a table leaves out. Absent: it has no such limit. */
export type Completeness = {
  /** There are rows that it does not have. */
  partial: boolean;
  /** The cursor of the rows after these; null after the last one. */
  next?: string | null;
  /** Start of the oldest session that was looked at, if older ones were not. */
  searched_to?: number | null;
  /** What was recorded after it may be missing. */
  published_to?: number | null;
};

/** Answers with the table, or with its completeness if that was asked for. */
export function table(
  c: Context,
  rows: Row[],
  { partial, next = null, searched_to = null, published_to = null }: Completeness,
  isCompleteness: boolean | undefined,
): Response {
  c.header("datacat-partial", String(partial));
  if (next !== null) c.header("datacat-next", next);
  if (searched_to !== null) c.header("datacat-searched-to", String(searched_to));
  if (published_to !== null) c.header("datacat-published-to", String(published_to));
  if (!isCompleteness) return c.json(rows);
  const times = { ...timed("searched_to", searched_to), ...timed("published_to", published_to) };
  return c.json([{ rows: rows.length, partial, next, ...times }]);
}

/** A column of time as two: epoch milliseconds and RFC 3339. */
export function timed(column: string, at: number | null): Row {
  return { [column]: at, [`${column}_iso`]: isoOf(at) };
}

/** Null for a time that RFC 3339 cannot have: its years have four digits. */
function isoOf(at: number | null): string | null {
  return at === null || at < 0 || at > LAST_ISO ? null : new Date(at).toISOString();
}

const LAST_ISO = Date.UTC(9999, 11, 31, 23, 59, 59, 999);
