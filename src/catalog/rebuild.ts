/** How far a rebuild of the whole catalog is. It is stored in the catalog itself, so that it continues after a restart and is lost with it. */
import { eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { rebuild, sessions } from "./tables/schema.ts";

type Rebuild = {
  /** Id of the last session that was asked; the next step begins after it. */
  cursor: string;
  done: number;
  failed: number;
  /** Sessions in the roster when it began. */
  total: number;
};

/** The rebuild under way, if there is one. */
export async function readRebuild(db: D1Database): Promise<Rebuild | undefined> {
  const [row] = await drizzle(db).select(PROGRESS).from(rebuild).where(eq(rebuild.id, 1));
  return row;
}

/** Whether no session is in the catalog. */
export async function isEmptyCatalog(db: D1Database): Promise<boolean> {
  const rows = await drizzle(db).select({ id: sessions.id }).from(sessions).limit(1);
  return rows.length === 0;
}

export async function startRebuild(db: D1Database, total: number): Promise<void> {
  const begun = { cursor: "", done: 0, failed: 0, total };
  await drizzle(db)
    .insert(rebuild)
    .values({ id: 1, ...begun })
    .onConflictDoUpdate({ target: rebuild.id, set: begun });
}

/** Adds a step to the rebuild under way, unless another caller was quicker; without a next cursor the rebuild is complete. */
export async function addStep(
  db: D1Database,
  step: { after: string; next: string | null; done: number; failed: number },
): Promise<void> {
  const isHere = sql`${rebuild.id} = 1 AND ${rebuild.cursor} = ${step.after}`;
  if (step.next === null) await drizzle(db).delete(rebuild).where(isHere);
  else {
    await drizzle(db)
      .update(rebuild)
      .set({
        cursor: step.next,
        done: sql`${rebuild.done} + ${step.done}`,
        failed: sql`${rebuild.failed} + ${step.failed}`,
      })
      .where(isHere);
  }
}

const PROGRESS = {
  cursor: rebuild.cursor,
  done: rebuild.done,
  failed: rebuild.failed,
  total: rebuild.total,
};
