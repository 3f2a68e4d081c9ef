/** A test run as its plugin records it: starts and ends of tests, as ops. */
import type { TestFact } from "../../src/core/tests/fact.ts";
import type { Event, JsonObject, Op } from "../../src/core/wire.ts";

/** As in world.ts, which only workerd can import: a Monday noon. */
export const NOON = Date.UTC(2026, 0, 5, 12);

/** What the plugin keeps in the state. */
export function runState(tests: JsonObject = {}, ci?: JsonObject): Op {
  const state = { tests: { runner: "pytest 8.4.0", ...tests }, ...(ci && { ci }) };
  return { op: "start", at: NOON, product: "shop", version: "0123456789ab", state };
}

export function testStarted(at: number, id: string[]): Op {
  return { op: "event", at, name: "test_started", test: { id } };
}

export function testEnded(at: number, test: TestFact, more: Partial<Event> = {}): Op {
  const isBad = test.result === "failed" || test.result === "error";
  return { op: "event", at, name: "test", category: isBad ? "error" : "info", test, ...more };
}

/** The nth of tests in files of 50: one in a hundred fails. */
export function nth(n: number): string[] {
  return [`tests/test_${Math.floor(n / 50)}.py`, `TestCase${n % 5}`, `test_${n}`];
}

/** Two ops for each test, a millisecond apart. */
export function manyTests(count: number, from = NOON + 1): Op[] {
  return Array.from({ length: count }, (_, n) => {
    const at = from + n * 2;
    const result = n % 100 === 99 ? "failed" : "passed";
    const message = result === "failed" ? { message: `assert ${n} == 0` } : {};
    return [
      testStarted(at, nth(n)),
      testEnded(at + 1, { id: nth(n), result, duration_ms: (n * 7) % 1_000 }, message),
    ];
  }).flat();
}
