/** How fast and how much is sent after each answer: pure functions from the pace before to the pace after. */
import {
  FAILURES_BEFORE_SMALLER,
  FIRST_REQUEST_BYTES,
  MAX_NARROWED_RECORDS,
  MAX_REQUEST_BYTES,
  MIN_REQUEST_BYTES,
} from "../limits.ts";
import { retryDelay } from "./retry.ts";

/** One server. Times are the monotonic clock's. */
export type ServerPace = {
  /** Failures in a row. */
  failures: number;
  notBefore: number;
  requestBytes: number;
  /** Whether it answered the last request; undefined before the first. */
  isReachable: boolean | undefined;
};

export const NEW_SERVER: ServerPace = {
  failures: 0,
  notBefore: 0,
  requestBytes: FIRST_REQUEST_BYTES,
  isReachable: undefined,
};

/** `sentBytes`: a request that filled at least half of what was allowed shows that more would be taken. */
export function afterAccepted(
  pace: ServerPace,
  sentBytes: number,
  now: number,
  slowDownMs = 0,
): ServerPace {
  const isFull = sentBytes >= pace.requestBytes / 2;
  return {
    failures: 0,
    notBefore: now + slowDownMs,
    requestBytes: isFull ? Math.min(pace.requestBytes * 2, MAX_REQUEST_BYTES) : pace.requestBytes,
    isReachable: true,
  };
}

export function afterUnreachable(pace: ServerPace, now: number, random: number): ServerPace {
  return { ...delayed(pace, now, random), isReachable: false };
}

/** An answer other than 200. A server that fails repeatedly may be out of CPU time, so its requests get smaller. */
export function afterRefused(
  pace: ServerPace,
  now: number,
  random: number,
  retryAfterMs = 0,
): ServerPace {
  const next = { ...delayed(pace, now, random, retryAfterMs), isReachable: true };
  return next.failures >= FAILURES_BEFORE_SMALLER ? smaller(next, 2) : next;
}

/** 413 for a request of several batches, or one that can still get smaller. A single batch is sent again at once. */
export function afterTooLarge(
  pace: ServerPace,
  batches: number,
  now: number,
  random: number,
): ServerPace {
  const next = { ...smaller(pace, 4), isReachable: true };
  return batches > 1 ? delayed(next, now, random) : next;
}

/** The server refused the body of a request of several batches: the smallest requests show which batch it is. */
export function afterBadBody(pace: ServerPace, now: number, random: number): ServerPace {
  return { ...delayed(pace, now, random), isReachable: true, requestBytes: MIN_REQUEST_BYTES };
}

export function delayed(
  pace: ServerPace,
  now: number,
  random: number,
  retryAfterMs = 0,
): ServerPace {
  const failures = pace.failures + 1;
  return { ...pace, failures, notBefore: now + retryDelay(failures, random, retryAfterMs) };
}

function smaller(pace: ServerPace, divisor: number): ServerPace {
  const requestBytes = Math.max(MIN_REQUEST_BYTES, Math.floor(pace.requestBytes / divisor));
  return { ...pace, requestBytes };
}

/** Records of a lane's next batch after one of `records` was refused: half, until the refused record is alone. */
export function narrowed(records: number): number {
  return Math.ceil(records / 2);
}

/** Records of a lane's next batch after a narrowed one was accepted. */
export function widened(maxRecords: number): number {
  return maxRecords < MAX_NARROWED_RECORDS ? maxRecords * 2 : Number.POSITIVE_INFINITY;
}
