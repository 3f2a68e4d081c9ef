/** Tests by their results, as a runner counts them. */
import type { TestFact } from "../../encode/test-fact.ts";

export type TestCounts = {
  passed: number;
  failed: number;
  /** Suites, files and hooks that failed as such, and errors outside of all tests. */
  errors: number;
  skipped: number;
  expected_failures: number;
  unexpected_passes: number;
};

export function noCounts(): TestCounts {
  return {
    passed: 0,
    failed: 0,
    errors: 0,
    skipped: 0,
    expected_failures: 0,
    unexpected_passes: 0,
  };
}

/** Counts one test. Without a result it has not ended, and is not counted. */
export function countResult(counts: TestCounts, result: TestFact["result"]): void {
  if (result === "error") counts.errors++;
  else if (result === "expected_failure") counts.expected_failures++;
  else if (result === "unexpected_pass") counts.unexpected_passes++;
  else if (result !== undefined) counts[result]++;
}
