/**
 * What this server used today, kept by those who use it: a session object adds what it wrote with each of its whole publications.
 * Rows that it had not yet told of when it was put to sleep are missing, so the figures may be a little low.
 */
import { DAY_MS } from "./counts.ts";
import { MAX_WEIGHED } from "./limits.ts";

export type Rows = { object_rows: number; catalog_rows: number };

export type Usage = Rows & {
  /** Stored by session objects: exact of those that are over, as last published of the others. */
  object_bytes: number;
  /** More sessions are open than were added up. */
  partial: boolean;
  /** The catalog's own size. */
  catalog_bytes: number;
};

/** Adds rows that were written to the day's. Costs a row itself, which it counts. */
export async function noteUsage(
  db: D1Database,
  { object_rows, catalog_rows }: Rows,
  now: number,
): Promise<void> {
  await db
    .prepare(
      `INSERT INTO usage (day, object_rows, catalog_rows) VALUES (?1, ?2, ?3)
       ON CONFLICT (day) DO UPDATE SET
         object_rows = object_rows + excluded.object_rows, catalog_rows = catalog_rows + excluded.catalog_rows`,
    )
    .bind(Math.floor(now / DAY_MS), object_rows, catalog_rows + 1)
    .run();
}

/** Reads a row per version and per open session, never one per session. */
export async function usageOf(db: D1Database, now: number): Promise<Usage> {
  const [rows, over, open] = await db.batch<Partial<Rows> & { bytes: number; n: number }>([
    db
      .prepare("SELECT object_rows, catalog_rows FROM usage WHERE day = ?1")
      .bind(Math.floor(now / DAY_MS)),
    db.prepare("SELECT coalesce(sum(bytes), 0) AS bytes FROM versions"),
    db
      .prepare(
        `SELECT coalesce(sum(bytes), 0) AS bytes, count(*) AS n
         FROM (SELECT bytes FROM sessions INDEXED BY sessions_open WHERE is_open = 1 LIMIT ?1)`,
      )
      .bind(MAX_WEIGHED),
  ]);
  const today = rows?.results[0];
  const weighed = open?.results[0];
  return {
    object_rows: today?.object_rows ?? 0,
    catalog_rows: today?.catalog_rows ?? 0,
    object_bytes: (over?.results[0]?.bytes ?? 0) + (weighed?.bytes ?? 0),
    partial: weighed?.n === MAX_WEIGHED,
    catalog_bytes: rows?.meta.size_after ?? 0,
  };
}
