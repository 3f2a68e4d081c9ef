/**
 * When a session is published to the catalog, and when its object's alarm is due: pure functions of a small state and the time. The
 * object keeps the state and does what they return.
 *
 * A publication is either the session's row, or that and its lists (series, event counts, exceptions, state values), by which it is
 * found. The lists are two rows more, and each of these takes a millisecond to write, so after them there is a pause of POSTING_MS.
 *
 *   since the last publication              the row is due                the lists are due
 *   nothing has changed                     never                         when their pause is over, if they were left out
 *   ops were applied                        PUBLISH_MS after the first    with the row, or when their pause is over
 *   … with a start, end, crash, hang,       at once                       with the row
 *     or a new exception
 *   … and the session is over               as above                      with the row
 *   the catalog did not answer              after a delay that doubles    with the row
 *   the object woke up by its alarm         at once                       with the row
 *
 * When the row has changed in something by which sessions are found, such as the status, the publisher publishes the lists as well (publisher.ts).
 *
 * The first publication also adds the session to the roster, before its row of the catalog, so that a rebuild of the catalog finds every
 * session that was ever in it.
 */
import {
  MAX_PUBLISH_DELAY_MS,
  POSTING_MS,
  PUBLISH_MS,
  PUBLISH_RETRY_MS,
} from "../../core/limits.ts";
import type { Observations } from "../../core/status/observations.ts";
import { nextChange } from "../../core/status/status.ts";

type Scope = "row" | "all";

/** The state of publications, in memory only: after an eviction everything is published, which writes only rows that differ. */
export type Schedule = {
  /** When the session's row is due; null: the catalog has all of it. */
  rowAt: number | null;
  /** When the pause of the lists is over. */
  listsAt: number;
  /** The last publication left the lists out. */
  listsWait: boolean;
  /** Publications that failed since one succeeded. */
  failures: number;
  /** The roster has the session. */
  isListed: boolean;
};

export const NEW_SCHEDULE: Schedule = {
  rowAt: null,
  listsAt: 0,
  listsWait: false,
  failures: 0,
  isListed: false,
};

export type Plan = { at: number; scope: Scope; addsToRoster: boolean };

type State = { schedule: Schedule; observations: Pick<Observations, "end" | "crash"> };

/** The next publication: its time, and what it contains then. Null if nothing is to be published. */
export function nextPublication({ schedule, observations }: State, now: number): Plan | null {
  const { rowAt, listsAt, listsWait, isListed } = schedule;
  const at = Math.min(rowAt ?? Infinity, listsWait ? listsAt : Infinity);
  if (at === Infinity) return null;
  const scope = isOver(observations) || listsAt <= Math.max(at, now) ? "all" : "row";
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
  if (isUrgent) return { ...schedule, rowAt: now, listsAt: 0 };
  return { ...schedule, rowAt: schedule.rowAt ?? now + PUBLISH_MS };
}

/** After a change of which the schedule has no record, such as one before the object woke up. */
export function withRowDue(schedule: Schedule, at: number): Schedule {
  return { ...schedule, rowAt: Math.min(schedule.rowAt ?? Infinity, at) };
}

/** When a publication starts: later changes need another one. */
export function withStarted(schedule: Schedule, scope: Scope): Schedule {
  return { ...schedule, rowAt: null, listsWait: scope === "row" };
}

/** After a publication was written. */
export function withSuccess(
  schedule: Schedule,
  { scope, now }: { scope: Scope; now: number },
): Schedule {
  const listsAt = scope === "all" ? now + POSTING_MS : schedule.listsAt;
  return { ...schedule, failures: 0, isListed: true, listsAt };
}

/** After the catalog did not answer. */
export function withFailure(schedule: Schedule, now: number): Schedule {
  const delay = Math.min(MAX_PUBLISH_DELAY_MS, PUBLISH_RETRY_MS * 2 ** schedule.failures);
  return {
    ...withRowDue(schedule, now + delay),
    // The next attempt publishes everything, so the lists are not due before it.
    listsAt: 0,
    listsWait: false,
    failures: schedule.failures + 1,
  };
}
