/** The history of tests in the catalog: what a run costs, what is asked of it, and what is left of it when it is deleted. */
import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import {
  testHistory,
  testRuns,
  failingSince,
  findTests,
  flakyTests,
  namedSlowTests,
} from "../../src/catalog/tests.ts";
import { versions } from "../../src/catalog/products.ts";
import { rowsOfDay } from "../../src/registry/usage.ts";
import type { TestsQuery } from "../../src/core/tests/table.ts";
import { parseQueryOf } from "../../src/core/query/parse.ts";
import { PRODUCT_TEST_LIST } from "../../src/core/tests/fields.ts";
import { testKey } from "../../src/core/tests/id.ts";
import { MAX_BATCH_OPS, MAX_SESSION_ROWS } from "../../src/core/limits.ts";
import type { TestFact } from "../../src/core/tests/fact.ts";
import type { TestResult } from "../../src/core/tests/vocabulary.ts";
import type { Op } from "../../src/core/wire.ts";
import { manyTests, runState, testEnded, testStarted } from "../session/test-run.ts";
import { NOON, World } from "../session/world.ts";

const db = env.CATALOG;
/** Rows of a session besides those of its tests: its own, its postings, counts, events and exceptions. */
const OWN_ROWS = 20;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const DEEP = ["a.py", "test_deep"];
const FLAKY = ["a.py", "test_flaky"];

beforeEach(async () => {
  for (const table of ["test_parts", "failed_tests"])
    await db.prepare(`DELETE FROM ${table}`).run();
});

async function rows(table: "test_parts" | "failed_tests", id?: string): Promise<number> {
  const where = id === undefined ? "" : `WHERE session_id = '${id}'`;
  const row = await db
    .prepare(`SELECT count(*) AS n FROM ${table} ${where}`)
    .first<{ n: number }>();
  return row?.n ?? 0;
}

/** A run of three tests, hours after noon. */
async function run(
  hours: number,
  deep: TestResult,
  { branch = "main", commit = "c".repeat(40), isFlaky = false } = {},
) {
  const world = new World();
  const at = NOON + hours * HOUR;
  const start = runState({ planned: 3 }, { provider: "git", branch, commit });
  await world.send([
    { ...start, at } as Op,
    testEnded(at + 1, { id: ["a.py", "test_one"], result: "passed", duration_ms: 20 }),
    testEnded(
      at + 2,
      { id: DEEP, result: deep, duration_ms: 100 + hours },
      { message: "too deep" },
    ),
    ...(isFlaky ? [testEnded(at + 3, { id: FLAKY, result: "failed" })] : []),
    testEnded(at + 4, { id: FLAKY, result: "passed", attempt: isFlaky ? 2 : 1, duration_ms: 6 }),
    { op: "end", at: at + 5, exit_code: deep === "passed" ? 0 : 1 },
  ]);
  await world.client.publish();
  return world;
}

test("a run costs one row for 500 tests, and one for each that did not pass", async () => {
  const world = new World();
  const ops = [
    runState(),
    ...manyTests(10_000),
    { op: "end", at: NOON + HOUR, exit_code: 1 } as Op,
  ];
  for (let from = 0; from < ops.length; from += MAX_BATCH_OPS)
    await world.send(ops.slice(from, from + MAX_BATCH_OPS));
  const earlier = await rowsOfDay(env.REGISTRY, Date.now());
  await world.client.publish();
  expect(await rows("failed_tests", world.id)).toBe(100);
  expect(await rows("test_parts", world.id)).toBe(16);
  // D1's own count of rows written, those of the session itself included.
  const { d1_rows } = await rowsOfDay(env.REGISTRY, Date.now());
  expect(d1_rows - earlier.d1_rows).toBeGreaterThanOrEqual(116);
  expect(d1_rows - earlier.d1_rows).toBeLessThanOrEqual(10_000 / 500 + 100 + OWN_ROWS);
  // Published again, nothing is written.
  const before = await db
    .prepare("SELECT test_mark FROM sessions WHERE id = ?")
    .bind(world.id)
    .first();
  await world.client.publish();
  expect(
    await db.prepare("SELECT test_mark FROM sessions WHERE id = ?").bind(world.id).first(),
  ).toEqual(before);
  expect(await rows("test_parts", world.id)).toBe(16);
}, 60_000);

