import { expect, test } from "vitest";
import { causeText } from "../../../src/core/session/completeness.ts";

test.each([
  "disk_full",
  "read_only",
  "no_permission",
  "write_failed",
  "too_large",
  "queue_full",
  "unreadable",
])("%s, which clients count, has a label of its own", (cause) => {
  expect(causeText(cause)).not.toBe(cause);
});

test("a cause without a label is shown as it is", () => {
  expect(causeText("eaten \u001b[31mby a cat")).toBe("eaten by a cat");
});
