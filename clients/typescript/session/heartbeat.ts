/** Heartbeats from the event loop: they stop when the loop is blocked. */
import { CLOCK_TOLERANCE_MS } from "../../../src/core/limits.ts";
import { HEARTBEATS_PER_TIMEOUT, LONGEST_DELAY_MS } from "../limits.ts";

export type HeartbeatMonitor = {
  /** Stops the heartbeats until `resume`; the session does not count as hung meanwhile. */
  pause(): void;
  resume(): void;
  /** Ends the monitor. The session does not count as hung without heartbeats. */
  stop(): void;
  [Symbol.dispose](): void;
};

/** The part of a session that the monitor uses. */
type MonitoredSession = {
  readonly hasEnded: boolean;
  heartbeat(timeoutMs?: number): void;
  pause(): void;
  resume(): void;
};

/** Sends `HEARTBEATS_PER_TIMEOUT` heartbeats per `timeoutMs`, until the session ends or the monitor is stopped. */
export function startMonitor(session: MonitoredSession, timeoutMs: number): HeartbeatMonitor {
  const intervalMs = Math.min(Math.max(timeoutMs / HEARTBEATS_PER_TIMEOUT, 1), LONGEST_DELAY_MS);
  let isPaused = false;
  let wasQuiet: boolean | undefined;
  let clocksDiffer = Infinity;

  function check(): void {
    // Browsers slow down the timers of hidden pages, which must not count as a hang.
    const isQuiet = isPaused || (globalThis as Page).document?.hidden;
    // While the machine sleeps, the time of day goes on alone: no heartbeat could be sent, which must not count as a hang either.
    const before = clocksDiffer;
    clocksDiffer = Date.now() - performance.now();
    if (!isQuiet) {
      if (clocksDiffer - before > CLOCK_TOLERANCE_MS) session.resume();
      session.heartbeat(timeoutMs);
    } else if (!wasQuiet) session.pause();
    wasQuiet = isQuiet;
    if (session.hasEnded) clearInterval(interval);
  }
  function setPaused(value: boolean): void {
    isPaused = value;
    check();
  }
  function stop(): void {
    clearInterval(interval);
    setPaused(true);
  }

  const interval = setInterval(check, intervalMs);
  check();
  // A hidden page may be frozen before the next check.
  (globalThis as Page).addEventListener?.("visibilitychange", check);
  // In Node a timer keeps the program running; this one must not. In browsers it is a number.
  interval.unref?.();
  return {
    pause: () => setPaused(true),
    resume: () => setPaused(false),
    stop,
    [Symbol.dispose]: stop,
  };
}

/** Only browsers have a document; this file is for all. */
type Page = {
  document?: { hidden: boolean };
  addEventListener?(type: string, listener: () => void): void;
};
