/**
 * What was written today with each API key, as session objects report it. Rows that an object had not reported when it was evicted are
 * missing, so the figures may be a little low.
 */
import { eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { UNUSED, type Used } from "../core/access/budget.ts";
import { DAY_MS } from "../core/limits.ts";
import { usage } from "./schema.ts";

/** Adds to the day's counts of a key, and counts the row that this writes itself. `""` is without a key. */
export async function addUsage(
  db: D1Database,
  key: string,
  used: Used,
  now: number,
): Promise<void> {
  await drizzle(db)
    .insert(usage)
    .values({ ...used, day: dayOf(now), key, d1_rows: used.d1_rows + 1 })
    .onConflictDoUpdate({
      target: [usage.day, usage.key],
      set: {
        sessions: sql`sessions + excluded.sessions`,
        object_rows: sql`object_rows + excluded.object_rows`,
        d1_rows: sql`d1_rows + excluded.d1_rows`,
        attachment_bytes: sql`attachment_bytes + excluded.attachment_bytes`,
      },
    });
}

/** By key, for keys with which something was written on the day. */
export async function usageOfDay(db: D1Database, now: number): Promise<Map<string, Used>> {
  const rows = await drizzle(db)
    .select()
    .from(usage)
    .where(eq(usage.day, dayOf(now)));
  return new Map(rows.map(({ key, day: _day, ...used }) => [key, used]));
}

/** With all keys together, and without. */
export async function rowsOfDay(db: D1Database, now: number): Promise<Used> {
  return [...(await usageOfDay(db, now)).values()].reduce(plus, UNUSED);
}

export function plus(one: Used, other: Used): Used {
  return {
    sessions: one.sessions + other.sessions,
    object_rows: one.object_rows + other.object_rows,
    d1_rows: one.d1_rows + other.d1_rows,
    attachment_bytes: one.attachment_bytes + other.attachment_bytes,
  };
}

export function dayOf(now: number): number {
  return Math.floor(now / DAY_MS);
}
