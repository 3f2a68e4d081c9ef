/** How a command's memory grew before its end, from the samples of its last seconds. */
import { MEMORY_GROWTH, MEMORY_GROWTH_BYTES, MEMORY_TREND_MS } from "../limits.ts";

/** As in a `crash` op. */
export type Growth = { memory_from: number; memory_to: number; memory_ms: number };

export class MemoryTrend {
  #samples: { at: number; bytes: number }[] = [];

  add(at: number, bytes: number): void {
    this.#samples.push({ at, bytes });
    while ((this.#samples[0]?.at ?? at) < at - MEMORY_TREND_MS) this.#samples.shift();
  }

  /** From the least to the last sample, if that is a growth that a limit of memory may have ended. */
  get growth(): Growth | undefined {
    const last = this.#samples.at(-1);
    if (!last) return undefined;
    const least = this.#samples.reduce((low, one) => (one.bytes <= low.bytes ? one : low));
    const grew = last.bytes - least.bytes;
    if (grew < MEMORY_GROWTH_BYTES || last.bytes < least.bytes * MEMORY_GROWTH) return undefined;
    return { memory_from: least.bytes, memory_to: last.bytes, memory_ms: last.at - least.at };
  }
}
