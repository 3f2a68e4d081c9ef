/** The verdict of sessions that have tests. */
import { describe, expect, test } from "vitest";
import { newObservations, observe } from "../../../src/core/status/observations.ts";
import { verdict } from "../../../src/core/status/status.ts";
import type { TestFact } from "../../../src/core/tests/fact.ts";
import type { Event, JsonObject, Op } from "../../../src/core/wire.ts";

let at = 0;
const started = (...id: string[]): Op => ({
  op: "event",
  at: ++at,
  name: "test_started",
  test: { id },
});
const ended = (fact: TestFact, more: Partial<Event> = {}): Op => ({
  op: "event",
  at: ++at,
  name: "test",
  category: fact.result === "failed" || fact.result === "error" ? "error" : "info",
  test: fact,
  ...more,
});
const passed = (count: number): Op[] =>
  Array.from({ length: count }, (_, i) => ended({ id: ["a.py", `test_${i}`], result: "passed" }));
const failed = (count: number): Op[] =>
  Array.from({ length: count }, (_, i) =>
    ended({ id: ["b.py", `test_${i}`], result: "failed" }, { message: `assert ${i}` }),
  );
const run = (tests: JsonObject): Op => ({
  op: "state",
  at: ++at,
  patch: { tests: { runner: "pytest 8.4.0", ...tests } },
});
const end = (exit_code?: number, signal?: string): Op => ({
  op: "end",
  at: ++at,
  exit_code,
  signal,
});

function judge(...ops: Op[]) {
  const known = newObservations(0, 0);
  for (const [index, op] of ops.entries()) observe(known, op, index + 1);
  return verdict(known, at);
}

const broken = ended(
  { id: ["conftest.py"], result: "error", phase: "collect", kind: "suite" },
  { exception_type: "SyntaxError", source_file: "conftest.py", source_line: 3, handled: true },
);

test.each<[string, () => Op[]]>([
  ["39 of 337 tests failed", () => [...passed(298), ...failed(39), end(1)]],
  ["1 of 1 test failed", () => [...failed(1), end(1)]],
  ["39 of 337 tests failed, exit code 0", () => [...passed(298), ...failed(39), end(0)]],
  ["39 of 337 tests failed", () => [...passed(298), ...failed(39), end()]],
  [
    "1 of 11 tests failed, 89 did not run",
    () => [run({ planned: 100 }), ...passed(10), ...failed(1), end(1)],
  ],
  [
    "1 of 11 tests failed, ended by SIGINT",
    () => [...passed(10), ...failed(1), end(undefined, "SIGINT")],
  ],
  ["Failed before any test ran: SyntaxError in conftest.py:3", () => [broken, end(4)]],
  [
    "Failed before any test ran: ImportError in tests/test_a.py:1",
    () => [
      ended(
        { id: ["tests/test_a.py"], result: "error", phase: "collect", kind: "suite" },
        {
          exception_type: "ImportError",
          source_file: "/home/ada/shop/tests/test_a.py",
          source_line: 1,
        },
      ),
      end(2),
    ],
  ],
  ["1 error outside of 10 tests", () => [...passed(10), broken, end(1)]],
  ["337 tests passed", () => [...passed(337), end(0)]],
  [
    "3 tests passed, 1 skipped",
    () => [...passed(3), ended({ id: ["c"], result: "skipped" }), end(0)],
  ],
  ["1 skipped", () => [ended({ id: ["c"], result: "skipped" }), end(0)]],
  ["3 tests passed, but exit code 1", () => [...passed(3), end(1)]],
  ["12 of 12 planned tests did not run", () => [run({ planned: 12 }), end(0)]],
  ["12 of 12 planned tests did not run: exit code 3", () => [run({ planned: 12 }), end(3)]],
  ["No test ran: exit code 5", () => [run({ planned: 0 }), end(5)]],
  [
    "1 test passed, 1 flaky",
    () => [
      ended({ id: ["a"], result: "failed" }),
      ended({ id: ["a"], result: "passed", attempt: 2 }),
      end(0),
    ],
  ],
  [
    "Ended by SIGTERM in a.py::test_x",
    () => [...passed(2), started("a.py", "test_x"), end(undefined, "SIGTERM")],
  ],
  ["Running: 3 of 7 tests, 1 failed", () => [run({ planned: 7 }), ...passed(2), ...failed(1)]],
  ["Running: 1 test", () => [...passed(1)]],
  ["Running", () => [run({ planned: 7 })]],
])("%s", (headline, ops) => expect(judge(...ops()).headline).toBe(headline));

describe("tests that run at the end", () => {
  const go = run({ runner: "go test" });

  test("name where the run was killed, the innermost one", () => {
    const tests = [started("m/merge", "TestMerge"), started("m/merge", "TestMerge", "deep")];
    const crash: Op = { op: "crash", at: ++at, signal: "SIGKILL" };
    const { headline, evidence } = judge(go, ...tests, crash);
    expect(headline).toBe("Killed by SIGKILL in TestMerge/deep");
    expect(evidence.filter(({ kind }) => kind === "running_test").map(({ text }) => text)).toEqual([
      "TestMerge/deep was running when it ended",
    ]);
    expect(judge(go, ...tests, { op: "crash", at: ++at }).headline).toBe(
      "Crashed in TestMerge/deep",
    );
    expect(judge(...tests, { op: "crash", at: ++at, out_of_memory: true }).headline).toBe(
      "Out of memory in m/merge › TestMerge › deep",
    );
  });

  test("a test that ended is not named", () => {
    const tests = [started("a.py", "test_a"), ended({ id: ["a.py", "test_a"], result: "passed" })];
    expect(judge(...tests, { op: "crash", at: ++at, signal: "SIGSEGV" }).headline).toBe(
      "Crashed: SIGSEGV",
    );
  });
});

describe("the evidence", () => {
  const texts = (...ops: Op[]) => judge(...ops).evidence.map(({ text }) => text);

  test("names the first failed tests with their first line, and how many more there are", () => {
    const listed = texts(...passed(2), ...failed(12), end(1));
    expect(listed).toContain("2 passed, 12 failed");
    expect(listed).toContain("b.py::test_0: assert 0");
    expect(listed).toContain("2 more tests failed");
    expect(listed).not.toContain("b.py::test_10: assert 10");
  });

  test("names an exit code that does not agree with the tests", () => {
    expect(texts(...failed(1), end(0))).toContain(
      "The runner ended with exit code 0 although tests failed",
    );
    expect(texts(...passed(1), end(1))).toContain(
      "The runner ended with exit code 1 although no test failed",
    );
  });

  test("names counts of the runner that differ from those recorded", () => {
    const counted = run({ counts: { passed: 3, failed: 1 } });
    expect(texts(...passed(2), ...failed(1), counted, end(1))).toContain(
      "The runner counted 3 passed (2 recorded): some results are missing here",
    );
    expect(texts(...passed(3), ...failed(1), counted, end(1)).join()).not.toContain(
      "runner counted",
    );
  });
});
