/** What the catalog has to part with: sessions nobody uses any more, and counts of nothing. */
import { MAX_SWEPT } from "./limits.ts";

/** The oldest sessions without activity since `before` that are not running. */
export async function expiredSessions(
  db: D1Database,
  before: number,
  limit: number,
): Promise<string[]> {
  const { results } = await db
    .prepare(
      `SELECT id FROM sessions
       WHERE created_at < ?1 AND updated_at < ?1 AND status NOT IN ('active', 'hung') ORDER BY created_at LIMIT ?2`,
    )
    .bind(before, limit)
    .all<{ id: string }>();
  return results.map((row) => row.id);
}

/** Removes counts that came down to nothing when sessions moved from one product or version to another. */
export async function sweep(db: D1Database): Promise<void> {
  const keys = {
    versions: "product, version",
    version_days: "day, product, version",
    exception_groups: "product, fingerprint",
    exception_days: "product, fingerprint, day, version",
  };
  await db.batch(
    Object.entries(keys).map(([table, key]) =>
      db.prepare(
        `DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM ${table} WHERE sessions <= 0 LIMIT ${MAX_SWEPT})`,
      ),
    ),
  );
}
