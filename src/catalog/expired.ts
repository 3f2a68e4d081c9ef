/** What the jobs remove from the catalog: sessions older than the retention, and counts that are 0. */
import { and, asc, lt, notInArray, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { MAX_SWEPT } from "./limits.ts";
import { sessions } from "./schema.ts";

/** The oldest sessions without activity since `before` that are not running. */
export async function expiredSessions(
  db: D1Database,
  before: number,
  limit: number,
): Promise<string[]> {
  const rows = await drizzle(db)
    .select({ id: sessions.id })
    .from(sessions)
    .where(
      and(
        lt(sessions.created_at, before),
        lt(sessions.updated_at, before),
        notInArray(sessions.status, ["active", "hung"]),
      ),
    )
    .orderBy(asc(sessions.created_at))
    .limit(limit);
  return rows.map((row) => row.id);
}

const KEYS = {
  versions: "product, version",
  version_days: "day, product, version",
  exception_groups: "product, fingerprint",
  exception_days: "product, fingerprint, day, version",
};

/** Removes counts that became 0 when sessions moved from one product or version to another. */
export async function sweep(db: D1Database): Promise<void> {
  for (const [name, columns] of Object.entries(KEYS)) {
    const [table, key] = [sql.raw(name), sql.raw(columns)];
    await drizzle(db).run(
      sql`DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM ${table} WHERE sessions <= 0 LIMIT ${MAX_SWEPT})`,
    );
  }
}
