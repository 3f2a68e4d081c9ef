/** How long to wait after failures: doubling, with jitter so that many daemons do not retry at the same time. */
import { FIRST_RETRY_MS, MAX_RETRY_AFTER_MS, MAX_RETRY_MS } from "../limits.ts";

/** The wait after the n-th failure in a row, from half to all of the doubled time. `random` is in [0, 1). */
export function retryDelay(failures: number, random: number, retryAfterMs = 0): number {
  const full = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 16));
  const jittered = full / 2 + (full / 2) * random;
  return Math.max(jittered, Math.min(retryAfterMs, MAX_RETRY_AFTER_MS));
}

/** `Retry-After`: seconds, or a date. */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
