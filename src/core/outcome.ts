/** How a session stands or ended, as far as its label and its colour depend on it. */
import { type Status, STATUS_LABELS } from "./vocabulary.ts";

export type Outcome = { status: Status; exit_code: number | null; signal: string | null };

/** Whether the session ended with an exit code other than 0, or by a signal. */
export function hasFailed({ status, exit_code, signal }: Outcome): boolean {
  return status === "ended" && (signal !== null || (exit_code ?? 0) !== 0);
}

/** The label that people read: that of the status, or "Failed". */
export function labelOf(outcome: Outcome): string {
  return hasFailed(outcome) ? "Failed" : STATUS_LABELS[outcome.status];
}
