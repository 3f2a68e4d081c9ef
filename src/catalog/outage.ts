/** What a request gets while the catalog, or another D1 database, cannot answer it: a refusal to retry, never an internal error. */
import { Refusal } from "../core/refusal.ts";
import { formatBytes } from "../core/text/format.ts";
import {
  DAMAGE_SHOWN_MS,
  FULL_RETRY_S,
  MIN_FREE_BYTES,
  REBUILD_CHECK_MS,
  RETRY_S,
} from "./limits.ts";
import { readRebuild } from "./rebuild.ts";

/** What answers how much room the disk has: the server of `npm start`, which the Worker has as a binding. */
type Disk = { fetch: (url: string) => Promise<Response> };

/**
 * The refusal that explains an error of the server's own; undefined if its cause is not known. A full disk is not in the error itself,
 * because the platform hides errors of its storage.
 */
export async function explain(
  thrown: unknown,
  disk: Disk | undefined,
): Promise<Refusal | undefined> {
  return (await fullDisk(disk)) ?? fullDatabaseOf(thrown) ?? outageOf(thrown);
}

/** The refusal while the disk of a local server is full. */
export async function fullDisk(disk: Disk | undefined): Promise<Refusal | undefined> {
  if (!disk) return undefined;
  const { folder, free } = await (await disk.fetch("http://disk/")).json<DiskRoom>();
  if (free >= MIN_FREE_BYTES) return undefined;
  return new Refusal(
    "storage_full",
    `The disk of the server is full: ${formatBytes(free)} are free where it keeps its data, in ${folder}. Free some space; nothing has to be restarted. Senders keep what they could not send.`,
    { retry_after: FULL_RETRY_S },
  );
}

type DiskRoom = { folder: string; free: number };

function fullDatabaseOf(thrown: unknown): Refusal | undefined {
  if (!(thrown instanceof Error)) return undefined;
  if (!/SQLITE_FULL|database or disk is full|Exceeded maximum DB size/.test(thrown.message))
    return fullDatabaseOf(thrown.cause);
  return new Refusal(
    "storage_full",
    "The storage is full: the disk of the server, the 10 GB of a session, or those of the database. Free space on the disk, or delete old sessions. Senders keep what they could not send.",
    { retry_after: FULL_RETRY_S },
  );
}

/** When damage of a database was met last; null: not since the isolate started. */
let damageMetAt: number | null = null;

/** Whether damage of a database was met a short time ago, for the health check. */
export function hasMetDamage(now: number): boolean {
  return damageMetAt !== null && now - damageMetAt < DAMAGE_SHOWN_MS;
}

/**
 * The refusal for an error that D1 threw; undefined for errors of our own SQL. D1 marks every error as its own, but the message of
 * ours contains SQLite's code. Missing tables are not ours: the database was just created, or its file is damaged.
 */
export function outageOf(thrown: unknown): Refusal | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const { message, cause } = thrown;
  // The platform gives no reason for a file that it cannot open or read.
  const isHidden = cause instanceof Error && /internal error/.test(cause.message);
  const isQuery = message.startsWith("Failed query"); // drizzle wraps it
  const isOfD1 = /D1_|D1 DB/.test(message);
  if (!isOfD1 && !(isQuery && isHidden)) return outageOf(cause);
  if (isHidden || DAMAGE.test(message)) {
    damageMetAt = Date.now();
    return new Refusal(
      "unavailable",
      "The database could not be read. If that goes on, it is damaged or lacks tables: `npm start` rebuilds a catalog by itself; on Cloudflare: npm run deploy, then datacat reindex. Sessions are still recorded, and open by their id.",
      { retry_after: RETRY_S },
    );
  }
  if (/SQLITE_(ERROR|CONSTRAINT|MISMATCH|RANGE|MISUSE)/.test(message)) return undefined;
  return new Refusal("unavailable", "The database is not answering; try again.", {
    retry_after: RETRY_S,
  });
}

const DAMAGE =
  /no such table|SQLITE_(CORRUPT|NOTADB|IOERR|CANTOPEN|READONLY)|malformed|internal error/;

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
