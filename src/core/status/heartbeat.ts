/** Heartbeats. A module of its own, because the daemon needs it, and `observations.ts` would add 5 MB to its memory. */
import { HEARTBEAT_GRACE_MS } from "../limits.ts";

/** How long a program may send no heartbeat before it counts as hung: for the verdict (status.ts) and the daemon's `hang` op alike. */
export function heartbeatLimitMs(timeoutMs: number): number {
  return timeoutMs + HEARTBEAT_GRACE_MS;
}
