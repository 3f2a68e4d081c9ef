/// <reference lib="esnext.disposable" preserve="true" />
// For programs whose own `lib` does not know Symbol.dispose: the line above goes into the compiled types.

/** Measures how long something takes, and how many times it was done meanwhile. */
export class Timer {
  /** Iterations within the measured time, if it was a loop. */
  count: number | undefined;
  /** Nothing once it has run. */
  #record: ((seconds: number, count: number | undefined) => void) | undefined;
  readonly #startedAt = performance.now();

  constructor(record: (seconds: number, count: number | undefined) => void) {
    this.#record = record;
  }

  /** One more iteration. */
  lap(): void {
    this.count = (this.count ?? 0) + 1;
  }

  /** Records the time, once; answers the seconds. */
  stop(): number {
    const seconds = (performance.now() - this.#startedAt) / 1_000;
    this.#record?.(seconds, this.count);
    this.#record = undefined;
    return seconds;
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}
