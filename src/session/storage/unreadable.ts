/**
 * Answers for a session of whose storage nothing can be read: what the catalog has of it, and that its storage is damaged. The catalog
 * never authorises, so only callers for all products get them.
 */
import { sessionRow as cataloguedRow } from "../../catalog/known.ts";
import { publish } from "../../catalog/publication/publish.ts";
import { noteDamaged, removeSession } from "../../catalog/publication/remove.ts";
import type { Summary } from "../../core/answers/summary.ts";
import type { Verdict } from "../../core/answers/verdict.ts";
import { type Access, checkKind, checkOwner } from "../../core/access/authority.ts";
import { newIndex, type SessionIndex } from "../../core/session/session-index.ts";
import { Refusal } from "../../core/refusal.ts";
import { TestTable } from "../../core/tests/table.ts";
import type { Env } from "../../env.ts";
import { removeFromRoster, rosterRow } from "../../registry/roster.ts";
import {
  ANSWERS,
  answer,
  type Question,
  type Receipt,
  type Source,
} from "../../core/questions/questions.ts";
import { Rollups } from "../../core/questions/metrics.ts";
import { publicationOf, sessionRow } from "../publication/publication.ts";
import { jsonOf, type Reply } from "../requests/reply.ts";
import { NO_SEGMENTS } from "./stored-segments.ts";
import { type ExportQuery, exportOf } from "../../core/exports/exports.ts";
import { textStream } from "../requests/stream.ts";

export async function unreadableReplies(
  env: Env,
  access: Access,
  id: string,
  questions: Question[],
): Promise<Reply<unknown>[]> {
  const { source, verdict } = await unreadable(env, access, id);
  return questions.map((question) =>
    jsonOf(question[0] === "summary" ? summaryOf(source, verdict) : answer(source, question)),
  );
}

export async function unreadableStream(
  env: Env,
  access: Access,
  id: string,
  query: ExportQuery,
): Promise<ReadableStream<Uint8Array>> {
  const { source } = await unreadable(env, access, id);
  return textStream(exportOf(source, query));
}

/** Lists the session again, by what the roster has of it. A row that the catalog has already stays, and names the damage. */
export async function publishUnreadable(env: Env, id: string): Promise<void> {
  const known = await rosterRow(env.REGISTRY, id);
  const now = Date.now();
  const index = newIndex(id, known?.first_at ?? now, known?.first_at ?? now);
  index.product = known?.product ?? "";
  const rollups = new Rollups(NO_SEGMENTS, []);
  const row = sessionRow(index, { bytes: 0, damaged: 1 }, now);
  const headline = "The storage of this session cannot be read";
  await publish(env.CATALOG, publicationOf(index, { ...row, headline }, rollups));
  await noteDamaged(env.CATALOG, id);
}

/** Whether the catalog or the roster has the session. */
export async function isListed(env: Env, id: string): Promise<boolean> {
  try {
    return Boolean((await cataloguedRow(env.CATALOG, id)) ?? (await rosterRow(env.REGISTRY, id)));
  } catch (error) {
    console.error(`Session ${id} has nothing stored, and the catalog does not answer:`, error);
    return false;
  }
}

/** Removes what lists the session. `storage_left`: the id of its object, if there is one that cannot be opened. */
export async function eraseUnreadable(
  env: Env,
  access: Access,
  id: string,
  storage_left: string | undefined,
): Promise<Receipt> {
  checkKind(access, "admin");
  checkOwner(access, "");
  const catalog_rows = await removeSession(env.CATALOG, id);
  await removeFromRoster(env.REGISTRY, id);
  const removed = { segments: 0, catalog_rows, bytes: 0, states: 0, events: 0, points: 0 };
  return { id, ...removed, storage_left };
}

function summaryOf(source: Source, verdict: Verdict | undefined): Summary {
  const summary = ANSWERS.summary(source);
  return verdict ? { ...summary, verdict } : summary;
}

async function unreadable(
  env: Env,
  access: Access,
  id: string,
): Promise<{ source: Source; verdict: Verdict | undefined }> {
  checkKind(access, "read");
  checkOwner(access, "");
  const now = Date.now();
  const row = await catalogued(env, id);
  if (row === null) throw new Refusal("gone", `Session ${id} was deleted; its storage is damaged.`);
  const index: SessionIndex = newIndex(id, row?.created_at ?? now, row?.updated_at ?? now);
  if (row) {
    const { product, version, hostname, machine_id, updated_at, revision, verdict } = row;
    const { states, events, exceptions, points } = row;
    Object.assign(index, {
      product,
      version,
      hostname,
      machineId: machine_id,
      updatedAt: updated_at,
      seq: revision,
    });
    Object.assign(index.counts, { states, events, exceptions, points });
    index.tags = JSON.parse(row.tags) as string[]; // both written by publish
    return { source: sourceOf(index, now), verdict: JSON.parse(verdict) as Verdict };
  }
  return { source: sourceOf(index, now), verdict: undefined };
}

/** The catalog's row, which from now on names the damage. Undefined if nothing answers; null if it was deleted. */
async function catalogued(env: Env, id: string) {
  try {
    await noteDamaged(env.CATALOG, id);
    const row = await cataloguedRow(env.CATALOG, id);
    if (row) return row;
    // Deleting it removed it from both databases, and could not remove its storage.
    if (!(await rosterRow(env.REGISTRY, id))) return null;
    await publishUnreadable(env, id);
    return await cataloguedRow(env.CATALOG, id);
  } catch (error) {
    console.error(`Session ${id} cannot be read, and the catalog does not answer:`, error);
    return undefined;
  }
}

function sourceOf(index: SessionIndex, now: number): Source {
  return {
    store: NO_SEGMENTS,
    index,
    state: {},
    now,
    rollups: () => new Rollups(NO_SEGMENTS, []),
    tests: () => new TestTable(),
  };
}