test("a run of which everything failed has no more rows than a session may have", async () => {
  const world = new World();
  const ops = Array.from({ length: 2_000 }, (_, n) =>
    testEnded(NOON + n, { id: [`t${n}`], result: "failed" }, { message: "no" }),
  );
  await world.send([runState(), ...ops, { op: "end", at: NOON + HOUR, exit_code: 1 }]);
  await world.client.publish();
  const failed = await rows("failed_tests", world.id);
  expect(failed).toBeGreaterThan(1_000);
  expect(failed + (await rows("test_parts", world.id))).toBeLessThanOrEqual(MAX_SESSION_ROWS);
});

test("nothing is in the history while a run goes on", async () => {
  const world = new World();
  await world.send([
    runState(),
    testStarted(NOON + 1, DEEP),
    testEnded(NOON + 2, { id: DEEP, result: "failed" }),
  ]);
  await world.client.publish();
  expect(await rows("test_parts")).toBe(0);
  await world.send([{ op: "end", at: NOON + 3, exit_code: 1 }]);
  await world.client.publish();
  expect([await rows("test_parts"), await rows("failed_tests")]).toEqual([1, 1]);
});

test("a test has its results and durations by run and branch, and since when it has failed", async () => {
  await run(1, "passed");
  const first = await run(2, "failed", { commit: "d".repeat(40) });
  await run(3, "failed");
  await run(4, "passed", { branch: "other" });

  const history = await testHistory(db, testKey(DEEP), { product: "shop", branch: "main" });
  expect(history.runs.map(({ result }) => result)).toEqual(["failed", "failed", "passed"]);
  expect(history.runs[0]?.duration_ms).toBeCloseTo(103, 1);
  expect(history.runs[0]?.text).toBe("too deep");
  expect(history.id).toEqual(DEEP);
  expect(history.failing_since).toMatchObject({ session_id: first.id, commit_id: "d".repeat(40) });
  const all = await testHistory(db, testKey(DEEP), { product: "shop" });
  expect(all).toMatchObject({ failing_since: null });
  expect(all.runs).toHaveLength(4);
  expect((await testHistory(db, testKey(DEEP), { product: "game" })).runs).toEqual([]);
});

test("a failure of a run is new, or has failed for so many runs of its branch", async () => {
  await run(1, "passed");
  const second = await run(2, "failed", { isFlaky: true });
  await run(3, "failed");
  const before = NOON + 4 * HOUR;
  const keys = [testKey(DEEP), testKey(["new.py"]), testKey(FLAKY)];
  const since = await failingSince(db, { product: "shop", branch: "main", before }, keys);
  expect(since?.get(testKey(DEEP))).toMatchObject({
    runs: 3,
    isOlder: false,
    first: { session_id: second.id },
  });
  expect(since?.get(testKey(["new.py"]))).toMatchObject({ runs: 1, first: null });
  // Flaky is not failed.
  expect(since?.get(testKey(FLAKY))?.runs).toBe(1);
  expect(await failingSince(db, { product: "shop", branch: "none", before }, keys)).toBeUndefined();
});

test("a run that failed before any test ran is counted as a failed run, and no fast test as slow", async () => {
  const world = new World();
  const broken: TestFact = {
    id: ["conftest.py"],
    result: "error",
    phase: "collect",
    kind: "suite",
  };
  await world.send([
    { ...runState(), product: "broken", version: "1" } as Op,
    testEnded(NOON + 1, broken),
    testEnded(NOON + 2, { id: ["a.py", "test_fast"], result: "skipped", duration_ms: 0.2 }),
    { op: "end", at: NOON + 3, exit_code: 2 },
  ]);
  await world.client.publish();
  expect(await versions(db, "broken")).toMatchObject([{ test_runs: 1, failed_runs: 1 }]);
  const names = () => Promise.reject(new Error("No test is slow, so none has to be named."));
  expect(await namedSlowTests(db, { product: "broken" }, names)).toEqual([]);
});

test("the flakiest and the slowest tests of a product are listed", async () => {
  await run(1, "failed", { isFlaky: true });
  const last = await run(2, "failed");
  const { items, partial } = await flakyTests(db, { product: "shop" }, NOON);
  expect(partial).toBe(false);
  expect(items.map(({ id, flaky, failed }) => [id.at(-1), flaky, failed])).toEqual([
    ["test_flaky", 1, 0],
    ["test_deep", 0, 2],
  ]);
  // The last failure is that of the newest run.
  expect(items[1]).toMatchObject({ session_id: last.id, result: "failed", branches: ["main"] });
  const slow = await namedSlowTests(db, { product: "shop" }, (id, named) => {
    expect(id).toBe(last.id);
    return last.client.ask("tests", { keys: named });
  });
  expect(slow.map(({ name }) => name)).toEqual([
    "a.py::test_deep",
    "a.py::test_one",
    "a.py::test_flaky",
  ]);
  expect(slow[0]?.duration_ms).toBeCloseTo(101.5, 1);
});

