import { expect, test } from "vitest";
import { signalMeaning } from "../../src/core/signals.ts";

test("a known signal is named with its meaning, an unknown one by its name alone", () => {
  expect(signalMeaning("SIGSEGV")).toBe(
    "Signal SIGSEGV: it accessed memory that does not belong to it",
  );
  expect(signalMeaning("SIGRTMIN")).toBe("Signal SIGRTMIN");
  expect(signalMeaning("toString")).toBe("Signal toString");
});

test("every signal that ends a program has a meaning", () => {
  const signals = ["KILL", "SEGV", "ABRT", "BUS", "FPE", "ILL", "TRAP", "SYS", "PIPE"];
  const others = ["XCPU", "XFSZ", "TERM", "INT", "HUP", "QUIT"];
  for (const name of [...signals, ...others])
    expect(signalMeaning(`SIG${name}`)).toMatch(/^Signal SIG[A-Z]+: [\w ,;-]{15,}$/);
});
