/**
 * When a program that sends heartbeats counts as hung: pure functions of its heartbeats and the time. Never before the first
 * heartbeat, never while paused. Time is the daemon's monotonic clock, so a wrong clock or a sleeping machine makes no hang.
 *
 * The server's `src/core/status/status.ts` decides the verdict. It counts a session as hung because of the `hang` op recorded here, or, for
 * a session without a daemon, by the times of the program's own ops. Both allow the same time (`heartbeatLimitMs`).
 */
import { heartbeatLimitMs } from "../../src/core/status/heartbeat.ts";
import { BUSY_PERCENT, DEFAULT_HEARTBEAT_TIMEOUT_MS } from "../../src/core/limits.ts";
import type { Op } from "../../src/core/wire.ts";
import type { ProcessInfo } from "./process-info.ts";

export type Heartbeats = {
  /** The last one, by the program's clock. */
  lastAt: number;
  /** When the daemon read it, by its monotonic clock. */
  readAt: number;
  timeoutMs: number;
  isPaused: boolean;
  isHung: boolean;
};

/** The heartbeats after an op of the program, and the recovery from a hang, if the op shows one. */
export function afterOp(
  before: Heartbeats | undefined,
  op: Op,
  monotonic: number,
): { heartbeats: Heartbeats | undefined; recovered?: Op } {
  if (op.op === "heartbeat") {
    const timeoutMs = op.timeout_ms ?? before?.timeoutMs ?? DEFAULT_HEARTBEAT_TIMEOUT_MS;
    const heartbeats = {
      lastAt: op.at,
      readAt: monotonic,
      timeoutMs,
      isPaused: false,
      isHung: false,
    };
    if (!before?.isHung) return { heartbeats };
    const duration_ms = Math.max(0, op.at - before.lastAt);
    return { heartbeats, recovered: { op: "recovered", at: op.at, duration_ms } };
  }
  if (!before) return { heartbeats: before };
  if (op.op === "pause") return { heartbeats: { ...before, isPaused: true } };
  // The time starts again, but only a heartbeat proves a recovery.
  if (op.op === "resume") return { heartbeats: { ...before, isPaused: false, readAt: monotonic } };
  return { heartbeats: before };
}

/** The hang that begins now, if one does. */
export function hangOf(
  heartbeats: Heartbeats,
  now: number,
  monotonic: number,
  activity: Activity | undefined,
): Op | undefined {
  const { lastAt, readAt, timeoutMs, isPaused, isHung } = heartbeats;
  if (isPaused || isHung || monotonic - readAt <= heartbeatLimitMs(timeoutMs)) return undefined;
  return {
    op: "hang",
    at: Math.max(now, lastAt),
    last_heartbeat_at: lastAt,
    process_state: activity?.state,
    cpu_percent: activity && Math.round(activity.cpuPercent * 10) / 10,
  };
}

type Activity = { state: "blocked" | "spinning" | "stopped"; cpuPercent: number };

/** What a process did between two samples. */
export function activityOf(
  before: ProcessInfo,
  after: ProcessInfo,
  elapsedMs: number,
): Activity | undefined {
  if (after.state === "ended" || elapsedMs <= 0) return undefined;
  const cpuPercent = ((after.cpuMs - before.cpuMs) / elapsedMs) * 100;
  if (after.state === "stopped") return { state: "stopped", cpuPercent };
  // On an overloaded machine a busy program may get little CPU time, but then it is always ready to run.
  const isReady = before.state === "running" && after.state === "running";
  return { state: isReady || cpuPercent >= BUSY_PERCENT ? "spinning" : "blocked", cpuPercent };
}
