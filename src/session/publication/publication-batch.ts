/**
 * Writes publications of session objects to the databases: to the roster first, so that a rebuild of the catalog finds every session that
 * was ever in it, then to the catalog, then to the day's usage. The sessions of one request are written together: they cost as many
 * requests to D1 as one session does.
 */
import { publishEach } from "../../catalog/publication/publish.ts";
import type { Publication } from "../../catalog/tables/publication.ts";
import type { Env } from "../../env.ts";
import { addToRoster } from "../../registry/roster.ts";
import { UNUSED, type Used } from "../../core/access/budget.ts";
import { addUsage, plus } from "../../registry/usage.ts";
import { PUBLISH_WAIT_MS } from "../limits.ts";
import { type Boot, reportBoots } from "../machine.ts";

/** What one object sends. */
export type Entry = {
  publication: Publication;
  addsToRoster: boolean;
  /** The API key that it is counted for; "" without one. */
  key: string;
  /** Written by the object and for it, which the day's usage does not have yet. */
  uncounted: Used;
  /** Whether to count them now. Usage costs a row itself, so a new session leaves it to its next publication. */
  countsUsage: "yes" | "unless new" | "no";
  /** The boot to report to the machine's other sessions. */
  boot: Boot | null;
};

/** `rows`: written for this session, in both databases. */
export type Written = { rows: number; isCounted: boolean; isBootReported: boolean };

/** Writes an entry. Rejects when a database does not answer. */
export type Write = (entry: Entry) => Promise<Written>;

export async function writeEntries(env: Env, entries: Entry[], now: number): Promise<Written[]> {
  const sessions = entries.map(({ publication }) => publication.session);
  const newcomers = sessions.filter((_, index) => entries[index]?.addsToRoster);
  const added = new Set(
    await addToRoster(
      env.REGISTRY,
      ...newcomers.map(({ id, product, created_at }) => ({ id, product, first_at: created_at })),
    ),
  );
  const inCatalog = await publishEach(
    env.CATALOG,
    entries.map(({ publication }) => publication),
  );
  const written = entries.map(({ countsUsage, publication: { session } }, index) => {
    const isNew = added.has(session.id);
    return {
      rows: (inCatalog[index] ?? 0) + (isNew ? 1 : 0),
      isCounted: countsUsage === "yes" || (countsUsage === "unless new" && !isNew),
    };
  });
  const isCounted = await count(env, entries, written, now);
  const isBootReported = await report(env, entries);
  return written.map((one) => ({
    ...one,
    isCounted: one.isCounted && isCounted,
    isBootReported,
  }));
}

/** Not in the catalog's transaction, since only its result gives the number of rows. False if it failed: the next publication counts. */
async function count(
  { REGISTRY }: Env,
  entries: Entry[],
  written: { rows: number; isCounted: boolean }[],
  now: number,
): Promise<boolean> {
  const byKey = new Map<string, Used>();
  written.forEach(({ rows, isCounted }, index) => {
    const entry = entries[index];
    if (!isCounted || !entry) return;
    const used = plus(entry.uncounted, { ...UNUSED, d1_rows: rows });
    byKey.set(entry.key, plus(byKey.get(entry.key) ?? UNUSED, used));
  });
  try {
    for (const [key, used] of byKey)
      if (Object.values(used).some((amount) => amount > 0))
        await addUsage(REGISTRY, key, used, now); // one request has one key
    return true;
  } catch {
    return false; // the next publication logs an error if the registry still does not answer
  }
}

async function report(env: Env, entries: Entry[]): Promise<boolean> {
  try {
    await reportBoots(
      env,
      entries.flatMap(({ boot }) => boot ?? []),
    );
    return true;
  } catch (error) {
    // Retried with the next publication. The other sessions count as suspended until then.
    console.error("The other sessions of a machine did not answer:", error);
    return false;
  }
}

type Waiting = {
  entry: Entry;
  resolve: (written: Written) => void;
  reject: (error: unknown) => void;
};

/** The publications of one request's sessions. They are written when each session has sent its own, or has answered without one. */
export class PublicationBatch {
  readonly #env: Env;
  #pending = 0;
  #waiting: Waiting[] = [];
  /** Rows that were written to the databases. */
  rows = 0;

  constructor(env: Env) {
    this.#env = env;
  }

  /** For one session. All sessions are added before the first is asked. */
  add(): { write: Write; close: () => void } {
    this.#pending++;
    let isPending = true;
    const settle = () => {
      if (isPending) this.#pending--;
      isPending = false;
      if (this.#pending === 0 && this.#waiting.length > 0)
        void this.#write(this.#waiting.splice(0));
    };
    return {
      write: (entry) =>
        new Promise((resolve, reject) => {
          this.#waiting.push({ entry, resolve, reject });
          settle();
        }),
      close: settle,
    };
  }

  /** Never rejects: each session gets its result or the error, and then retries by its alarm. */
  async #write(waiting: Waiting[]): Promise<void> {
    const timer = new AbortController();
    try {
      const written = await Promise.race([
        writeEntries(
          this.#env,
          waiting.map(({ entry }) => entry),
          Date.now(),
        ),
        scheduler.wait(PUBLISH_WAIT_MS, { signal: timer.signal }).then(() => {
          throw new Error("The databases take too long.");
        }),
      ]);
      waiting.forEach(({ resolve, reject }, index) => {
        const own = written[index];
        this.rows += own?.rows ?? 0;
        if (own) resolve(own);
        else reject(new Error("A publication has no result."));
      });
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    } finally {
      timer.abort();
    }
  }
}
