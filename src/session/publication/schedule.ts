/**
 * When a session is published to the catalog, and when its object's alarm is due: pure functions of a small state and the time. The
 * object keeps the state and does what they return.
 *
 * A publication is either the session's row, or that and its detail rows (series, event counts, state values). Details are many rows,
 * so after them there is a pause in proportion to the rows written (PUBLISH_ROWS_PER_SECOND).
 *
 *   since the last publication              the row is due                the details are due
 *   nothing has changed                     never                         when their pause is over, if they were left out
 *   ops were applied                        PUBLISH_MS after the first    with the row, or when their pause is over
 *   … with a start, end, crash, hang,       at once                       the same
 *     or a new exception
 *   … and the session is over               as above                      with the row, whatever the pause
 *   the catalog did not answer              after a delay that doubles    with the row, whatever the pause
 *   the object woke up by its alarm         at once                       with the row
 *
 * The first publication also adds the session to the roster, before its row of the catalog, so that a rebuild of the catalog finds every
 * session that was ever in it.
 */
import {
  MAX_PUBLISH_DELAY_MS,
  PUBLISH_MS,
  PUBLISH_RETRY_MS,
  PUBLISH_ROWS_PER_SECOND,
} from "../../core/limits.ts";
import type { Observations } from "../../core/status/observations.ts";
import { nextChange } from "../../core/status/status.ts";

type Scope = "row" | "all";

/** The state of publications, in memory only: after an eviction everything is published, which writes only rows that differ. */
export type Schedule = {
  /** When the session's row is due; null: the catalog has all of it. */
  rowAt: number | null;
  /** When the pause of the details is over. */
  detailsAt: number;
  /** The last publication left the details out. */
  detailsWait: boolean;
  /** Publications that failed since one succeeded. */
  failures: number;
  /** The roster has the session. */
  isListed: boolean;
};

export const NEW_SCHEDULE: Schedule = {
  rowAt: null,
  detailsAt: 0,
  detailsWait: false,
  failures: 0,
  isListed: false,
};

export type Plan = { at: number; scope: Scope; addsToRoster: boolean };

type State = { schedule: Schedule; observations: Pick<Observations, "end" | "crash"> };

/** The next publication: its time, and what it contains then. Null if nothing is to be published. */
export function nextPublication({ schedule, observations }: State, now: number): Plan | null {
  const { rowAt, detailsAt, detailsWait, isListed } = schedule;
  const at = Math.min(rowAt ?? Infinity, detailsWait ? detailsAt : Infinity);
  if (at === Infinity) return null;
  const scope = isOver(observations) || detailsAt <= Math.max(at, now) ? "all" : "row";
  return { at, scope, addsToRoster: !isListed };
}

export function isOver({ end, crash }: State["observations"]): boolean {
  return end !== null || crash !== null;
}

/** The time to set the alarm to; null: leave it as it is. Setting it is a billed row, so an alarm that is set for an earlier time stays. */
export function nextAlarm(
  state: { alarmAt: number | null; schedule: Schedule; observations: Observations },
  now: number,
): number | null {
  const due = Math.min(
    nextChange(state.observations, now) ?? Infinity,
    nextPublication(state, now)?.at ?? Infinity,
  );
  if (due === Infinity || (state.alarmAt !== null && state.alarmAt <= due)) return null;
  return due;
}

/** After ops were applied. */
export function withChange(schedule: Schedule, isUrgent: boolean, now: number): Schedule {
  return { ...schedule, rowAt: isUrgent ? now : (schedule.rowAt ?? now + PUBLISH_MS) };
}

/** After a change of which the schedule has no record, such as one before the object woke up. */
export function withRowDue(schedule: Schedule, at: number): Schedule {
  return { ...schedule, rowAt: Math.min(schedule.rowAt ?? Infinity, at) };
}

/** When a publication starts: later changes need another one. */
export function withStarted(schedule: Schedule, scope: Scope): Schedule {
  return { ...schedule, rowAt: null, detailsWait: scope === "row" };
}

/** After a publication wrote this many rows. */
export function withSuccess(
  schedule: Schedule,
  { scope, rows, now }: { scope: Scope; rows: number; now: number },
): Schedule {
  const pause = Math.min(MAX_PUBLISH_DELAY_MS, Math.ceil((rows / PUBLISH_ROWS_PER_SECOND) * 1_000));
  const detailsAt = scope === "all" ? now + pause : schedule.detailsAt;
  return { ...schedule, failures: 0, isListed: true, detailsAt };
}

/** After the catalog did not answer. */
export function withFailure(schedule: Schedule, now: number): Schedule {
  const delay = Math.min(MAX_PUBLISH_DELAY_MS, PUBLISH_RETRY_MS * 2 ** schedule.failures);
  return {
    ...withRowDue(schedule, now + delay),
    // The next attempt publishes everything, so the details are not due before it.
    detailsAt: 0,
    detailsWait: false,
    failures: schedule.failures + 1,
  };
}
