/** When a lane's next batch is due: a pure function of what is unsent and since when. */
import { DAEMON_LEASE_MS } from "../../src/core/limits.ts";
import { FULL_BYTES, WATCHED_MS } from "../limits.ts";

/** Times are the monotonic clock's. */
export type Due = {
  /** After a failure the lane is not sent before this time. */
  notBefore: number;
  /** No record follows, but the server does not have the last one. */
  isUnfinished: boolean;
  /** There are bytes that the server has not acknowledged… */
  isPending: boolean;
  /** …since this time. */
  pendingSince: number | undefined;
  unsentBytes: number;
  /** They hold an op that is sent without waiting: a start, an end, an exception. */
  isUrgent: boolean;
  /** The session's page is open in a browser. */
  isWatched: boolean;
  /** A program may still write to the session, so the server must not count it as out of contact. */
  isLive: boolean;
  lastContactAt: number;
  /** When the last batch was acknowledged, or found to hold nothing that the server lacks. */
  lastBatchAt: number;
};

/** The time, or infinity for a lane with nothing to send. */
export function dueAt(lane: Due, batchMs: number): number {
  if (lane.isUnfinished) return lane.notBefore;
  if (lane.isPending) {
    if (lane.isUrgent || lane.unsentBytes >= FULL_BYTES) return lane.notBefore;
    return Math.max(lane.notBefore, gatheredAt(lane, batchMs));
  }
  if (!lane.isLive) return Number.POSITIVE_INFINITY;
  return Math.max(lane.notBefore, keepaliveAt(lane.lastContactAt));
}

/**
 * When ops no longer wait for others. A request is sent once per `batchMs` at most, so the first op after a rest does not wait that long:
 * its answer shows whether a page of the session has been opened meanwhile.
 */
function gatheredAt({ pendingSince = 0, isWatched, lastBatchAt }: Due, batchMs: number): number {
  const soon = pendingSince + Math.min(WATCHED_MS, batchMs);
  return isWatched ? soon : Math.max(soon, lastBatchAt + batchMs);
}

/** A session counts as out of contact after its lease, so the server is contacted three times within one. */
export function keepaliveAt(lastContactAt: number): number {
  return lastContactAt + DAEMON_LEASE_MS / 3;
}

type Candidate = { at: number; lastContactAt: number; isObservations: boolean };

/** The lanes of one request, in order; none unless one is due. Lanes that are due soon are included. */
export function inOrder<Lane extends Candidate>(
  lanes: Lane[],
  now: number,
  batchMs: number,
): Lane[] {
  if (!lanes.some(({ at }) => at <= now)) return [];
  return lanes
    .filter(({ at }) => at <= now + batchMs / 2)
    .toSorted(
      (a, b) =>
        // An observation (a crash) is later than the program's own ops, and is applied after them.
        Number(a.isObservations) - Number(b.isObservations) ||
        Number(a.at > now) - Number(b.at > now) ||
        // In turns: a lane that fills every request must not delay the others.
        a.lastContactAt - b.lastContactAt ||
        a.at - b.at,
    );
}
