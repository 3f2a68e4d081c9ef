/**
 * Publishes sessions to the catalog again: some of them or, in steps, all of the roster. A step calls a bounded number of objects and
 * can be repeated, because a publication writes only rows that differ.
 */
import { removeSession } from "../../catalog/publication/remove.ts";
import { sessionsAfter } from "../../catalog/known.ts";
import { addStep, isEmptyCatalog, readRebuild, startRebuild } from "../../catalog/rebuild.ts";
import type { RebuildStep, Reindexed } from "../../core/answers/reindex.ts";
import { SERVER } from "../../core/access/authority.ts";
import { refusalOf } from "../../core/refusal.ts";
import type { Env } from "../../env.ts";
import {
  missingInRoster,
  removeFromRoster,
  rosterIds,
  rosterRow,
  rosterSize,
} from "../../registry/roster.ts";
import { sessionOf, sessionOfObject } from "../client.ts";
import { MAX_COMPARED_WITH_ROSTER, REINDEX_AT_ONCE } from "../limits.ts";
import { isUnopenable } from "../stub.ts";
import { publishUnreadable } from "../storage/unreadable.ts";

export async function reindexSessions(env: Env, ids: string[]): Promise<Reindexed> {
  return gather(ids, (id) => publishAgain(env, id));
}

/** A session of which nothing can be read is listed as what the roster knows, so that it can be found and deleted. */
async function publishAgain(env: Env, id: string): Promise<void> {
  const session = sessionOf(env, SERVER, id);
  try {
    // A session that began after the first attempt is in the roster as well, so a second one decides.
    await session.publish().catch(async (error: unknown) => {
      if (!(await isMissing(env, id, error))) throw error;
      await session.publish();
    });
  } catch (error) {
    const isLost = isUnopenable(env, error) || refusalOf(error)?.code === "damaged";
    if (!isLost && !(await isMissing(env, id, error))) throw error;
    await publishUnreadable(env, id);
  }
}

/** Whether the object has nothing stored of a session of the roster. */
async function isMissing(env: Env, id: string, error: unknown): Promise<boolean> {
  return (
    refusalOf(error)?.code === "not_found" && (await rosterRow(env.REGISTRY, id)) !== undefined
  );
}

/** The same for objects by their own ids, as Cloudflare lists them: how a lost registry gets its roster back. */
export async function reindexObjects(env: Env, objectIds: string[]): Promise<Reindexed> {
  return gather(objectIds, (id) => sessionOfObject(env, SERVER, id).publish());
}

/** One step of rebuilding the catalog: after the session `cursor`. Without a cursor it continues the rebuild under way, or begins one. */
export async function rebuildStep(env: Env, cursor?: string): Promise<RebuildStep> {
  if (cursor !== undefined) return stepAfter(env, cursor);
  const [total, begun] = await Promise.all([rosterSize(env.REGISTRY), readRebuild(env.CATALOG)]);
  // Lists are refused during the rebuild of an empty catalog. One that has sessions still answers.
  if (!begun && total > 0 && (await isEmptyCatalog(env.CATALOG))) {
    await startRebuild(env.CATALOG, total);
  }
  return { ...(await stepAfter(env, begun?.cursor ?? "")), total };
}

/** The next step of the rebuild under way; nothing if there is none. */
export async function continueRebuild(env: Env): Promise<RebuildStep | undefined> {
  const begun = await readRebuild(env.CATALOG);
  return begun && stepAfter(env, begun.cursor);
}

async function stepAfter(env: Env, after: string): Promise<RebuildStep> {
  const { ids, next } = await sessionsOfStep(env, after);
  const removed: string[] = [];
  const { done, failed } = await gather(ids, async (id) => {
    try {
      await publishAgain(env, id);
    } catch (error) {
      const code = refusalOf(error)?.code;
      // `gone` proves that the session was deleted. With `not_found` the roster does not have it either.
      if (code !== "gone" && code !== "not_found") throw error;
      await removeSession(env.CATALOG, id);
      await removeFromRoster(env.REGISTRY, id);
      removed.push(id);
    }
  });
  const counts = { done: done.length, failed: failed.length };
  await addStep(env.CATALOG, { after, next, ...counts });
  return { done: done.filter((id) => !removed.includes(id)), failed, removed, next };
}

/**
 * The sessions of one step: those of the roster in order of their ids, then those that only the catalog has, in order of their
 * keys. `next` is a session's id, or `~` and a key, with which no id begins.
 */
async function sessionsOfStep(
  env: Env,
  after: string,
): Promise<{ ids: string[]; next: string | null }> {
  if (after.startsWith(KEY_MARK))
    return onlyCatalogued(env, Number(after.slice(KEY_MARK.length)), REINDEX_AT_ONCE);
  const rostered = await rosterIds(env.REGISTRY, after, REINDEX_AT_ONCE);
  const last = rostered.at(-1);
  if (last !== undefined && rostered.length === REINDEX_AT_ONCE)
    return { ids: rostered, next: last };
  const room = REINDEX_AT_ONCE - rostered.length;
  const { ids, next } = await onlyCatalogued(env, Number.MIN_SAFE_INTEGER, room);
  return { ids: [...rostered, ...ids], next };
}

const KEY_MARK = "~";

async function onlyCatalogued(
  env: Env,
  after: number,
  room: number,
): Promise<{ ids: string[]; next: string | null }> {
  const rows = await sessionsAfter(env.CATALOG, after, MAX_COMPARED_WITH_ROSTER);
  const ids = rows.map(({ id }) => id);
  const missing = new Set(await missingInRoster(env.REGISTRY, ids));
  const lost = rows.filter(({ id }) => missing.has(id));
  const last =
    lost.length > room ? (lost[room - 1]?.key ?? after) : rows[MAX_COMPARED_WITH_ROSTER - 1]?.key;
  return {
    ids: lost.slice(0, room).map(({ id }) => id),
    next: last === undefined ? null : `${KEY_MARK}${last}`,
  };
}

/** Runs `reindex` for all at once. Throws if the catalog failed for every one of them, so that the caller repeats the step. */
async function gather(ids: string[], reindex: (id: string) => Promise<unknown>) {
  const outcomes = await Promise.allSettled(ids.map(reindex));
  const done = ids.filter((_, index) => outcomes[index]?.status === "fulfilled");
  const failed = ids.flatMap((id, index) => {
    const outcome = outcomes[index];
    return outcome?.status === "rejected" ? [{ id, reason: outcome.reason as unknown }] : [];
  });
  const [first] = failed;
  const isCatalog = failed.every(({ reason }) => refusalOf(reason)?.code === "unavailable");
  if (first && done.length === 0 && isCatalog) throw first.reason;
  return {
    done,
    failed: failed.map(({ id, reason }) => ({ id, error: messageOf(id, reason) })),
    removed: [],
  };
}

function messageOf(id: string, reason: unknown): string {
  const refusal = refusalOf(reason);
  if (refusal) return refusal.message;
  console.error(`Session ${id} could not be indexed again:`, reason);
  return "Failed; the server has logged why.";
}
