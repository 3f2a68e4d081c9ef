/** What the catalog has of sessions before they are published or removed. The transaction that follows checks that it still has this (publish.ts). */
import type { Counted } from "./counts.ts";
import { unpackedAll } from "../tables/details.ts";
import { keysOf } from "../tables/key.ts";
import { TOKEN } from "../tables/posting.ts";

/** A session's row, as far as publications depend on it, and its list of exceptions. */
export type Stored = Counted & {
  key: number;
  revision: number;
  damaged: number;
  left_out: number;
  test_parts: number;
  test_mark: string;
  writes: number;
  posting_mark: string;
  details_mark: string;
};

const COLUMNS = (
  "key id created_at product version status failed ever_hung bytes tests failed_tests revision damaged left_out " +
  "test_parts test_mark writes posting_mark details_mark"
).split(" ");

/** ?1: a JSON list of [token, id]. */
const FIND = `
  SELECT ${COLUMNS.map((column) => `s.${column}`).join()}, json(d.exceptions) AS exceptions
  FROM json_each(?1) AS n CROSS JOIN postings ON postings MATCH n.value ->> 0
  CROSS JOIN sessions AS s ON s.key = postings.rowid AND s.id = n.value ->> 1 LEFT JOIN details AS d ON d.key = s.key`;

/** ?1: a JSON list of [first, last]. */
const FIND_KEYS = `
  SELECT s.key FROM json_each(?1) AS n CROSS JOIN sessions AS s ON s.key BETWEEN n.value ->> 0 AND n.value ->> 1`;

/** The sessions that the catalog has, by id, and the keys that are taken of the milliseconds of these starts. */
export async function readStored(
  db: D1Database,
  ids: string[],
  starts: number[] = [],
): Promise<{ stored: Map<string, Stored>; taken: Set<number> }> {
  const asked = JSON.stringify(ids.map((id) => [TOKEN.id(id), id]));
  const ranges = [...new Set(starts)].map(keysOf).map(({ first, last }) => [first, last]);
  const [found, keys] = await db.batch<unknown>([
    db.prepare(FIND).bind(asked),
    ...(ranges.length > 0 ? [db.prepare(FIND_KEYS).bind(JSON.stringify(ranges))] : []),
  ]);
  const rows = (found?.results ?? []) as StoredRow[]; // both of the statements above
  const taken = (keys?.results ?? []) as { key: number }[];
  return {
    stored: new Map(rows.map((row) => [row.id, storedOf(row)])),
    taken: new Set(taken.map(({ key }) => key)),
  };
}

/** A row as SQLite has it. */
type StoredRow = Omit<Stored, "failed" | "ever_hung" | "exceptions"> & {
  failed: number;
  ever_hung: number;
  exceptions: string | null;
};

function storedOf({ failed, ever_hung, exceptions, ...row }: StoredRow): Stored {
  return {
    ...row,
    failed: failed === 1,
    ever_hung: ever_hung === 1,
    exceptions: unpackedAll("exceptions", exceptions),
  };
}
