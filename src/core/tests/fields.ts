/** The lists of a session's tests and of a product's: the fields of a query, and what a test has of each. */
import type { TestItem } from "../answers/tests.ts";
import type { RowList, Scalar } from "../query/evaluate.ts";
import { type FieldInfo, queryList } from "../query/list.ts";
import { fold } from "../text/fold.ts";
import { TEST_KINDS, TEST_PHASES, TESTS_SHOWN } from "./vocabulary.ts";
import { fileOf } from "./id.ts";

const FIELDS: FieldInfo[] = [
  { name: "name", kind: "contained", about: "Text in the name" },
  { name: "test", kind: "contained", about: "The same as name" },
  { name: "file", kind: "contained", about: "Text in the file; in Go, in the package" },
  { name: "result", kind: "choice", about: "Result of the last attempt", choices: TESTS_SHOWN },
  {
    name: "is",
    kind: "choice",
    about: "Result, or bad: any for which the run fails",
    choices: [...TESTS_SHOWN, "bad"],
  },
  { name: "message", kind: "contained", about: "Text in the first line of the failure" },
  { name: "duration", kind: "duration", about: "How long it took, as >500ms" },
  { name: "attempts", kind: "number", about: "Number of attempts" },
  { name: "kind", kind: "choice", about: "Kind", choices: TEST_KINDS },
  { name: "phase", kind: "choice", about: "Phase in which it failed", choices: TEST_PHASES },
  { name: "worker", kind: "text", about: "Process or thread of the runner" },
];

/** Of one session. */
export const TEST_LIST = queryList(FIELDS);

/** Of the runs of a product. */
export const PRODUCT_TEST_LIST = queryList([
  ...FIELDS,
  { name: "product", kind: "text", about: "Product; tests are those of one" },
  { name: "flaky", kind: "number", about: "Runs in which it passed only after a failure" },
  { name: "failed", kind: "number", about: "Runs in which it failed or had an error" },
  { name: "last_failed", kind: "time", about: "Start of the last of these runs, as <7d" },
  { name: "branch", kind: "text", about: "Branch of these runs" },
]);

/** What a test had in the runs of its product in which it did not pass at once. */
export type TestPast = {
  /** Runs in which it passed only after an attempt that failed, and runs in which it failed. */
  flaky: number;
  failed: number;
  /** Start of the newest of these runs. */
  last_at: number;
  branches: string[];
};

/** `past`: by key, what tests of a product had in its runs; those that never failed have none. */
export function testList(past?: { [key: string]: TestPast }): RowList<TestItem> {
  const list = past ? PRODUCT_TEST_LIST : TEST_LIST;
  return {
    ...list,
    valuesOf: (test, field) =>
      pastOf(past && Object.hasOwn(past, test.key) ? past[test.key] : undefined, field) ??
      valuesOf(test, field),
    textOf: ({ name, text }) => fold(`${name}\n${text}`),
  };
}

function pastOf(past: TestPast | undefined, field: string): Scalar[] | undefined {
  switch (field) {
    case "flaky":
    case "failed":
      return [past?.[field] ?? 0];
    case "last_failed":
      return present(past?.last_at);
    case "branch":
      return past?.branches ?? [];
    default:
      return undefined;
  }
}

function valuesOf(test: TestItem, field: string): Scalar[] {
  switch (field) {
    case "name":
    case "test":
      return [test.name];
    case "file":
      return [fileOf(test)];
    case "result":
      return [test.result];
    case "is":
      return test.is_bad ? [test.result, "bad"] : [test.result];
    case "message":
      return present(test.text);
    case "duration":
      return present(test.duration_ms);
    case "attempts":
      return [test.attempts];
    case "kind":
      return [test.kind];
    case "phase":
      return present(test.phase);
    case "worker":
      return present(test.worker);
    default:
      return [];
  }
}

function present(value: Scalar | undefined): Scalar[] {
  return value === undefined || value === null || value === "" ? [] : [value];
}
