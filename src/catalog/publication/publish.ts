/**
 * The publication of a session object to the catalog: idempotent, in one transaction; an older one never replaces a newer one.
 *
 * A publication may be sent twice, late, or with rows that have not changed: equal rows are not written, and a publication of a
 * lower revision changes nothing. So a publisher may always send everything; sending only what may have changed saves CPU, not
 * rows.
 *
 * What the catalog has of the sessions is read first, and what changes follows from it. The transaction begins with a check that
 * the catalog still has that; when another publication of a session was quicker, both steps are repeated.
 */
import { hash } from "../../core/hash.ts";
import { MAX_PUBLISH_ATTEMPTS, MILLISECONDS_AT_ONCE } from "../limits.ts";
import { UNPUBLISHED } from "../search/filter.ts";
import { freeKey } from "../tables/key.ts";
import { listTokens, rowTokens } from "../tables/posting.ts";
import type { Publication } from "../tables/publication.ts";
import { Batch } from "./batch.ts";
import { pack } from "./pack.ts";
import { readStored, type Stored } from "./stored.ts";
import { addDrafts, type Draft, isOvertaken } from "./write.ts";

/**
 * Publishes sessions, each at most once in one call, and returns the number of rows written. Throws when the catalog does not answer:
 * publish again later. Many sessions cost as many statements as one.
 */
export async function publish(db: D1Database, ...publications: Publication[]): Promise<number> {
  const rows = await publishEach(db, publications);
  return rows.reduce((sum, each) => sum + each, 0);
}

/** The same; returns the rows written for each, of which those that several sessions share are divided among them. */
export async function publishEach(db: D1Database, publications: Publication[]): Promise<number[]> {
  return repeated(async () => {
    const drafts = await draftsOf(db, publications);
    const batch = new Batch(db);
    addDrafts(batch, drafts);
    return batch.run(publications.length);
  });
}

/** Repeats what read something that another transaction changed before its own. */
export async function repeated<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (let count = 1; ; count++) {
    try {
      return await attempt();
    } catch (error) {
      if (count >= MAX_PUBLISH_ATTEMPTS || !isOvertaken(error)) throw error;
    }
  }
}

async function draftsOf(db: D1Database, publications: Publication[]): Promise<Draft[]> {
  const ids = publications.map(({ session }) => session.id);
  const starts = publications.map(({ session }) => session.created_at);
  const { stored, taken } = await readStored(db, ids, starts);
  const read = new Set(starts);
  const drafts: Draft[] = [];
  for (const [place, publication] of publications.map(wellFormed).entries()) {
    const { session, scope } = publication;
    const old = stored.get(session.id);
    if (old && old.revision > session.revision) continue;
    const stays = old && (scope === "row" || old.created_at === session.created_at);
    const key = stays ? old.key : await takeKey(db, session, taken, read);
    drafts.push(draftOf(place, publication, old, key));
  }
  return drafts;
}

/** With the names by which counts are found as SQLite has them: it has no half of a surrogate pair. */
function wellFormed(publication: Publication): Publication {
  const { session, exceptions } = publication;
  const [product, version] = [session.product.toWellFormed(), session.version.toWellFormed()];
  return {
    ...publication,
    session: { ...session, product, version },
    exceptions: exceptions.map((kind) => ({
      ...kind,
      fingerprint: kind.fingerprint.toWellFormed(),
    })),
  };
}

/** A free key, which is then taken. `read`: the starts whose taken keys are known. */
async function takeKey(
  db: D1Database,
  { id, created_at }: Publication["session"],
  taken: Set<number>,
  read: Set<number>,
): Promise<number> {
  for (let at = created_at; ; at++) {
    if (!read.has(at)) {
      const some = Array.from({ length: MILLISECONDS_AT_ONCE }, (_, n) => at + n);
      const further = await readStored(db, [], some);
      for (const key of further.taken) taken.add(key);
      for (const each of some) read.add(each);
    }
    const key = freeKey(id, at, (candidate) => taken.has(candidate));
    if (key === undefined) continue;
    taken.add(key);
    return key;
  }
}

function draftOf(
  place: number,
  publication: Publication,
  old: Stored | undefined,
  key: number,
): Draft {
  const { session, scope } = publication;
  const draft = { place, publication, old };
  if (scope === "row" && old) {
    const { posting_mark, details_mark } = old;
    const row = { ...session, key, writes: 1, posting_mark, details_mark };
    return { ...draft, row, tokens: undefined, packed: undefined };
  }
  // Every session has a posting. The catalog may have lost the lists of one that sends its row only: the next publication has them.
  const isWhole = scope === "all";
  const tokens = [...rowTokens(session).union(isWhole ? listTokens(publication) : new Set())];
  const text = tokens.join(" ");
  const posting_mark = hash(text);
  const packed = isWhole ? pack(publication) : undefined;
  const details_mark = packed?.mark ?? "";
  const left_out = isWhole ? session.left_out : session.left_out | UNPUBLISHED;
  const row = { ...session, key, writes: 1, posting_mark, details_mark, left_out };
  const isHere = old?.key === key;
  return {
    ...draft,
    row,
    tokens: isHere && old.posting_mark === posting_mark ? undefined : text,
    packed: isHere && old.details_mark === details_mark ? undefined : packed,
  };
}
