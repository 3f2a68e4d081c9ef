/** Ids of sessions that the catalog has. What they recorded is in their objects. */
import { asc, eq, gt, type InferSelectModel, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { MAX_RETURNED } from "./limits.ts";
import { sessions } from "./schema.ts";

/**
 * Open sessions of this product that ran on this machine before it booted again, and so cannot be running any more. 1.x's "machine
 * returned" also took sessions of the same boot.
 */
export async function openBeforeBoot(
  db: D1Database,
  now: { machine_id: string; boot_id: string; product: string },
): Promise<string[]> {
  if (now.machine_id === "" || now.boot_id === "") return [];
  const rows = await drizzle(db).all<{ id: string }>(
    sql`SELECT id FROM sessions INDEXED BY sessions_open
        WHERE is_open = 1 AND machine_id = ${now.machine_id} AND product = ${now.product} AND boot_id NOT IN ('', ${now.boot_id})
        LIMIT ${MAX_RETURNED}`,
  );
  return rows.map((row) => row.id);
}

/** The whole row of a session; undefined if the catalog does not have it. */
export async function sessionRow(
  db: D1Database,
  id: string,
): Promise<InferSelectModel<typeof sessions> | undefined> {
  const [row] = await drizzle(db).select().from(sessions).where(eq(sessions.id, id));
  return row;
}

/** Ids of the newest sessions whose storage is damaged, as far as was noticed. */
export async function damagedSessions(db: D1Database, limit: number): Promise<string[]> {
  const rows = await drizzle(db).all<{ id: string }>(
    sql`SELECT id FROM sessions INDEXED BY sessions_damaged WHERE damaged <> 0 ORDER BY created_at DESC LIMIT ${limit}`,
  );
  return rows.map(({ id }) => id);
}

/** Ids in their order, beginning after `after`. */
export async function sessionIds(db: D1Database, after: string, limit: number): Promise<string[]> {
  const rows = await drizzle(db)
    .select({ id: sessions.id })
    .from(sessions)
    .where(gt(sessions.id, after))
    .orderBy(asc(sessions.id))
    .limit(limit);
  return rows.map((row) => row.id);
}
