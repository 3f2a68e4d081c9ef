/** How a session stands or ended, as far as its label and its colour depend on it. */
import type { Summary } from "../answers/summary.ts";
import { type Status, STATUS_LABELS } from "../vocabulary.ts";

/**
 * `failed_tests`: tests of a test run that did not pass. `uncaught`: how many exceptions ended the program, a thread or a callback
 * of it, since nothing caught them.
 */
export type Outcome = {
  status: Status;
  exit_code: number | null;
  signal: string | null;
  uncaught: number;
  failed_tests: number;
};

/** Whether the session ended with an exit code other than 0, by a signal, after an exception that nothing caught, or with tests that failed. */
export function hasFailed(outcome: Outcome): boolean {
  const { status, exit_code, signal, uncaught, failed_tests } = outcome;
  if (status !== "ended") return false;
  return signal !== null || (exit_code ?? 0) !== 0 || uncaught > 0 || failed_tests > 0;
}

export const FAILED_LABEL = "Failed";

/** The label that people read: that of the status, or "Failed". */
export function labelOf(outcome: Outcome): string {
  return hasFailed(outcome) ? FAILED_LABEL : STATUS_LABELS[outcome.status];
}

/** It runs, or ended without an error. */
export function isGood(summary: Summary): boolean {
  const { status } = summary.verdict;
  return status === "active" || (status === "ended" && !hasFailed(outcomeOf(summary)));
}

/** The session's outcome, for its label and colour. */
export function outcomeOf(summary: Summary): Outcome {
  const { verdict, exit_code, signal, uncaught, failed_tests } = summary;
  return { status: verdict.status, exit_code, signal, uncaught, failed_tests };
}
