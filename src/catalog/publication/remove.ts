/** Removes a session from the catalog, with what it added to every count; and notes that one cannot be read. */
import { exampleOf } from "./counts.ts";
import { DAY_MS } from "../../core/limits.ts";
import { Batch, type BatchRow } from "./batch.ts";
import { columnsOf, detailKey, type ExceptionCount } from "../tables/details.ts";
import { TOKEN } from "../tables/posting.ts";
import { repeated } from "./publish.ts";
import { readStored, type Stored } from "./stored.ts";
import { addCheck, addCounts, removeRows, removeTests } from "./write.ts";

/** Returns the number of rows written. Idempotent. */
export async function removeSession(db: D1Database, id: string): Promise<number> {
  return repeated(async () => {
    const { stored } = await readStored(db, [id]);
    const old = stored.get(id);
    if (!old) return 0;
    const examples = await otherExamples(db, old);

    const batch = new Batch(db);
    addCheck(batch, [{ place: 0, old, id }]);
    addCounts(batch, [{ n: -1, place: 0, counted: old }]);
    // Counts that are 0 are removed, with the names in them, and groups whose example was this session get another example.
    const { product, version, created_at } = old;
    batch.add(REMOVE_EMPTY_DAY, [own([product, version, Math.floor(created_at / DAY_MS)])]);
    const groups = old.exceptions.map(({ fingerprint }) => own([product, fingerprint]));
    batch.add(REMOVE_EMPTY_GROUPS, groups);
    batch.add(REPLACE_EXAMPLES, examples.map(own));
    removeTests(batch, [{ place: 0, old }]);
    removeRows(batch, [own(String(old.key))]);
    const [rows = 0] = await batch.run(1);
    return rows;
  });
}

const own = (row: object | string): BatchRow => ({ places: [0], row });

const REMOVE_EMPTY_DAY = `
  DELETE FROM version_days WHERE sessions <= 0 AND (product, version, day) IN (
    SELECT old.value ->> 0, old.value ->> 1, old.value ->> 2 FROM json_each(?1) AS old)`;
const REMOVE_EMPTY_GROUPS = `
  DELETE FROM exception_groups WHERE sessions <= 0 AND (product, fingerprint) IN (
    SELECT old.value ->> 0, old.value ->> 1 FROM json_each(?1) AS old)`;

const EXAMPLE = ["type", "message", "place", "search", "session_id", "session_at", "session_seq"];
const REPLACE_EXAMPLES = `
  UPDATE exception_groups SET ${EXAMPLE.map((column) => `${column} = new.value ->> '${column}'`).join()} FROM json_each(?1) AS new
  WHERE exception_groups.product = new.value ->> 'product' AND exception_groups.fingerprint = new.value ->> 'fingerprint'`;

type Example = Pick<ExceptionCount, "fingerprint" | "type" | "message" | "place"> & {
  product: string;
  search: string;
  session_id: string;
  session_at: number;
  session_seq: number;
};

/** Of each group whose example is this session: the newest other session that has it. */
async function otherExamples(db: D1Database, old: Stored): Promise<Example[]> {
  const { product } = old;
  const groups = old.exceptions.map(({ fingerprint }) => [
    `${TOKEN.product(product)} AND ${TOKEN.fingerprint(fingerprint)}`,
    fingerprint,
    `$.${detailKey(fingerprint)}`,
  ]);
  if (groups.length === 0) return [];
  const { results } = await db
    .prepare(FIND_EXAMPLES)
    .bind(JSON.stringify(groups), product, old.id)
    .all<ExceptionCount & { id: string }>();
  return results.map(({ id, ...failure }) => ({
    product,
    fingerprint: failure.fingerprint,
    ...exampleOf({ id }, failure),
  }));
}

/** ?1: a JSON list of [expression, fingerprint, path of its list]; ?2: the product; ?3: the session. */
const FIND_EXAMPLES = `
  SELECT s.id, ${columnsOf("exceptions")}
  FROM json_each(?1) AS n
  CROSS JOIN exception_groups AS g ON g.product = ?2 AND g.fingerprint = n.value ->> 1 AND g.session_id = ?3
  CROSS JOIN sessions AS s ON s.key = (
    SELECT o.key FROM postings CROSS JOIN sessions AS o ON o.key = postings.rowid CROSS JOIN details AS d ON d.key = o.key
    WHERE postings MATCH n.value ->> 0 AND o.id <> ?3 AND o.product = ?2
      AND EXISTS (SELECT 1 FROM json_each(d.exceptions, n.value ->> 2) AS side WHERE side.value ->> 0 = n.value ->> 1)
    ORDER BY postings.rowid DESC LIMIT 1)
  CROSS JOIN details AS d ON d.key = s.key
  CROSS JOIN json_each(d.exceptions, n.value ->> 2) AS side
  WHERE side.value ->> 0 = n.value ->> 1`;

/** Notes that the storage of a session cannot be read. Writes nothing if that is noted already. */
export async function noteDamaged(db: D1Database, id: string): Promise<void> {
  await db
    .prepare(
      `UPDATE sessions SET damaged = 1, writes = writes + 1
       WHERE key IN (SELECT rowid FROM postings WHERE postings MATCH ?1) AND id = ?2 AND damaged = 0`,
    )
    .bind(TOKEN.id(id), id)
    .run();
}
