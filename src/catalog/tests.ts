/** The history of tests: their results and durations over the runs of a product. */
import type { TestItem, TestList, TestRun } from "../core/answers/tests.ts";
import { testList, type TestPast } from "../core/tests/fields.ts";
import type { TestsQuery } from "../core/tests/table.ts";
import { MAX_PAGE } from "../core/limits.ts";
import { matcherOf } from "../core/query/evaluate.ts";
import type { Query } from "../core/query/tree.ts";
import { testName } from "../core/tests/id.ts";
import { MIN_SLOW_MS } from "../core/tests/limits.ts";
import { findPacked, PART_COUNTS, partOf, readPacked } from "../core/tests/packed.ts";
import type { TestShown } from "../core/tests/vocabulary.ts";
import {
  AVERAGED_RUNS,
  COMPARED_TEST_RUNS,
  HISTORY_RUNS,
  LISTED_TESTS,
  MAX_READ_FAILURES,
} from "./limits.ts";
import { ALL_PARTS } from "./publication/test-rows.ts";

/** One run of a product's tests. */
type RunRow = {
  session_id: string;
  created_at: number;
  version: string;
  branch: string;
  commit_id: string;
};
export type RunCounts = RunRow & { run: TestRun; failed: string[] };

/** What a run had of one test. `text`: the first line of its failure. */
export type TestInRun = RunRow & { result: TestShown; duration_ms: number | null; text: string };

export type TestHistory = {
  key: string;
  product: string;
  /** Known from a run in which it did not pass. */
  id: string[] | null;
  file: number;
  /** The newest first. */
  runs: TestInRun[];
  /** The oldest of the newest runs in a row in which it failed, and the commit of that run; null if it did not fail in the newest. */
  failing_since: TestInRun | null;
};

export type FlakyTest = TestPast &
  // Of the newest run in which it did not pass at once.
  Pick<TestItem, "id" | "file" | "result" | "attempts" | "duration_ms" | "text" | "at" | "seq"> & {
    test: string;
    session_id: string;
  };

type SlowTest = { test: string; duration_ms: number; runs: number };

type Runs = { product: string; branch?: string | undefined; before?: number | undefined };

const RUN = "created_at, session_id, version, branch, commit_id";

/**
 * The newest runs, of each the part that `partAt` names for its number of parts. A statement for each such number reads as many rows as it
 * returns; D1 takes no more than five in a union.
 */
async function newest<Row extends RunRow>(
  db: D1Database,
  { product, branch, before = Number.MAX_SAFE_INTEGER }: Runs,
  columns: string,
  partAt: (parts: number) => number,
  limit: number,
): Promise<Row[]> {
  const sql = `SELECT ${columns} FROM test_parts
    WHERE product = ?1 AND parts = ?2 AND part = ?3 AND created_at < ?4 AND (?5 IS NULL OR branch = ?5)
    ORDER BY created_at DESC LIMIT ?6`;
  const found = await db.batch<Row>(
    PART_COUNTS.map((parts) =>
      db.prepare(sql).bind(product, parts, partAt(parts), before, branch ?? null, limit),
    ),
  );
  return found
    .flatMap(({ results }) => results)
    .sort((a, b) => b.created_at - a.created_at)
    .slice(0, limit);
}

/** The newest runs with their counts. */
export async function testRuns(
  db: D1Database,
  runs: Runs,
  limit = HISTORY_RUNS,
): Promise<RunCounts[]> {
  const rows = await newest<RunRow & { run: string; failed: string }>(
    db,
    runs,
    `${RUN}, run, failed`,
    () => 0,
    limit,
  );
  // Both written by publish.
  return rows.map((row) => ({
    ...row,
    run: JSON.parse(row.run) as TestRun,
    failed: JSON.parse(row.failed) as string[],
  }));
}

/** Branches of the newest runs. */
export function branchesOf(runs: RunRow[]): string[] {
  return [...new Set(runs.map(({ branch }) => branch))].filter(Boolean).sort();
}

export async function testHistory(db: D1Database, key: string, runs: Runs): Promise<TestHistory> {
  const [packed, failed] = await Promise.all([
    newest<RunRow & { packed: string }>(
      db,
      runs,
      `${RUN}, packed`,
      (count) => partOf(key, count),
      HISTORY_RUNS,
    ),
    db
      .prepare(
        "SELECT session_id, id, file, text FROM failed_tests WHERE product = ? AND test = ? ORDER BY created_at DESC LIMIT ?",
      )
      .bind(runs.product, key, HISTORY_RUNS)
      .all<{ session_id: string; id: string; file: number; text: string }>(),
  ]);
  const texts = new Map(failed.results.map((row) => [row.session_id, row.text]));
  const found = packed.flatMap(({ packed: tests, ...run }): TestInRun[] => {
    const test = findPacked(tests, key);
    return test ? [{ ...run, ...test, text: texts.get(run.session_id) ?? "" }] : [];
  });
  const firstGood = found.findIndex(({ result }) => !isFailure(result));
  const failing = firstGood < 0 ? found : found.slice(0, firstGood);
  const [known] = failed.results;
  return {
    key,
    product: runs.product,
    id: known ? (JSON.parse(known.id) as string[]) : null, // written by publish
    file: known?.file ?? 0,
    runs: found,
    failing_since: failing.at(-1) ?? null,
  };
}

