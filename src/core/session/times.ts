/**
 * Bounds the times of ops on arrival. Clocks of senders may be wrong, and may be set: an op with a time in the future would count as
 * newer than a crash, and would exempt its session from retention for years.
 */
import { CLOCK_TOLERANCE_MS, MAX_CLOCK_AHEAD_MS, MAX_TIME } from "../limits.ts";
import type { Op, Points } from "../wire.ts";

export type Arrival = {
  /** The server's clock. */
  now: number;
  /** The sender's clock when it sent; null if the request did not give it. */
  sentAt: number | null;
};

/** Whether the sender's clock shows an impossible time: then the request counts as one that does not give it. */
export function isSentAtWrong({ now, sentAt }: Arrival): boolean {
  return sentAt !== null && sentAt > now + MAX_CLOCK_AHEAD_MS;
}

/** How many ops have another time now than before `boundTimes`, because theirs was later than `latest` by more than a clock's tolerance. */
export function countBounded(before: Op[], after: Op[], latest: number): number {
  let count = 0;
  for (const [i, op] of before.entries())
    if (after[i] !== op && newestTime(op) > latest + CLOCK_TOLERANCE_MS) count++;
  return count;
}

/** How far the sender's clock is ahead of the server's; negative if it is behind. */
function skewOf({ now, sentAt }: Arrival): number {
  return (sentAt ?? now) - now;
}

/** The latest time at which an op of this request can have happened: now, by a clock that may be ahead by what is not corrected. */
export function latestTime(arrival: Arrival): number {
  return arrival.now + Math.min(Math.max(0, skewOf(arrival)), CLOCK_TOLERANCE_MS);
}

/** The ops in the same order, none later than `latest`. A later one gets the time of the op after it, or `latest`. */
export function boundTimes(ops: Op[], latest: number): Op[] {
  const bounded = [...ops];
  let bound = latest;
  for (let i = ops.length - 1; i >= 0; i--) {
    const op = ops[i] as Op; // within its length
    bounded[i] = boundOp(op, latest, bound);
    if (op.at <= latest) bound = op.at;
  }
  return bounded;
}

function boundOp(op: Op, latest: number, bound: number): Op {
  const at = op.at > latest ? bound : op.at;
  switch (op.op) {
    case "points":
      return boundPoints(op, latest, bound);
    case "hang": {
      const { last_heartbeat_at = 0 } = op;
      if (last_heartbeat_at > at) return { ...op, at, last_heartbeat_at: at };
      break;
    }
    case "recovered":
    case "slept":
      // Times start in 1970, so that a duration cannot start before.
      if ((op.duration_ms ?? 0) > at) return { ...op, at, duration_ms: at };
      break;
    case "dropped": {
      const { first_at = 0, last_at = 0 } = op;
      // They are by the program's clock, which may be ahead.
      if (Math.max(first_at, last_at) > at + MAX_CLOCK_AHEAD_MS)
        return { ...op, at, first_at: Math.min(first_at, at), last_at: Math.min(last_at, at) };
      break;
    }
    default:
  }
  return at === op.at ? op : { ...op, at };
}

/** Bounds each point's time, the sum of `at` and its `dt`. Sums after MAX_TIME are unchanged: addPoints refuses them. */
function boundPoints(op: Points, latest: number, bound: number): Points {
  const newest = newestTime(op);
  if (newest <= latest || newest > MAX_TIME) return op;

  const start = op.at > latest ? bound : op.at;
  let before = start;
  let { at } = op;
  const dt = op.dt.map((step) => {
    at += step;
    const bounded = at > latest ? bound : at;
    const change = bounded - before;
    before = bounded;
    return change;
  });
  return { ...op, at: start, dt };
}

/** The time of an op, or of the newest point in it. */
export function newestTime(op: Op): number {
  if (op.op !== "points") return op.at;
  let at = op.at;
  let newest = op.at;
  for (const step of op.dt) {
    at += step;
    if (at > newest) newest = at;
  }
  return newest;
}

/** The time of the oldest point, or of the op itself. Times before 1970 are refused later. */
export function oldestTime(op: Points): number {
  let { at } = op;
  let oldest = op.at;
  for (const step of op.dt) {
    at += step;
    if (at < oldest) oldest = at;
  }
  return oldest;
}
