/** Heartbeats from the event loop: they stop exactly when nothing else of the program can run either. */
import { HEARTBEATS_PER_TIMEOUT, LONGEST_DELAY_MS } from "../limits.ts";

export type HeartbeatMonitor = {
  /** No heartbeats until `resume`. */
  pause(): void;
  resume(): void;
  /** Ends the monitor; silence is then no hang (the session is told to expect none). */
  stop(): void;
  [Symbol.dispose](): void;
};

/** The part of a session that the monitor uses. */
type MonitoredSession = {
  readonly hasEnded: boolean;
  heartbeat(timeoutMs?: number): void;
  pause(): void;
};

export function startMonitor(session: MonitoredSession, timeoutMs: number): HeartbeatMonitor {
  const intervalMs = Math.min(Math.max(timeoutMs / HEARTBEATS_PER_TIMEOUT, 1), LONGEST_DELAY_MS);
  let isPaused = false;
  let wasQuiet: boolean | undefined;

  function check(): void {
    // Browsers slow down the timers of hidden pages, and that is no hang.
    const isQuiet = isPaused || (globalThis as Page).document?.hidden;
    if (!isQuiet) session.heartbeat(timeoutMs);
    else if (!wasQuiet) session.pause();
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
type Page = { document?: { hidden: boolean } };