test("tests of a product are found by name, last result and failures, also those that the last run has not", async () => {
  const gone = new World();
  const GONE = ["old.py", "test_gone"];
  await gone.send([
    { ...runState(), at: NOON - HOUR } as Op,
    testEnded(NOON - HOUR, { id: GONE, result: "failed", duration_ms: 5 }),
    { op: "end", at: NOON - HOUR + 1, exit_code: 1 },
  ]);
  await gone.client.publish();
  await run(1, "failed", { isFlaky: true, branch: "next" });
  const last = await run(2, "passed");
  const ask = (id: string, query: TestsQuery) => {
    expect(id).toBe(last.id);
    return last.client.ask("tests", query);
  };
  const found = async (text: string, more: object = {}) => {
    const query = parseQueryOf(PRODUCT_TEST_LIST, text, NOON + 3 * HOUR);
    const search = { query, from: NOON - DAY, limit: 50, ...more };
    return findTests(db, { product: "shop" }, search, ask);
  };
  const names = async (text: string) => (await found(text)).items.map(({ name }) => name);
  expect(await names("test_")).toEqual([
    "a.py::test_deep",
    "a.py::test_flaky",
    "a.py::test_one",
    "old.py::test_gone",
  ]);
  expect(await names("failed:>0")).toEqual(["a.py::test_deep", "old.py::test_gone"]);
  expect(await names("flaky:1")).toEqual(["a.py::test_flaky"]);
  expect(await names("failed:0 flaky:0")).toEqual(["a.py::test_one"]);
  expect(await names("branch:next result:passed")).toEqual(["a.py::test_deep", "a.py::test_flaky"]);
  expect(await names("last_failed:>150m")).toEqual(["old.py::test_gone"]);
  expect(await names("result:failed")).toEqual(["old.py::test_gone"]);
  expect((await found("failed:>0")).items).toMatchObject([
    { result: "passed", failed: 1, flaky: 0, failed_in: expect.any(String) },
    { result: null, failed: 1, last_failed_at: expect.any(Number), failed_in: gone.id },
  ]);

  const first = await found("test_", { limit: 2 });
  const second = await found("test_", { limit: 2, cursor: first.next });
  expect([...first.items, ...second.items].map(({ key }) => key).toSorted()).toEqual(
    (await found("test_")).items.map(({ key }) => key).toSorted(),
  );
  const none = parseQueryOf(PRODUCT_TEST_LIST, "test_", NOON);
  const nothing = { items: [], next: null, session_id: null, partial: false };
  const search = { query: none, from: NOON, limit: 5 };
  expect(await findTests(db, { product: "none" }, search, ask)).toEqual(nothing);
});

test("a run that goes on changes its rows, and a deleted one leaves none", async () => {
  const world = await run(1, "failed", { isFlaky: true });
  expect(await rows("failed_tests", world.id)).toBe(2);
  const at = NOON + HOUR + 6;
  await world.send([
    testEnded(at, { id: DEEP, result: "passed", attempt: 2 }),
    { op: "end", at: at + 1, exit_code: 0 },
  ]);
  await world.client.publish();
  const { results } = await db.prepare("SELECT result FROM failed_tests").all();
  expect(results).toEqual([{ result: "flaky" }, { result: "flaky" }]);
  expect(await testRuns(db, { product: "shop" })).toHaveLength(1);

  await world.client.erase();
  expect([await rows("test_parts"), await rows("failed_tests")]).toEqual([0, 0]);
});

test("the history is built again from the objects", async () => {
  const world = await run(1, "failed");
  for (const table of ["sessions", "postings", "details", "test_parts", "failed_tests"])
    await db.prepare(`DELETE FROM ${table}`).run();
  await world.evict();
  await world.client.publish();
  expect([await rows("test_parts"), await rows("failed_tests")]).toEqual([1, 1]);
  expect((await testRuns(db, { product: "shop" }))[0]).toMatchObject({
    session_id: world.id,
    branch: "main",
    run: { tests: 3, not_passed: 1 },
  });
});
