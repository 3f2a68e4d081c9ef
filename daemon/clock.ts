/** The daemon's clocks, and what their moving apart means. */
import { uptime } from "node:os";
import { HELD_UP_MS, SLEPT_MS } from "./limits.ts";

export type Clock = {
  /** The time of day: may jump. */
  now(): number;
  /** Never jumps; on Linux it stands still while the machine sleeps. */
  monotonic(): number;
  /** Since the machine started, its sleep included. */
  uptime(): number;
};

export const systemClock: Clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  uptime: () => uptime() * 1000,
};

export type Look = { now: number; monotonic: number; uptime: number };

export function look(clock: Clock): Look {
  return { now: clock.now(), monotonic: clock.monotonic(), uptime: clock.uptime() };
}

/**
 * How long the machine slept between two looks, and how long this process was held up beyond what it meant to wait. A wall clock
 * that was set is neither: it is not looked at, except where the machine's uptime stands still in its sleep as well.
 */
export function gap(
  before: Look,
  after: Look,
  waitMs: number,
): { sleptMs: number; heldUpMs: number } {
  const monotonic = after.monotonic - before.monotonic;
  const asleep = after.uptime - before.uptime - monotonic;
  const late = Math.max(monotonic, after.uptime - before.uptime) - waitMs;
  return {
    sleptMs: asleep > SLEPT_MS ? asleep : 0,
    heldUpMs: late > HELD_UP_MS ? late : 0,
  };
}
