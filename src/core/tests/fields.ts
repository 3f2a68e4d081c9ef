/** The list of a session's tests: the fields of a query, and what a test has of each. */
import type { TestItem } from "../answers.ts";
import type { RowList, Scalar } from "../query/evaluate.ts";
import { queryList } from "../query/list.ts";
import { fold } from "../text/fold.ts";
import { TEST_KINDS, TEST_PHASES, TESTS_SHOWN } from "./vocabulary.ts";
import { fileOf } from "./id.ts";

export const TEST_LIST = queryList([
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
]);

export const TESTS: RowList<TestItem> = {
  ...TEST_LIST,
  valuesOf: (test, field) => {
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
  },
  textOf: ({ name, text }) => fold(`${name}\n${text}`),
};

function present(value: Scalar | undefined): Scalar[] {
  return value === undefined || value === null || value === "" ? [] : [value];
}
