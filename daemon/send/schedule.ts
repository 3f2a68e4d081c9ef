/** When a lane's next batch is due: a pure question of what it holds and when that came. */
import { DAEMON_LEASE_MS } from "../../src/core/limits.ts";
import type { Lane } from "../lanes/lanes.ts";
import { FULL_BYTES, WATCHED_MS } from "../limits.ts";

/** The moment, or infinity for a lane with nothing to say. `lives`: its session has a program that may still speak. */
export function dueAt(lane: Lane, calmMs: number, lives: boolean): number {
  const earliest = lane.notBefore;
  if (lane.isOver && !lane.isRead) return earliest;
  if (lane.isPending) {
    if (lane.isUrgent || lane.unsentBytes >= FULL_BYTES) return earliest;
    const patience = lane.isWatched ? Math.min(WATCHED_MS, calmMs) : calmMs;
    return Math.max(earliest, (lane.pendingSince ?? 0) + patience);
  }
  return lives ? Math.max(earliest, keepaliveAt(lane)) : Number.POSITIVE_INFINITY;
}

/** A session whose daemon is silent for longer than its lease counts as suspended, so it is heard thrice in that time. */
export function keepaliveAt(lane: Lane): number {
  return lane.heardAt + DAEMON_LEASE_MS / 3;
}
