/** The roster: which sessions exist. A rebuild of the catalog reads them here. */
import { asc, count, eq, gt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { roster } from "./schema.ts";

type RosterRow = { id: string; product: string; first_at: number };

/** Writes the rows that are not there yet, and returns their ids: each was a row written. */
export async function addToRoster(db: D1Database, ...rows: RosterRow[]): Promise<string[]> {
  if (rows.length === 0) return [];
  const list = JSON.stringify(rows); // one parameter, of which a statement may have 100
  const added = await drizzle(db).all<{ id: string }>(sql`
    INSERT INTO roster (id, product, first_at)
    SELECT value ->> 'id', value ->> 'product', value ->> 'first_at' FROM json_each(${list}) WHERE true
    ON CONFLICT DO NOTHING RETURNING id`);
  return added.map(({ id }) => id);
}

export async function removeFromRoster(db: D1Database, id: string): Promise<void> {
  await drizzle(db).delete(roster).where(eq(roster.id, id));
}

export async function rosterRow(db: D1Database, id: string): Promise<RosterRow | undefined> {
  const [row] = await drizzle(db).select().from(roster).where(eq(roster.id, id));
  return row;
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

/** Those of the ids that are not in the roster. */
export async function missingInRoster(db: D1Database, ids: string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const rows = await drizzle(db).all<{ id: string }>(
    sql`SELECT value AS id FROM json_each(${JSON.stringify(ids)}) WHERE value NOT IN (SELECT id FROM roster WHERE id = value)`,
  );
  return rows.map(({ id }) => id);
}

/** How many sessions exist. Reads a row for each. */
export async function rosterSize(db: D1Database): Promise<number> {
  const [row] = await drizzle(db).select({ size: count() }).from(roster);
  return row?.size ?? 0;
}
