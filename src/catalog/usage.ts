/** What sessions and the catalog store. */
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { MAX_ADDED_UP } from "./limits.ts";
import { TOKEN } from "./tables/posting.ts";

type Stored = {
  /** By session objects: exact for those that are over, as last published for the others. */
  object_bytes: number;
  /** More sessions are open than were added up. */
  partial: boolean;
  /** By the catalog. */
  catalog_bytes: number;
};

/** Reads a row per version and day and one per open session, never one per session. */
export async function storedBytes(db: D1Database): Promise<Stored> {
  const catalog = drizzle(db);
  const [over, open] = await Promise.all([
    catalog.run(sql`SELECT coalesce(sum(bytes), 0) AS bytes FROM version_days`),
    catalog.all<{ bytes: number; n: number }>(
      sql`SELECT coalesce(sum(bytes), 0) AS bytes, count(*) AS n
          FROM (SELECT s.bytes FROM postings CROSS JOIN sessions AS s ON s.key = postings.rowid
            WHERE postings MATCH ${TOKEN.status("open")} AND s.is_open = 1 LIMIT ${MAX_ADDED_UP})`,
    ),
  ]);
  const [closed] = over.results as { bytes: number }[]; // of the query above; `run` alone has the size
  return {
    object_bytes: (closed?.bytes ?? 0) + (open[0]?.bytes ?? 0),
    partial: open[0]?.n === MAX_ADDED_UP,
    catalog_bytes: over.meta.size_after,
  };
}
