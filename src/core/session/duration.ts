/** How long a session ran and how long its status has lasted: one definition for pages, lists, the command and the API. */
import type { Status } from "../vocabulary.ts";

/** A session as a summary or a list has it. Times are of the session's clock, but `received_at` and each `now` are of the server's. */
export type Timed = {
  status: Status;
  /** When the status began. */
  status_since: number;
  created_at: number;
  /** The time of the newest op. */
  updated_at: number;
  /** When the server received that op. */
  received_at: number;
  ended_at: number | null;
};

/** The program exists, so its durations are still counting. Without contact that is not known. */
export function isOngoing(status: Status): boolean {
  return status === "active" || status === "hung";
}

/**
 * The session's clock now: the time of its newest op, and what has passed since the server received that. A sender's clock that differs
 * from the server's, or that was set, does not change it.
 */
function clockNow({ updated_at, received_at }: Timed, now: number): number {
  return updated_at + Math.max(0, now - received_at);
}

/** The session's last moment: its end, or now while it goes on. Without contact, the moment at which the contact counted as lost. */
export function lastMomentOf(session: Timed, now: number): number {
  const { status, status_since, created_at, updated_at, ended_at } = session;
  if (ended_at !== null) return Math.max(created_at, ended_at);
  const current = clockNow(session, now);
  if (isOngoing(status)) return Math.max(created_at, current);
  return Math.max(created_at, updated_at, Math.min(status_since, current));
}

/** How long it ran: until its end, until now while it goes on, else until its newest op. Never negative. */
export function ranMs(session: Timed, now: number): number {
  const { status, created_at, updated_at } = session;
  const until = status === "suspended" ? updated_at : lastMomentOf(session, now);
  return Math.max(0, until - created_at);
}

/** How long the current status has lasted. Never negative. */
export function statusMs(session: Timed, now: number): number {
  return Math.max(0, clockNow(session, now) - session.status_since);
}
