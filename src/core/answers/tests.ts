import type { EventRow } from "./events.ts";
import type { Page } from "./page.ts";
import type { TestTotals } from "../tests/tally.ts";
import type { TestKind, TestPhase, TestShown } from "../tests/vocabulary.ts";

/** The tests of a session, counted. */
export type TestRun = TestTotals & {
  /** "pytest 8.4.0"; "" if its plugin did not record it. */
  runner: string;
  /** How many tests were to run; null if that is not known. */
  planned: number | null;
  not_run: number;
  /** How many run, or ran when the session ended. */
  running: number;
  /** In lists of runs: the keys of the tests that were flaky, as far as they are listed. */
  flaky_keys?: string[];
};

/** One test of a session, by its last attempt. */
export type TestItem = {
  /** The same in all runs. */
  key: string;
  id: string[];
  /** The part of `id` that is the file. */
  file: number;
  /** As its runner prints it. */
  name: string;
  kind: TestKind;
  result: TestShown;
  /** It failed, had an error, or passed where a strict runner expects a failure. */
  is_bad: boolean;
  attempts: number;
  /** Of all phases of the last attempt; null if it is not known. */
  duration_ms: number | null;
  started_at: number | null;
  /** Of the event that explains the result. */
  at: number;
  seq: number;
  /** The first line of the failure or the reason; "" if there is none. */
  text: string;
  phase?: TestPhase | undefined;
  worker: string;
  /** It started again after this result. */
  runs_again?: true;
};

/** A test with its events in their order: of each attempt its start, if it was recorded, and its end. */
export type TestAccount = { item: TestItem; events: EventRow[] };

/** `matching`: tests on all pages. `left_out`: rows of tests that are over the limit of a list. */
export type TestList = Page<TestItem> & { matching: number; left_out: number };

/** The first tests of each part of a run's report, and how many each has. */
export type TestReport = {
  [part in "failures" | "running" | "flaky" | "unexpected" | "skipped" | "slowest"]: {
    items: TestItem[];
    matching: number;
  };
} & {
  /** Of all failures, as many as one may ask about. */
  failing_keys: string[];
};

/** A part of the ids of tests, such as a file or a class, with the counts of the tests under it. */
export type TestSuite = {
  part: string;
  tests: number;
  failed: number;
  skipped: number;
  flaky: number;
  running: number;
  /** Sum of the tests' durations. */
  duration_ms: number;
  /** Tests are below it. */
  has_more: boolean;
  /** Of the test that ends with this part; null if there is none. */
  key: string | null;
};
