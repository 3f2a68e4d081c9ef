/**
 * Rows written today, as session objects report them. Rows that an object had not reported when it was evicted are missing, so the
 * figures may be a little low.
 */
import { eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { DAY_MS } from "../core/limits.ts";
import { usage } from "./schema.ts";

export type Rows = {
  /** Written by session objects. */
  object_rows: number;
  /** Written to the catalog and the registry. */
  d1_rows: number;
};

/** Adds written rows to the day's count, and counts the row that this writes itself. */
export async function addUsage(db: D1Database, rows: Rows, now: number): Promise<void> {
  await drizzle(db)
    .insert(usage)
    .values({ day: dayOf(now), object_rows: rows.object_rows, d1_rows: rows.d1_rows + 1 })
    .onConflictDoUpdate({
      target: usage.day,
      set: {
        object_rows: sql`object_rows + excluded.object_rows`,
        d1_rows: sql`d1_rows + excluded.d1_rows`,
      },
    });
}

export async function rowsOfDay(db: D1Database, now: number): Promise<Rows> {
  const [rows] = await drizzle(db)
    .select({ object_rows: usage.object_rows, d1_rows: usage.d1_rows })
    .from(usage)
    .where(eq(usage.day, dayOf(now)));
  return rows ?? { object_rows: 0, d1_rows: 0 };
}

function dayOf(now: number): number {
  return Math.floor(now / DAY_MS);
}
