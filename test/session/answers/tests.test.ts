/** The tests of a session: its verdict, its list, and what one test is asked for. */
import { expect, test } from "vitest";
import { MAX_BATCH_OPS } from "../../../src/core/limits.ts";
import { testKey } from "../../../src/core/tests/id.ts";
import { manyTests, nth, runState, testEnded, testStarted } from "../test-run.ts";
import { NOON, World } from "../world.ts";

const at = NOON + 1_000;

async function small(): Promise<World> {
  const world = new World();
  await world.send([
    runState({ planned: 5 }),
    testStarted(at, ["a.py", "test_one"]),
    testEnded(at + 10, { id: ["a.py", "test_one"], result: "passed", duration_ms: 10 }),
    testStarted(at + 20, ["a.py", "TestDeep", "test_two"]),
    { op: "state", at: at + 25, patch: { stage: "merging" } },
    { op: "event", at: at + 26, name: "merged" },
    testEnded(
      at + 30,
      {
        id: ["a.py", "TestDeep", "test_two"],
        result: "failed",
        duration_ms: 10,
        output: "printed",
        diff: { expected: "1", actual: "2" },
      },
      { exception_type: "AssertionError", exception_msg: "1 != 2", handled: true },
    ),
    testEnded(at + 40, { id: ["b.py", "test_three"], result: "failed" }, { message: "first" }),
    testEnded(at + 50, { id: ["b.py", "test_three"], result: "passed", attempt: 2 }),
    testEnded(at + 60, { id: ["b.py", "test_four"], result: "skipped", reason: "needs a disk" }),
    testStarted(at + 70, ["b.py", "test_five"]),
  ]);
  return world;
}

test("a run's verdict, its counts and its list outlive eviction", async () => {
  const world = await small();
  await world.send([{ op: "end", at: at + 80, exit_code: 1 }]);
  await world.evict();
  const summary = await world.client.ask("summary");
  expect(summary.verdict.headline).toBe("1 of 4 tests failed, 1 did not run");
  expect(summary).toMatchObject({ failed_tests: 1, tests: { tests: 4, flaky: 1, running: 1 } });

  const { items, matching, next } = await world.client.ask("tests");
  expect({ matching, next }).toEqual({ matching: 5, next: null });
  expect(items.map(({ name, result, attempts }) => [name, result, attempts])).toEqual([
    ["a.py::TestDeep::test_two", "failed", 1],
    ["a.py::test_one", "passed", 1],
    ["b.py::test_five", "running", 0],
    ["b.py::test_four", "skipped", 1],
    ["b.py::test_three", "flaky", 2],
  ]);
  expect(items[0]).toMatchObject({
    text: "AssertionError: 1 != 2",
    started_at: at + 20,
    duration_ms: 10,
  });
  expect(items[3]?.text).toBe("needs a disk");
});

test("tests are found by result, by text, by suite and by duration, page by page", async () => {
  const world = await small();
  const names = async (query: object) => {
    const { items } = await world.client.ask("tests", query);
    return items.map(({ id }) => id.at(-1));
  };
  expect(await names({ results: ["failed", "flaky"] })).toEqual(["test_two", "test_three"]);
  expect(await names({ text: "NEEDS A" })).toEqual(["test_four"]);
  expect(await names({ prefix: ["a.py", "TestDeep"] })).toEqual(["test_two"]);
  expect(await names({ keys: [testKey(["a.py", "test_one"])] })).toEqual(["test_one"]);
  expect((await names({ sort: "duration" })).slice(0, 2)).toEqual(["test_two", "test_one"]);
  expect(await names({ limit: 2, cursor: "4" })).toEqual(["test_three"]);
  expect(await names({ cursor: "NaN", limit: 1 })).toEqual(["test_two"]);
});

test("a test has all of its events, and suites their counts", async () => {
  const world = await small();
  const two = ["a.py", "TestDeep", "test_two"];
  const [account] = await world.client.ask("testAccounts", { keys: [testKey(two), "none"] });
  expect(account?.events.map(({ name }) => name)).toEqual(["test_started", "test"]);
  expect(account?.events[1]?.test).toMatchObject({ output: "printed", diff: { expected: "1" } });

  const suites = async (prefix: string[]) =>
    (await world.client.ask("testSuites", { prefix })).items.map(({ part, tests, failed, key }) => [
      part,
      tests,
      failed,
      key !== null,
    ]);
  expect(await suites([])).toEqual([
    ["a.py", 2, 1, false],
    ["b.py", 3, 0, false],
  ]);
  expect(await suites(["a.py"])).toEqual([
    ["TestDeep", 1, 1, false],
    ["test_one", 1, 0, true],
  ]);
});

test("a session without tests has none", async () => {
  const world = new World();
  await world.send([{ op: "start", at: NOON }]);
  expect(await world.client.ask("tests")).toMatchObject({ items: [], matching: 0 });
  expect((await world.client.ask("summary")).tests).toBeUndefined();
});

test("10,000 tests: sealed segments and the open one together, also while the run goes on", async () => {
  const world = new World();
  await world.send([runState({ planned: 10_000 })]);
  const ops = manyTests(10_000);
  for (let from = 0; from < ops.length; from += MAX_BATCH_OPS) {
    await world.send(ops.slice(from, from + MAX_BATCH_OPS));
    const { matching } = await world.client.ask("tests", { limit: 1 });
    expect(matching).toBe((from + MAX_BATCH_OPS) / 2);
  }
  await world.evict();
  const list = await world.client.ask("tests", { results: ["failed"], limit: 5 });
  expect(list).toMatchObject({ matching: 100, next: "5" });
  expect((await world.client.ask("summary")).tests).toMatchObject({
    tests: 10_000,
    passed: 9_900,
    failed: 100,
  });
  const [account] = await world.client.ask("testAccounts", { keys: [testKey(nth(9_999))] });
  expect(account?.events).toHaveLength(2);
  const segments = await world.segments();
  expect(segments.filter(({ sealed }) => sealed === 1).length).toBeGreaterThan(1);
}, 60_000);
