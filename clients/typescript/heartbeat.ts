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
  let interval: ReturnType<typeof setInterval> | undefined;

  function start(): void {
    recorder.beat(timeoutMs);
    interval = setInterval(() => recorder.beat(), intervalMs);
    // In Node a timer keeps the program running; this one must not. In browsers it is a number.
    if (typeof interval === "object") interval.unref();
  }
  function halt(): void {
    if (interval === undefined) return;
    clearInterval(interval);
    interval = undefined;
    recorder.pause();
  }

  start();
  return {
    pause: halt,
    resume() {
      if (interval === undefined && !recorder.hasEnded) {
        recorder.resume();
        start();
      }
    },
    stop() {
      halt();
      onStop();
    },
    [Symbol.dispose]() {
      this.stop();
    },
  };
}
