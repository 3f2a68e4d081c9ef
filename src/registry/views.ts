/** Saved views: named addresses of the session list and of other pages. */
import { desc, eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { Refusal } from "../core/refusal.ts";
import { MAX_VIEW_LENGTH, MAX_VIEWS } from "./limits.ts";
import { views } from "./schema.ts";

/** `query` is the part of the session list's address after the `?`, or the path and query of another page. */
export type View = { name: string; query: string; created_at: number };

export async function listViews(db: D1Database): Promise<View[]> {
  return drizzle(db).select().from(views).orderBy(desc(views.created_at), views.name);
}

/** Saves a view in place of any other of the same name. */
export async function saveView(db: D1Database, view: View): Promise<void> {
  if (view.query.length > MAX_VIEW_LENGTH) {
    throw new Refusal("too_large", `A view may be ${MAX_VIEW_LENGTH} characters long.`);
  }
  const saved = drizzle(db);
  const [held] = await saved.select({ count: sql<number>`count(*)` }).from(views);
  if ((held?.count ?? 0) >= MAX_VIEWS) {
    throw new Refusal("too_large", `There are ${MAX_VIEWS} saved views already; delete one first.`);
  }
  await saved
    .insert(views)
    .values(view)
    .onConflictDoUpdate({
      target: views.name,
      set: { query: view.query, created_at: view.created_at },
    });
}

export async function deleteView(db: D1Database, name: string): Promise<void> {
  await drizzle(db).delete(views).where(eq(views.name, name));
}