function isFailure(result: TestShown): boolean {
  return result === "failed" || result === "error";
}

/** Since when a test of a run has failed, by the runs of its branch before it. */
export type Since = {
  /** The first of the runs in a row in which it failed, this one included; null: this is the first. */
  first: RunRow | null;
  runs: number;
  /** It failed in every run that was looked at. */
  isOlder: boolean;
};

/** Undefined if there is no earlier run of the branch. */
export async function failingSince(
  db: D1Database,
  runs: Runs,
  keys: string[],
): Promise<Map<string, Since> | undefined> {
  const before = await testRuns(db, runs, COMPARED_TEST_RUNS);
  if (before.length === 0) return undefined;
  const failed = before.map((run) => {
    const flaky = new Set(run.run.flaky_keys);
    return new Set(run.failed.filter((key) => !flaky.has(key)));
  });
  return new Map(
    keys.map((key) => {
      const good = failed.findIndex((keysOfRun) => !keysOfRun.has(key));
      const count = good < 0 ? failed.length : good;
      const first = before[count - 1] ?? null;
      return [key, { first, runs: count + 1, isOlder: good < 0 }];
    }),
  );
}

/** The tests that were flaky or failed since `from`, the most frequent first. `partial`: there are more rows than are read. */
export async function flakyTests(
  db: D1Database,
  { product, branch }: Runs,
  from: number,
  limit = LISTED_TESTS,
): Promise<{ items: FlakyTest[]; partial: boolean }> {
  const filter = branch === undefined ? "" : "AND branch = ?5";
  // With one max(), SQLite takes the columns beside it from that row, the newest.
  const sql = `SELECT max(created_at) AS last_at, test, session_id, id, file, result, attempts, duration_ms, text, at, seq,
      sum(result = 'flaky') AS flaky, sum(result <> 'flaky') AS failed, json_group_array(DISTINCT branch) AS branches,
      sum(count(*)) OVER () AS read
    FROM (SELECT * FROM failed_tests WHERE product = ?1 AND created_at >= ?2 ${filter} LIMIT ?3)
    GROUP BY test ORDER BY flaky DESC, failed DESC, test LIMIT ?4`;
  const bound = [
    product,
    from,
    MAX_READ_FAILURES,
    limit,
    ...(branch === undefined ? [] : [branch]),
  ];
  const { results } = await db
    .prepare(sql)
    .bind(...bound)
    .all<Omit<FlakyTest, "id" | "branches"> & { id: string; branches: string; read: number }>();
  return {
    items: results.map(({ read: _read, id, branches, ...row }) => ({
      ...row,
      // Written by publish, and above.
      id: JSON.parse(id) as string[],
      branches: JSON.parse(branches) as string[],
    })),
    partial: (results[0]?.read ?? 0) >= MAX_READ_FAILURES,
  };
}

type FoundTest = Pick<TestItem, "key" | "name" | "duration_ms"> &
  Pick<TestPast, "flaky" | "failed"> & {
    /** Null: the run that was searched has no such test. */
    result: TestShown | null;
    /** Start of the last run in which it did not pass at once; null: none since the time that is looked at. */
    last_failed_at: number | null;
    /** That run. */
    failed_in: string | null;
  };

export type FoundTests = {
  items: FoundTest[];
  next: string | null;
  /** The run that was searched: the largest of the newest ones; null if there is none. */
  session_id: string | null;
  /** There are more failures than were read. */
  partial: boolean;
};

type Search = { query: Query; from: number; cursor?: string | undefined; limit: number };

/** Asks the object of a session for its tests. */
type AskTests = (sessionId: string, query: TestsQuery) => Promise<TestList>;

/**
 * The tests that pass a query (core/tests/fields.ts PRODUCT_TEST_LIST): those of the run, and on the last page those that failed
 * since `from` and are not in it any more.
 */
