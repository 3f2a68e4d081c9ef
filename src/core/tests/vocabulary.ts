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
