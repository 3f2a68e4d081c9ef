/** Heartbeats from the event loop: they stop when the loop is blocked. */
import { heartbeatLimitMs } from "../../../src/core/status/heartbeat.ts";
import { CLOCK_TOLERANCE_MS } from "../../../src/core/limits.ts";
import { HEARTBEATS_PER_TIMEOUT, LONGEST_DELAY_MS, LONGEST_NAME, SCRIPTS_KEPT } from "../limits.ts";

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

/** Records where a hang that has ended was: scripts, each as a frame. */
type RecordBlock = (at: number, frames: string[]) => void;

/** Sends `HEARTBEATS_PER_TIMEOUT` heartbeats per `timeoutMs`, until the session ends or the monitor is stopped. */
export function startMonitor(
  session: MonitoredSession,
  timeoutMs: number,
  recordBlock: RecordBlock,
): HeartbeatMonitor {
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
    observer?.disconnect();
    setPaused(true);
  }

  const interval = setInterval(check, intervalMs);
  check();
  // A hidden page may be frozen before the next check.
  (globalThis as Page).addEventListener?.("visibilitychange", check);
  // In Node a timer keeps the program running; this one must not. In browsers it is a number.
  interval.unref?.();
  const observer = observeBlocks(timeoutMs, recordBlock);
  return {
    pause: () => setPaused(true),
    resume: () => setPaused(false),
    stop,
    [Symbol.dispose]: stop,
  };
}

/** Chromium reports which scripts made a frame long, once it has ended (Long Animation Frames API). */
function observeBlocks(timeoutMs: number, record: RecordBlock): PerformanceObserver | undefined {
  const type = "long-animation-frame";
  const Observer = globalThis.PerformanceObserver;
  if (!Observer?.supportedEntryTypes.includes(type)) return undefined;
  const observer = new Observer((list) => {
    for (const { duration, startTime, scripts } of list.getEntries() as LongFrame[])
      if (duration > heartbeatLimitMs(timeoutMs))
        // A time within the hang, by the clock of the heartbeats.
        record(
          Math.round(Date.now() - performance.now() + startTime + duration / 2),
          scripts
            .sort((a, b) => b.duration - a.duration)
            .slice(0, SCRIPTS_KEPT)
            .map(frameOf),
        );
  });
  observer.observe({ type });
  return observer;
}

/** The position in the script is a number of characters, which RFC 5147 writes like this. */
function frameOf({
  sourceFunctionName,
  invoker,
  sourceURL,
  sourceCharPosition,
}: LongScript): string {
  const name = (sourceFunctionName || invoker).slice(0, LONGEST_NAME);
  return `at ${name} (${sourceURL.slice(0, LONGEST_NAME)}#char=${sourceCharPosition})`;
}

type LongFrame = PerformanceEntry & { scripts: LongScript[] };

type LongScript = {
  duration: number;
  invoker: string;
  sourceURL: string;
  sourceFunctionName: string;
  sourceCharPosition: number;
};

/** Only browsers have a document; this file is for all. */
type Page = {
  document?: { hidden: boolean };
  addEventListener?(type: string, listener: () => void): void;
};
