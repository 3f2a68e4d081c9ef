import { expect, test } from "vitest";
import { hasFailed, labelOf } from "../../src/core/outcome.ts";

test.each([
  ["active", null, null, "Running"],
  ["suspended", null, null, "Lost contact"],
  ["hung", null, null, "Hung"],
  ["crashed", 1, "SIGKILL", "Crashed"],
  ["ended", null, null, "Ended"],
  ["ended", 0, null, "Ended"],
  ["ended", 1, null, "Failed"],
  ["ended", -1, null, "Failed"],
  ["ended", null, "SIGTERM", "Failed"],
  ["ended", 0, "SIGTERM", "Failed"],
] as const)("%s with exit code %j and signal %j: %s", (status, exit_code, signal, label) => {
  expect(labelOf({ status, exit_code, signal })).toBe(label);
  expect(hasFailed({ status, exit_code, signal })).toBe(label === "Failed");
});
