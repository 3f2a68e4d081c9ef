/** Ids of sessions that the catalog has. What they recorded is in their objects. */
import { type InferSelectModel, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { MAX_RETURNED } from "./limits.ts";
import { TOKEN } from "./tables/posting.ts";
import { sessions } from "./tables/schema.ts";

/**
 * Open sessions of this product that ran on this machine before it booted again, and so cannot be running any more. 1.x's "machine
 * returned" also took sessions of the same boot.
 */
export async function openBeforeBoot(
  db: D1Database,
  now: { machine_id: string; boot_id: string; product: string },
): Promise<string[]> {
  const { machine_id, boot_id, product } = now;
  if (machine_id === "" || boot_id === "") return [];
  const tokens = [TOKEN.status("open"), TOKEN.machine(machine_id), TOKEN.product(product)];
  const rows = await drizzle(db).all<{ id: string }>(
    sql`SELECT s.id FROM postings CROSS JOIN sessions AS s ON s.key = postings.rowid
        WHERE postings MATCH ${tokens.join(" AND ")} AND s.is_open = 1 AND s.machine_id = ${machine_id} AND s.product = ${product}
          AND s.boot_id NOT IN ('', ${boot_id})
        ORDER BY postings.rowid LIMIT ${MAX_RETURNED}`,
  );
  return rows.map((row) => row.id);
}

/** The whole row of a session; undefined if the catalog does not have it. */
export async function sessionRow(
  db: D1Database,
  id: string,
): Promise<InferSelectModel<typeof sessions> | undefined> {
  const [row] = await drizzle(db)
    .select()
    .from(sessions)
    .where(
      sql`${sessions.key} IN (SELECT rowid FROM postings WHERE postings MATCH ${TOKEN.id(id)}) AND ${sessions.id} = ${id}`,
    );
  return row;
}

/** Ids of the newest sessions whose storage is damaged, as far as was noticed. */
export async function damagedSessions(db: D1Database, limit: number): Promise<string[]> {
  const rows = await drizzle(db).all<{ id: string }>(
    sql`SELECT id FROM sessions INDEXED BY sessions_damaged WHERE damaged <> 0 ORDER BY key DESC LIMIT ${limit}`,
  );
  return rows.map(({ id }) => id);
}

/** Sessions in the order of their start, beginning after the key `after`. */
export async function sessionsAfter(
  db: D1Database,
  after: number,
  limit: number,
): Promise<{ key: number; id: string }[]> {
  return drizzle(db).all(
    sql`SELECT key, id FROM sessions WHERE key > ${after} ORDER BY key LIMIT ${limit}`,
  );
}
