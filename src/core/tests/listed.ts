/** The tests of a session that the catalog lists by name: those that did not pass first, then the others as far as there is room. */
import type { SessionIndex } from "../session/session-index.ts";
import { testName } from "./id.ts";
import { MAX_LISTED_TESTS } from "./limits.ts";
import { listTests, type TestTable } from "./table.ts";
import type { TestShown } from "./vocabulary.ts";

/** `text`: its name. `last`: the last part of its id. `failure`: the first line of it; "" if there is none. `at`: of its event. */
export type ListedTest = {
  text: string;
  last: string;
  result: TestShown;
  failure: string;
  at: number;
};

type ListedTests = { items: ListedTest[]; isComplete: boolean };

const NO_LISTED_TESTS: ListedTests = { items: [], isComplete: true };

/** Without the table, as while the run goes on: those that failed so far. */
export function listedTests(index: SessionIndex, table?: TestTable): ListedTests {
  const { tests } = index.observations;
  if (!tests) return NO_LISTED_TESTS;
  if (table) {
    const all = allTests(index, table);
    const items = all.slice(0, MAX_LISTED_TESTS);
    return { items, isComplete: table.leftOut === 0 && items.length === all.length };
  }
  const items = tests.failures.map(({ id, file, text, at }): ListedTest => ({
    text: testName(file === undefined ? { id } : { id, file }, tests.runner),
    last: id[id.length - 1] ?? "",
    result: "failed",
    failure: text,
    at: Math.round(at),
  }));
  return { items, isComplete: false };
}

/** Every test of the table: those that did not pass first. */
export function allTests({ observations }: SessionIndex, table: TestTable): ListedTest[] {
  const { items } = listTests(table, { limit: table.size }, observations.tests?.runner ?? "");
  return items
    .sort((a, b) => Number(b.is_bad) - Number(a.is_bad))
    .map(({ name, id, result, text, at }) => ({
      text: name,
      last: id[id.length - 1] ?? "",
      result,
      failure: text,
      at: Math.round(at),
    }));
}

/** Whether a test is meant by a name: its whole name as its runner prints it, or the last part of it. */
export function isNamed({ text, last }: ListedTest, asked: string): boolean {
  return text === asked || last === asked;
}
