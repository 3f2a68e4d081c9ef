/// <reference lib="esnext.disposable" preserve="true" />
// The line above goes into the compiled types, for programs whose own `lib` lacks Symbol.dispose.

/** Measures how long something takes, and how many iterations it makes. */
export class Timer {
  /** Iterations within the measured time; undefined if `lap` was not called. */
  count: number | undefined;
  /** Undefined once the time is recorded. */
  #record: ((seconds: number, count: number | undefined) => void) | undefined;
  readonly #startedAt = performance.now();

  constructor(record: (seconds: number, count: number | undefined) => void) {
    this.#record = record;
  }

  /** Counts one iteration. */
  lap(): void {
    this.count = (this.count ?? 0) + 1;
  }

  /** Records the time, once. @returns The seconds since the start. */
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
