/** What a request gets while the catalog, or another D1 database, cannot answer it: a refusal to retry, never an internal error. */
import { Refusal } from "../core/refusal.ts";
import { RETRY_S, REBUILD_CHECK_MS } from "./limits.ts";
import { readRebuild } from "./rebuild.ts";

/**
 * The refusal for an error that D1 threw; undefined for errors of our own SQL. D1 marks every error as its own, but the message of
 * ours contains SQLite's code. Missing tables are not ours: the database was just created, or its file is damaged.
 */
export function outageOf(thrown: unknown): Refusal | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const { message } = thrown;
  if (!/D1_|D1 DB/.test(message)) return outageOf(thrown.cause); // drizzle wraps it
  if (/no such table|SQLITE_(CORRUPT|NOTADB|IOERR|CANTOPEN|READONLY)/.test(message)) {
    return new Refusal(
      "unavailable",
      "The database is missing tables or damaged. `npm start` rebuilds a catalog by itself; on Cloudflare: npm run deploy, then datacat reindex.",
      { retry_after: RETRY_S },
    );
  }
  if (/SQLITE_(ERROR|CONSTRAINT|MISMATCH|RANGE|MISUSE)/.test(message)) return undefined;
  return new Refusal("unavailable", "The database is not answering; try again.", {
    retry_after: RETRY_S,
  });
}

/** Until when a database is known to be complete, so that not every request asks it. */
const completeUntil = new WeakMap<D1Database, number>();

/** Refuses during a rebuild of the catalog, because a list would be incomplete and not show it. */
export async function requireCatalog(db: D1Database, now = Date.now()): Promise<void> {
  if ((completeUntil.get(db) ?? 0) > now) return;
  if (await readRebuild(db)) {
    throw new Refusal(
      "unavailable",
      "The catalog is being rebuilt, so lists are not complete yet. Recording continues; try again soon.",
      { retry_after: RETRY_S },
    );
  }
  completeUntil.set(db, now + REBUILD_CHECK_MS);
}
