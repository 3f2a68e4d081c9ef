/** Single sessions as the catalog knows them. The whole truth is in their objects; this is one row read. */
import { MAX_RETURNED } from "./limits.ts";

/** The session's product, to check what a key may see; nothing if the catalog does not know it yet. */
export async function productOf(db: D1Database, id: string): Promise<string | undefined> {
  const row = await db
    .prepare("SELECT product FROM sessions WHERE id = ?1")
    .bind(id)
    .first<{ product: string }>();
  return row?.product;
}

/**
 * 1.x's "machine returned", mended: open sessions of this product that ran on this machine before it booted again, and so
 * cannot be running any more.
 */
export async function openBeforeBoot(
  db: D1Database,
  now: { machine_id: string; boot_id: string; product: string },
): Promise<string[]> {
  if (now.machine_id === "" || now.boot_id === "") return [];
  const { results } = await db
    .prepare(
      `SELECT id FROM sessions INDEXED BY sessions_open
       WHERE is_open = 1 AND machine_id = ?1 AND product = ?2 AND boot_id NOT IN ('', ?3) LIMIT ${MAX_RETURNED}`,
    )
    .bind(now.machine_id, now.product, now.boot_id)
    .all<{ id: string }>();
  return results.map((row) => row.id);
}

/** Ids of sessions in their order, beginning after `after`. */
export async function sessionIds(db: D1Database, after: string, limit: number): Promise<string[]> {
  const { results } = await db
    .prepare("SELECT id FROM sessions WHERE id > ?1 ORDER BY id LIMIT ?2")
    .bind(after, limit)
    .all<{ id: string }>();
  return results.map((row) => row.id);
}

/** The last state of sessions, for lists that show a path of it: bounded JSON text, null where it was too large. */
export async function latestStates(
  db: D1Database,
  ids: string[],
): Promise<Map<string, string | null>> {
  const { results } = await db
    .prepare("SELECT id, state FROM sessions WHERE id IN (SELECT value FROM json_each(?1))")
    .bind(JSON.stringify(ids))
    .all<{ id: string; state: string | null }>();
  return new Map(results.map((row) => [row.id, row.state]));
}
