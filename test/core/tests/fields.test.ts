/** Random queries over the tests of a run, compared with predicates that use neither the parser nor the evaluation. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { TestItem } from "../../../src/core/answers/tests.ts";
import { PRODUCT_TEST_LIST, TEST_LIST, type TestPast } from "../../../src/core/tests/fields.ts";
import { parseQueryOf } from "../../../src/core/query/parse.ts";
import { listTests, TestTable } from "../../../src/core/tests/table.ts";
import { type Case, queriesOf } from "../query/cases.ts";

const RESULTS = ["passed", "failed", "skipped", "error", undefined] as const;

/** A hundred tests in four files; every seventh passes only at its second attempt. */
const table = new TestTable();
for (let n = 0; n < 100; n++) {
  const id = [`tests/test_${["door", "Key", "merge", "ui"][n % 4]}.py`, `test_${n} deep`];
  const result = RESULTS[n % 5];
  const row = {
    id,
    file: 0,
    at: n,
    seq: n,
    worker: `gw${n % 3}`,
    ...(result && {
      result,
      duration_ms: n * 10,
      ...(result === "failed" && { text: `assert ${n} == Door`, isError: true as const }),
      ...(result === "error" && {
        text: "no fixture",
        isError: true as const,
        phase: "setup" as const,
      }),
    }),
  };
  table.add(row);
  if (n % 7 === 1 && result === "failed")
    table.add({ id, file: 0, at: n, seq: n, worker: "gw1", result: "passed", attempt: 2 });
}
const { items: all } = listTests(table, { limit: 1_000 }, "pytest");

const leaves: Case<TestItem>[] = [
  { text: "name:DOOR", of: ({ name }) => name.includes("door") },
  { text: 'test:"1 deep"', of: ({ name }) => name.includes("1 deep") },
  { text: "file:key", of: ({ id }) => id[0] === "tests/test_Key.py" },
  { text: "file:deep", of: () => false },
  { text: "result:failed,error", of: ({ result }) => result === "failed" || result === "error" },
  { text: "is:flaky", of: ({ result }) => result === "flaky" },
  { text: "is:bad", of: (item) => item.is_bad },
  { text: "is:running", of: ({ result }) => result === "running" },
  { text: "message:door", of: ({ text }) => text.includes("Door") },
  { text: "message:*", of: ({ text }) => text !== "" },
  { text: "duration:>=0.5s", of: (item) => (item.duration_ms ?? 0) >= 500 },
  { text: "duration:!0s", of: (item) => (item.duration_ms ?? 0) !== 0 },
  { text: "-duration:*", of: (item) => item.duration_ms === null },
  { text: "attempts:>1", of: ({ attempts }) => attempts > 1 },
  { text: "kind:test", of: ({ kind }) => kind === "test" },
  { text: "phase:setup", of: ({ phase }) => phase === "setup" },
  { text: "worker:gw1,gw2", of: ({ worker }) => worker !== "gw0" },
  { text: "merge", of: ({ name }) => name.includes("merge") },
  { text: "fixture", of: ({ text }) => text.includes("fixture") },
];

const found = (text: string) =>
  listTests(table, { query: parseQueryOf(TEST_LIST, text, 0), limit: 1_000 }, "pytest").items;

test("the world has tests of each kind", () => {
  expect(new Set(all.map(({ result }) => result))).toEqual(
    new Set(["passed", "failed", "flaky", "skipped", "error", "running"]),
  );
});

test.each(leaves)("$text", ({ text, of }) => {
  expect(found(text)).toEqual(all.filter(of));
});

test("a query finds the tests that it means", () => {
  fc.assert(
    fc.property(queriesOf(leaves), ({ text, of }) => {
      expect(found(text), text).toEqual(all.filter(of));
    }),
    { numRuns: 1_000 },
  );
});

const NOW = Date.UTC(2026, 10, 29);
const DAY = 86_400_000;
/** Every third test had failures in runs of its product. */
const past: { [key: string]: TestPast } = Object.fromEntries(
  all
    .filter((_, n) => n % 3 === 0)
    .map(({ key }, n) => [
      key,
      {
        flaky: n % 4,
        failed: n % 5,
        last_at: NOW - n * DAY,
        branches: n % 2 ? ["main", "next"] : ["main"],
      },
    ]),
);

const productLeaves: Case<TestItem>[] = [
  ...leaves,
  { text: "flaky:>1", of: ({ key }) => (past[key]?.flaky ?? 0) > 1 },
  { text: "flaky:0", of: ({ key }) => (past[key]?.flaky ?? 0) === 0 },
  { text: "failed:1..3", of: ({ key }) => [1, 2, 3].includes(past[key]?.failed ?? 0) },
  { text: "last_failed:<7d", of: ({ key }) => (past[key]?.last_at ?? 0) > NOW - 7 * DAY },
  { text: "-last_failed:*", of: ({ key }) => past[key] === undefined },
  { text: "branch:next", of: ({ key }) => past[key]?.branches.includes("next") === true },
  { text: "branch:!next", of: ({ key }) => past[key]?.branches.includes("next") === false },
];

test("a query for tests of a product looks at their failures in its runs too", () => {
  fc.assert(
    fc.property(queriesOf(productLeaves), ({ text, of }) => {
      const query = parseQueryOf(PRODUCT_TEST_LIST, text, NOW);
      const { items } = listTests(table, { query, past, limit: 1_000 }, "pytest");
      expect(items, text).toEqual(all.filter(of));
    }),
    { numRuns: 1_000 },
  );
});
