import { expect, test } from "vitest";
import { signalMeaning } from "../../src/core/signals.ts";

test("a known signal is named with its meaning, an unknown one by its name alone", () => {
  expect(signalMeaning("SIGSEGV")).toBe(
    "Signal SIGSEGV: it accessed memory that does not belong to it",
  );
  expect(signalMeaning("SIGRTMIN")).toBe("Signal SIGRTMIN");
  expect(signalMeaning("toString")).toBe("Signal toString");
});
