/** The counts of a session's tests, against a model that keeps every end of every test. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TestFact } from "../../../src/core/tests/fact.ts";
import {
  MAX_NAMED_FAILURES,
  MAX_REMEMBERED_TESTS,
  MAX_RUNNING_TESTS,
} from "../../../src/core/tests/limits.ts";
import { newTally, noteTest, noteTestRun, type TestTally } from "../../../src/core/tests/tally.ts";

type End = TestFact & { isStrict?: boolean };

function tallyOf(ends: End[], tally = newTally()): TestTally {
  for (const [seq, { isStrict, ...fact }] of ends.entries()) {
    const isError =
      fact.result === "failed" ||
      fact.result === "error" ||
      (isStrict && fact.result !== undefined);
    const category = isError ? "error" : "info";
    noteTest(tally, { op: "event", at: seq, name: "test", category }, fact, seq + 1);
  }
  return tally;
}

/** As a person counts: for each test its last attempt, and what was before. */
function model(all: End[]) {
  const totals = { ...newTally().totals };
  const tests = Map.groupBy(all, ({ id }) => JSON.stringify(id));
  const bad: string[] = [];
  for (const [id, own] of tests) {
    const ends = own.filter(({ result }) => result !== undefined);
    if (ends.length === 0) continue;
    const isOutside = (end: End) =>
      end.result === "error" && end.phase !== undefined && end.phase !== "call";
    const hasFailed = (end: End) =>
      end.result === "failed" ||
      end.result === "error" ||
      (end.result === "unexpected_pass" && end.isStrict === true);
    const attempt = Math.max(...ends.map((end) => end.attempt ?? 1));
    const last = ends.filter((end) => (end.attempt ?? 1) === attempt);
    const call = last.findLast((end) => !isOutside(end));
    const phases = new Set(last.filter(isOutside).map(({ phase }) => phase));
    const isSuite = ends.at(-1)?.kind === "suite";
    const isBad = phases.size > 0 || (call !== undefined && hasFailed(call));
    const isFlaky =
      call?.result === "passed" &&
      phases.size === 0 &&
      ends.some((end) => end !== call && hasFailed(end));
    totals.errors += phases.size;
    if (isSuite) {
      if (call && hasFailed(call)) totals.errors++;
      if (isBad) totals.suites++;
    } else {
      totals.tests++;
      if (ends[0]?.kind === "subtest") totals.subtests++;
      if (call?.result === "error") totals.errors++;
      if (call?.result === "passed") totals.passed++;
      if (call?.result === "failed") totals.failed++;
      if (call?.result === "skipped") totals.skipped++;
      if (call?.result === "expected_failure") totals.expected_failures++;
      if (call?.result === "unexpected_pass") totals.unexpected_passes++;
      if (isFlaky) totals.flaky++;
      if (isBad) totals.not_passed++;
    }
    if (isBad) bad.push(id);
  }
  return { totals, bad };
}

const end: fc.Arbitrary<End> = fc
  .record({
    name: fc.integer({ min: 0, max: 9 }),
    result: fc.constantFrom(
      undefined,
      "passed",
      "failed",
      "error",
      "skipped",
      "expected_failure",
      "unexpected_pass",
    ),
    attempt: fc.constantFrom(undefined, 1, 2, 3),
    phase: fc.constantFrom(undefined, "setup", "call", "teardown", "collect"),
    isStrict: fc.boolean(),
  } as const)
  .map(({ name, ...fact }) => ({
    id: ["a.py", `test_${name}`],
    // A file's own failures have an id of their own.
    ...(name === 0 && { kind: "suite" as const }),
    ...(name === 1 && { kind: "subtest" as const }),
    ...fact,
  }));

test("the totals are those of a model that keeps everything, at every moment", () => {
  fc.assert(
    fc.property(fc.array(end, { maxLength: 60 }), fc.nat(60), (ends, cut) => {
      const { totals, bad } = model(ends);
      expect(tallyOf(ends).totals).toEqual(totals);
      // Stored and read again in the middle.
      const stored = JSON.stringify(tallyOf(ends.slice(0, cut)));
      const tally = tallyOf(ends.slice(cut), JSON.parse(stored) as TestTally);
      expect(tally.totals).toEqual(totals);
      expect(tally.failures.map(({ id }) => JSON.stringify(id)).sort()).toEqual(bad.sort());
    }),
    { numRuns: 500 },
  );
});

test("100,000 tests are all counted, in bounded memory", () => {
  const names = Array.from({ length: 100_000 }, (_, i) => ["a.py", `test_${i}`]);
  const tally = newTally();
  const flaky = (i: number): End[] => [
    { id: names[i] ?? [], result: "failed" },
    { id: names[i] ?? [], result: "passed", attempt: 2 },
  ];
  for (const [i, id] of names.entries()) {
    if (i % 1_000 === 0) tallyOf(flaky(i), tally);
    else tallyOf([{ id }, { id, result: i % 100 === 1 ? "failed" : "passed" }], tally);
    if (i % 1_000 === 2) tallyOf([{ id, result: "error", phase: "teardown" }], tally);
  }
  expect(tally.totals).toMatchObject({
    tests: 100_000,
    passed: 99_000,
    failed: 1_000,
    flaky: 100,
    errors: 100,
    not_passed: 1_100,
  });
  expect(tally.records.length).toBeLessThanOrEqual(MAX_REMEMBERED_TESTS * 2 * 10 + 20_000);
  expect(tally.failures).toHaveLength(MAX_NAMED_FAILURES);
});

test("records that are replaced do not add up", () => {
  const tally = newTally();
  for (let i = 0; i < 20_000; i++)
    tallyOf([{ id: ["a", String(i % 10)], result: i % 2 ? "passed" : "failed" }], tally);
  expect(tally.records.length).toBeLessThan(30_000);
  expect(tally.totals).toMatchObject({ tests: 10 });
});

describe("what is running", () => {
  const start = (name: string): End => ({ id: ["a.py", name] });

  test("starts with its first event and ends with a result", () => {
    const tally = tallyOf([start("one"), start("two"), start("two")]);
    expect(tally.running.map(({ id }) => id[1])).toEqual(["one", "two"]);
    tallyOf([{ ...start("one"), result: "passed" }], tally);
    expect(tally.running.map(({ id }) => id[1])).toEqual(["two"]);
  });

  test("is bounded", () => {
    const tally = tallyOf(Array.from({ length: 500 }, (_, i) => start(String(i))));
    expect(tally.running).toHaveLength(MAX_RUNNING_TESTS);
  });
});

describe("the state of a run", () => {
  test("names the runner, the plan and the runner's own counts", () => {
    const tests = {
      runner: "pytest 8.4.0",
      planned: 337,
      counts: { passed: 3, other: 1, failed: -1 },
    };
    expect(noteTestRun(undefined, { tests })).toMatchObject({
      runner: "pytest 8.4.0",
      planned: 337,
      printed: { passed: 3 },
    });
  });

  test.each([
    [{}],
    [{ tests: 3 }],
    [{ tests: null }],
    [{ tests: [] }],
    [{ tests: { planned: 3 } }],
    [{ tests: { runner: 7 } }],
  ])("%j of a program's own is none", (patch) =>
    expect(noteTestRun(undefined, patch)).toBeUndefined(),
  );
});
