/** The values of the fields of tests. */

export const TEST_RESULTS = [
  "passed",
  "failed",
  "error",
  "skipped",
  "expected_failure",
  "unexpected_pass",
] as const;
export type TestResult = (typeof TEST_RESULTS)[number];

export const TEST_PHASES = ["collect", "setup", "call", "teardown"] as const;
export type TestPhase = (typeof TEST_PHASES)[number];

export const TEST_KINDS = ["test", "subtest", "benchmark", "suite", "typecheck"] as const;
export type TestKind = (typeof TEST_KINDS)[number];

/** What a list shows for a test: its result, or that it passed only after a failure, or that it has no result yet. */
export const TESTS_SHOWN = [
  "failed",
  "error",
  "flaky",
  "running",
  "skipped",
  "expected_failure",
  "unexpected_pass",
  "passed",
] as const;
export type TestShown = (typeof TESTS_SHOWN)[number];

export const TEST_LABELS: Record<TestShown, string> = {
  failed: "Failed",
  error: "Error",
  flaky: "Flaky",
  running: "Running",
  skipped: "Skipped",
  expected_failure: "Failed as expected",
  unexpected_pass: "Passed unexpectedly",
  passed: "Passed",
};
