/** The roster: which sessions exist. A rebuild of the catalog reads them here. */
import { asc, count, eq, gt } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { roster } from "./schema.ts";

type RosterRow = { id: string; product: string; first_at: number };

/** Writes a session's row, and returns how many rows that wrote: 0 if it is there already. */
export async function addToRoster(db: D1Database, row: RosterRow): Promise<number> {
  const { meta } = await drizzle(db).insert(roster).values(row).onConflictDoNothing();
  return meta.rows_written;
}

export async function removeFromRoster(db: D1Database, id: string): Promise<void> {
  await drizzle(db).delete(roster).where(eq(roster.id, id));
}

/** Ids of sessions in their order, beginning after `after`. */
export async function rosterIds(db: D1Database, after: string, limit: number): Promise<string[]> {
  const rows = await drizzle(db)
    .select({ id: roster.id })
    .from(roster)
    .where(gt(roster.id, after))
    .orderBy(asc(roster.id))
    .limit(limit);
  return rows.map(({ id }) => id);
}

/** How many sessions exist. Reads a row for each. */
export async function rosterSize(db: D1Database): Promise<number> {
  const [row] = await drizzle(db).select({ size: count() }).from(roster);
  return row?.size ?? 0;
}