export async function findTests(
  db: D1Database,
  runs: Runs,
  { query, from, cursor, limit }: Search,
  ask: AskTests,
): Promise<FoundTests> {
  const [{ items: failed, partial }, session_id] = await Promise.all([
    flakyTests(db, runs, from, MAX_READ_FAILURES),
    largestRun(db, runs),
  ]);
  const past = Object.fromEntries(
    failed.map(({ test, flaky, failed: count, last_at, branches }): [string, TestPast] => [
      test,
      { flaky, failed: count, last_at, branches },
    ]),
  );
  const found =
    session_id === null
      ? null
      : await ask(session_id, { query, past, limit, ...(cursor && { cursor }) });
  const isLast = found === null || found.next === null;
  const failing = isLast ? failed.map(itemOf).filter(matcherOf(query, testList(past))) : [];
  const asked = failing.slice(0, MAX_PAGE);
  const keys = asked.map(({ key }) => key);
  const known =
    session_id !== null && keys.length > 0
      ? await ask(session_id, { keys, limit: keys.length })
      : null;
  const there = new Set(known?.items.map(({ key }) => key));
  const byKey = new Map(failed.map((each) => [each.test, each]));
  const rowOf = ({ key, name, duration_ms }: TestItem, result: TestShown | null): FoundTest => {
    const { flaky = 0, failed: count = 0, last_at, session_id } = byKey.get(key) ?? {};
    const last = { last_failed_at: last_at ?? null, failed_in: session_id ?? null };
    return { key, name, duration_ms, result, flaky, failed: count, ...last };
  };
  return {
    items: [
      ...(found?.items ?? []).map((item) => rowOf(item, item.result)),
      ...asked.filter(({ key }) => !there.has(key)).map((item) => rowOf(item, null)),
    ],
    next: found?.next ?? null,
    session_id,
    partial: partial || failing.length > asked.length,
  };
}

/** A test that is known from a run in which it did not pass. */
function itemOf({ test, session_id: _session, ...row }: FlakyTest): TestItem {
  const { id, file, result, attempts, duration_ms, text, at, seq } = row;
  return {
    key: test,
    name: testName({ id, file }),
    kind: "test",
    is_bad: result !== "flaky",
    started_at: null,
    worker: "",
    id,
    file,
    result,
    attempts,
    duration_ms,
    text,
    at,
    seq,
  };
}

/** The session with the most tests of the newest runs: one that broke off has few. */
async function largestRun(db: D1Database, runs: Runs): Promise<string | null> {
  const averaged = await testRuns(db, runs, AVERAGED_RUNS);
  return averaged.toSorted((a, b) => b.run.tests - a.run.tests)[0]?.session_id ?? null;
}

/** The tests that took longest on average in the newest runs; their names are in the object of `session_id`, the one of them with the most tests. */
async function slowTests(
  db: D1Database,
  runs: Runs,
): Promise<{ items: SlowTest[]; session_id: string | null }> {
  const averaged = await newest<RunRow & { parts: number; run: string }>(
    db,
    runs,
    `${RUN}, parts, run`,
    () => 0,
    AVERAGED_RUNS,
  );
  const testsOf = ({ run }: { run: string }) => (JSON.parse(run) as TestRun).tests; // written by publish
  // A run that broke off has few of the tests.
  const largest = averaged.toSorted((a, b) => testsOf(b) - testsOf(a))[0];
  const session_id = largest?.session_id ?? null;
  if (session_id === null) return { items: [], session_id };
  const { results } = await db
    .prepare(
      `SELECT p.packed FROM json_each(?2) AS run CROSS JOIN json_each(?3) AS number
       CROSS JOIN test_parts AS p ON p.product = ?1 AND p.parts = run.value ->> 'parts' AND p.part = number.value
         AND p.created_at = run.value ->> 'created_at' AND p.session_id = run.value ->> 'session_id'`,
    )
    .bind(runs.product, JSON.stringify(averaged.map(({ run: _run, ...row }) => row)), ALL_PARTS)
    .all<{ packed: string }>();
  const sums = new Map<string, { sum: number; runs: number }>();
  for (const { packed } of results)
    for (const [key, { duration_ms }] of readPacked(packed)) {
      if (duration_ms === null) continue;
      const before = sums.get(key) ?? { sum: 0, runs: 0 };
      sums.set(key, { sum: before.sum + duration_ms, runs: before.runs + 1 });
    }
  const items = [...sums]
    .map(([test, { sum, runs: count }]) => ({ test, duration_ms: sum / count, runs: count }))
    .filter(({ duration_ms }) => duration_ms >= MIN_SLOW_MS);
  items.sort((a, b) => b.duration_ms - a.duration_ms);
  return { items: items.slice(0, LISTED_TESTS), session_id };
}

/** Asks the object of a session for the names of its tests. */
type Names = (sessionId: string, keys: string[]) => Promise<{ items: TestItem[] }>;
export type NamedSlowTest = SlowTest & { name: string };

/** The slowest tests by name; those that the largest of the last runs did not have are left out. */
export async function namedSlowTests(
  db: D1Database,
  runs: Runs,
  names: Names,
): Promise<NamedSlowTest[]> {
  const { items, session_id } = await slowTests(db, runs);
  if (session_id === null || items.length === 0) return [];
  const { items: known } = await names(
    session_id,
    items.map(({ test }) => test),
  );
  const byKey = new Map(known.map(({ key, name }) => [key, name]));
  return items.flatMap((item) => {
    const name = byKey.get(item.test);
    return name === undefined ? [] : [{ ...item, name }];
  });
}
