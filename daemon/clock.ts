/** The daemon's clocks, and how a sleep of the machine shows in them. */
import { uptime } from "node:os";
import { HELD_UP_MS, SLEPT_MS } from "./limits.ts";

export type Clock = {
  /** The time of day, which may be set. */
  now(): number;
  /** Never set; on Linux it stops while the machine sleeps. */
  monotonic(): number;
  /** Since the machine started, its sleep included. */
  uptime(): number;
};

export const systemClock: Clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  uptime: () => uptime() * 1000,
};

export type Reading = { now: number; monotonic: number; uptime: number };

export function read(clock: Clock): Reading {
  return { now: clock.now(), monotonic: clock.monotonic(), uptime: clock.uptime() };
}

/**
 * How long the machine slept between two readings, and how much longer than intended this process waited. The time of day is not
 * compared, so setting it is neither.
 */
export function gap(
  before: Reading,
  after: Reading,
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
