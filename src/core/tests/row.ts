/**
 * The start or the end of a test in short, as a sealed segment has it beside its events: enough for lists, without texts that are
 * printed only for one test.
 */
import type { EventRow } from "../answers/events.ts";
import type { TestFact } from "./fact.ts";
import { failureText } from "./tally.ts";

export type TestRow = Pick<TestFact, "id" | "file" | "result" | "attempt" | "phase" | "kind"> & {
  seq: number;
  at: number;
  duration_ms?: number | undefined;
  worker?: string | undefined;
  /** The first line of the failure or the reason. */
  text?: string | undefined;
  /** Its event is of the category error. */
  isError?: true | undefined;
};

/** Undefined if the event is about no test. */
export function testRow(event: EventRow): TestRow | undefined {
  const { test, seq, at, category } = event;
  if (!test) return undefined;
  const { id, file, result, attempt, phase, kind, duration_ms, worker } = test;
  const text = result === undefined || result === "passed" ? "" : failureText(event, test);
  return {
    seq,
    at,
    id,
    file: file || undefined,
    result,
    attempt: attempt === 1 ? undefined : attempt,
    phase,
    kind,
    duration_ms,
    worker,
    text: text || undefined,
    isError: category === "error" || undefined,
  };
}
