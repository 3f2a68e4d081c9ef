/**
 * When a program that beats counts as hung. Nothing before its first heartbeat; never while paused; and by the time that the daemon
 * itself saw pass, so neither a wrong clock nor a sleeping machine makes a hang.
 */
import { DEFAULT_HEARTBEAT_TIMEOUT_MS, HEARTBEAT_GRACE_MS } from "../../src/core/limits.ts";
import type { Op } from "../../src/core/wire.ts";
import { SPINNING_PERCENT } from "../limits.ts";
import type { ProcessInfo } from "./processes.ts";

export type Pulse = {
  /** By the program's clock. */
  lastAt: number;
  /** When the daemon saw it, by its monotonic clock. */
  seen: number;
  timeoutMs: number;
  isPaused: boolean;
  isHung: boolean;
};

/** Takes in what the program said. Answers with the recovery from a hang, if that is one. */
export function beat(
  pulse: Pulse | undefined,
  op: Op,
  monotonic: number,
): { pulse: Pulse | undefined; recovered?: Op } {
  if (op.op === "heartbeat") {
    const timeoutMs = op.timeout_ms ?? pulse?.timeoutMs ?? DEFAULT_HEARTBEAT_TIMEOUT_MS;
    const next = { lastAt: op.at, seen: monotonic, timeoutMs, isPaused: false, isHung: false };
    if (!pulse?.isHung) return { pulse: next };
    const duration_ms = Math.max(0, op.at - pulse.lastAt);
    return { pulse: next, recovered: { op: "recovered", at: op.at, duration_ms } };
  }
  if (!pulse) return { pulse };
  if (op.op === "pause") return { pulse: { ...pulse, isPaused: true } };
  // The clock starts again, but only a heartbeat proves a recovery.
  if (op.op === "resume") return { pulse: { ...pulse, isPaused: false, seen: monotonic } };
  return { pulse };
}

/** The hang that has just become one, if so. */
export function missed(
  pulse: Pulse | undefined,
  now: number,
  monotonic: number,
  activity: Activity | undefined,
): Op | undefined {
  if (!pulse || pulse.isPaused || pulse.isHung) return undefined;
  if (monotonic - pulse.seen <= pulse.timeoutMs + HEARTBEAT_GRACE_MS) return undefined;
  return {
    op: "hang",
    at: Math.max(now, pulse.lastAt),
    last_heartbeat_at: pulse.lastAt,
    ...(activity && {
      process_state: activity.state,
      cpu_percent: Math.round(activity.cpuPercent * 10) / 10,
    }),
  };
}

export type Activity = { state: "blocked" | "spinning" | "stopped"; cpuPercent: number };

/** What a process did between two looks at it. */
export function activity(
  before: ProcessInfo,
  after: ProcessInfo,
  elapsedMs: number,
): Activity | undefined {
  if (after.state === "dead" || elapsedMs <= 0) return undefined;
  const cpuPercent = ((after.cpuMs - before.cpuMs) / elapsedMs) * 100;
  if (after.state === "stopped") return { state: "stopped", cpuPercent };
  // On a machine with too much to do, a busy program may get little; but then it is always ready to run.
  const isReady = before.state === "running" && after.state === "running";
  return { state: isReady || cpuPercent >= SPINNING_PERCENT ? "spinning" : "blocked", cpuPercent };
}
