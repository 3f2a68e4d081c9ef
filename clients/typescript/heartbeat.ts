/** Heartbeats from the event loop: they stop exactly when nothing else of the program can run either. */
import type { Recorder } from "./recorder.ts";
import { BEATS_PER_TIMEOUT, LONGEST_DELAY_MS } from "./limits.ts";

export type HeartbeatMonitor = {
  /** No heartbeats until `resume`. */
  pause(): void;
  resume(): void;
  /** Ends the monitor; silence is then no hang (the session is told to expect none). */
  stop(): void;
  [Symbol.dispose](): void;
};

export function startMonitor(
  recorder: Recorder,
  timeoutMs: number,
  onStop: () => void,
): HeartbeatMonitor {
  const intervalMs = Math.min(Math.max(timeoutMs / BEATS_PER_TIMEOUT, 1), LONGEST_DELAY_MS);
  let isPaused = false;
  let isResting = false;

  function beat(): void {
    // Browsers slow down the timers of pages that nobody sees, and that is no hang.
    const isQuiet = isPaused || page.document?.hidden === true;
    if (!isQuiet) recorder.heartbeat(timeoutMs);
    else if (!isResting) recorder.pause();
    isResting = isQuiet;
  }
  function pause(): void {
    isPaused = true;
    beat();
  }

  beat();
  const interval = setInterval(beat, intervalMs);
  // In Node a timer keeps the program running; this one must not. In browsers it is a number.
  interval.unref?.();
  return {
    pause,
    resume() {
      isPaused = false;
      beat();
    },
    stop() {
      clearInterval(interval);
      pause();
      onStop();
    },
    [Symbol.dispose]() {
      this.stop();
    },
  };
}

/** Only browsers have one; this file is for all. */
const page = globalThis as { document?: { hidden: boolean } };
