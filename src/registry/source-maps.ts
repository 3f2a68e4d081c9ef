/** Which versions of which products have source maps: their objects cannot be listed. */
import { and, asc, eq, lt } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { sourceMaps } from "./schema.ts";

type SourceMapsRow = typeof sourceMaps.$inferSelect;

export async function noteSourceMaps(db: D1Database, row: SourceMapsRow): Promise<void> {
  const { product: _product, version: _version, ...set } = row;
  await drizzle(db)
    .insert(sourceMaps)
    .values(row)
    .onConflictDoUpdate({ target: [sourceMaps.product, sourceMaps.version], set });
}

export async function removeSourceMaps(
  db: D1Database,
  { product, version }: Pick<SourceMapsRow, "product" | "version">,
): Promise<void> {
  await drizzle(db)
    .delete(sourceMaps)
    .where(and(eq(sourceMaps.product, product), eq(sourceMaps.version, version)));
}

export async function haveSourceMaps(
  db: D1Database,
  { product, version }: Pick<SourceMapsRow, "product" | "version">,
): Promise<boolean> {
  const rows = await drizzle(db)
    .select({ files: sourceMaps.files })
    .from(sourceMaps)
    .where(and(eq(sourceMaps.product, product), eq(sourceMaps.version, version)));
  return rows.length > 0;
}

/** Of one product, or of all: by product and version, at most `limit`. */
export async function listSourceMaps(
  db: D1Database,
  product: string | undefined,
  limit: number,
): Promise<SourceMapsRow[]> {
  return drizzle(db)
    .select()
    .from(sourceMaps)
    .where(product === undefined ? undefined : eq(sourceMaps.product, product))
    .orderBy(asc(sourceMaps.product), asc(sourceMaps.version))
    .limit(limit);
}

/** The versions that were neither changed nor found in use since `before`, the oldest first. */
export async function oldSourceMaps(
  db: D1Database,
  before: number,
  limit: number,
): Promise<SourceMapsRow[]> {
  return drizzle(db)
    .select()
    .from(sourceMaps)
    .where(lt(sourceMaps.checked_at, before))
    .orderBy(asc(sourceMaps.checked_at))
    .limit(limit);
}
