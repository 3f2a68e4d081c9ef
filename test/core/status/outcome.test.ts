import { expect, test } from "vitest";
import { hasFailed, labelOf } from "../../../src/core/status/outcome.ts";

test.each([
  ["active", null, null, 0, 0, "Running"],
  ["active", null, null, 2, 0, "Running"],
  ["suspended", null, null, 0, 0, "Lost contact"],
  ["hung", null, null, 0, 0, "Hung"],
  ["crashed", 1, "SIGKILL", 1, 0, "Crashed"],
  ["ended", null, null, 0, 0, "Ended"],
  ["ended", 0, null, 0, 0, "Ended"],
  ["ended", 1, null, 0, 0, "Failed"],
  ["ended", -1, null, 0, 0, "Failed"],
  ["ended", null, "SIGTERM", 0, 0, "Failed"],
  ["ended", 0, "SIGTERM", 0, 0, "Failed"],
  ["ended", null, null, 2, 0, "Failed"],
  ["ended", 0, null, 1, 0, "Failed"],
  ["ended", 0, null, 0, 3, "Failed"],
  ["ended", null, null, 0, 1, "Failed"],
  ["active", null, null, 0, 3, "Running"],
] as const)(
  "%s with exit code %j, signal %j and %i uncaught exceptions, %i failed tests: %s",
  (status, exit_code, signal, uncaught, failed_tests, label) => {
    const outcome = { status, exit_code, signal, uncaught, failed_tests };
    expect(labelOf(outcome)).toBe(label);
    expect(hasFailed(outcome)).toBe(label === "Failed");
  },
);
