/** One test of a test run, as an event reports it. */
import { MAX_TEST_ID_PARTS, MAX_TEST_PART_LENGTH } from "../../../src/core/tests/limits.ts";
import type { TestKind, TestPhase, TestResult } from "../../../src/core/tests/vocabulary.ts";
import type { Json } from "../../../src/core/wire.ts";
import { redactor } from "./redactor.ts";

/**
 * A test's start or its result, as plugins of test runners record it (clients/README.md, "Tests"). Keys are written in this order
 * if they are passed in it.
 */
export type TestFact = {
  /** The path of the test: project if there are several, file, suites or classes, name, parameters. The same in every run, on every machine. */
  id: readonly string[];
  /** The part of `id` that is the file. Default 0. */
  file?: number | undefined;
  /** Absent: the test starts. */
  result?: TestResult | undefined;
  /** From 1, the default. */
  attempt?: number | undefined;
  duration_ms?: number | undefined;
  /** The process or thread of the runner that ran it. */
  worker?: string | undefined;
  /** Where it failed or was skipped. Default: call. */
  phase?: TestPhase | undefined;
  /** Of a skip, or of an expected failure. */
  reason?: string | undefined;
  /** What it printed, if it did not pass: the last 16 KiB. */
  output?: string | undefined;
  /** What was expected and what was there, each up to 8 KiB; or a text that is a comparison. */
  diff?:
    | { expected?: string | undefined; actual?: string | undefined; text?: string | undefined }
    | undefined;
  /** Default: test. suite: a file, or a hook of a suite, that failed as such. */
  kind?: TestKind | undefined;
};

/** With its secrets redacted, and its id within the limits. The parts of the id are texts, of which none names the next one. */
export function testFact(test: TestFact | undefined): TestFact | undefined {
  if (!test) return test;
  const id = test.id.slice(0, MAX_TEST_ID_PARTS);
  const own = id.map((part) => redactor.text(part).slice(0, MAX_TEST_PART_LENGTH));
  const plain: object = test;
  return { ...redactor.value(plain as { [key: string]: Json }), id: own }; // as: texts and numbers
}
