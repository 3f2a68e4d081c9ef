/**
 * One test of a test run, as an event reports it: that it starts, or its result (clients/README.md, "Tests"). A test has the same
 * `id` in every run and on every machine.
 */
import * as v from "valibot";
import { MAX_ATTEMPT, MAX_TEST_ID_PARTS, MAX_TEST_PART_LENGTH } from "./limits.ts";
import { MAX_NAME_LENGTH } from "../limits.ts";
import { TEST_KINDS, TEST_PHASES, TEST_RESULTS } from "./vocabulary.ts";

const text = v.string();

export const TestFact = v.object({
  /** The path: project if there are several, file, suites or classes, name, parameters. */
  id: v.pipe(
    v.array(v.pipe(v.string(), v.maxLength(MAX_TEST_PART_LENGTH))),
    v.minLength(1),
    v.maxLength(MAX_TEST_ID_PARTS),
  ),
  /** The part of `id` that is the file (in Go the package). Default 0. */
  file: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_TEST_ID_PARTS))),
  /** Absent: the test starts. */
  result: v.optional(v.picklist(TEST_RESULTS)),
  /** Default 1. */
  attempt: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_ATTEMPT))),
  duration_ms: v.optional(v.pipe(v.number(), v.finite(), v.minValue(0))),
  /** The process or thread of the runner that ran it. */
  worker: v.optional(v.pipe(v.string(), v.maxLength(MAX_NAME_LENGTH))),
  /** Where it failed or was skipped. Default: call. */
  phase: v.optional(v.picklist(TEST_PHASES)),
  /** Of a skip, or of an expected failure. */
  reason: v.optional(text),
  /** What it printed, if it did not pass: the end of it. */
  output: v.optional(text),
  /** What was expected and what was there, as texts that are compared by lines; or a text that is a comparison. */
  diff: v.optional(
    v.object({ expected: v.optional(text), actual: v.optional(text), text: v.optional(text) }),
  ),
  /** Default: test. suite: a file, or a hook of a suite, that failed as such. */
  kind: v.optional(v.picklist(TEST_KINDS)),
});

export type TestFact = v.InferOutput<typeof TestFact>;
