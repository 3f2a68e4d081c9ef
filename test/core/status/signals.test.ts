import { expect, test } from "vitest";
import {
  exitCodeMeaning,
  shellSignal,
  signalMeaning,
  signalName,
} from "../../../src/core/status/signals.ts";

test("a known signal is named with its meaning, an unknown one by its name alone", () => {
  expect(signalMeaning("SIGSEGV")).toBe(
    "Signal SIGSEGV: it accessed memory that does not belong to it",
  );
  expect(signalMeaning("SIGUSR1")).toBe("Signal SIGUSR1");
  expect(signalMeaning("toString")).toBe("Signal toString");
});

test("every signal that ends a program has a meaning", () => {
  const signals = ["KILL", "SEGV", "ABRT", "BUS", "FPE", "ILL", "TRAP", "SYS", "PIPE"];
  const others = ["XCPU", "XFSZ", "TERM", "INT", "HUP", "QUIT"];
  for (const name of [...signals, ...others])
    expect(signalMeaning(`SIG${name}`)).toMatch(/^Signal SIG[A-Z]+: [\w ,;-]{15,}$/);
});

test("a number is named where it means the same on every system, and real-time signals by their distance", () => {
  expect([1, 9, 11, 15].map(signalName)).toEqual(["SIGHUP", "SIGKILL", "SIGSEGV", "SIGTERM"]);
  expect([34, 37, 50, 63, 64].map(signalName)).toEqual([
    "SIGRTMIN",
    "SIGRTMIN+3",
    "SIGRTMAX-14",
    "SIGRTMAX-1",
    "SIGRTMAX",
  ]);
  expect([0, 7, 10, 32, 65].map(signalName)).toEqual(Array.from({ length: 5 }));
  expect(signalMeaning("SIGRTMIN+3")).toContain("a real-time signal");
});

test("an exit code is explained as shells use it", () => {
  expect([137, 139, 143, 128, 255, 1].map(shellSignal)).toEqual([
    "SIGKILL",
    "SIGSEGV",
    "SIGTERM",
    undefined,
    undefined,
    undefined,
  ]);
  expect(exitCodeMeaning(0)).toBe("Exit code 0, success");
  expect(exitCodeMeaning(3)).toBe("Exit code 3, failure");
  expect(exitCodeMeaning(137)).toContain("a child that SIGKILL ended");
  expect(exitCodeMeaning(127)).toContain("not found");
});
