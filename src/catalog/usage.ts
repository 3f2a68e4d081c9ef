/** What sessions and the catalog store. */
import { MAX_WEIGHED } from "./limits.ts";

export type Stored = {
  /** By session objects: exact for those that are over, as last published for the others. */
  object_bytes: number;
  /** More sessions are open than were added up. */
  partial: boolean;
  /** By the catalog. */
  catalog_bytes: number;
};

/** Reads a row per version and per open session, never one per session. */
export async function storedBytes(db: D1Database): Promise<Stored> {
  const [over, open] = await db.batch<{ bytes: number; n: number }>([
    db.prepare("SELECT coalesce(sum(bytes), 0) AS bytes FROM versions"),
    db
      .prepare(
        `SELECT coalesce(sum(bytes), 0) AS bytes, count(*) AS n
         FROM (SELECT bytes FROM sessions INDEXED BY sessions_open WHERE is_open = 1 LIMIT ?1)`,
      )
      .bind(MAX_WEIGHED),
  ]);
  const weighed = open?.results[0];
  return {
    object_bytes: (over?.results[0]?.bytes ?? 0) + (weighed?.bytes ?? 0),
    partial: weighed?.n === MAX_WEIGHED,
    catalog_bytes: over?.meta.size_after ?? 0,
  };
}
