/** What a process did in the seconds before its end: evidence where nothing else shows the cause. */
import { freemem, totalmem } from "node:os";
import type { Crash } from "../../src/core/wire.ts";
import { LAST_SEEN_SAMPLES } from "../limits.ts";
import { activityOf } from "./hang.ts";
import type { ProcessInfo } from "./process-info.ts";

export class LastSeen {
  /** The newest last. */
  readonly #samples: { process: ProcessInfo; monotonic: number }[] = [];
  #available = 0;

  /** When the last sample was taken, by the monotonic clock. */
  get at(): number {
    return this.#samples.at(-1)?.monotonic ?? -Infinity;
  }

  note(process: ProcessInfo, monotonic: number): void {
    this.#samples.push({ process, monotonic });
    if (this.#samples.length > LAST_SEEN_SAMPLES) this.#samples.shift();
    this.#available = freemem();
  }

  summary(): Crash["last"] {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last) return undefined;
    const before = this.#samples.at(-2);
    const elapsed = before ? last.monotonic - before.monotonic : 0;
    const activity = before && activityOf(before.process, last.process, elapsed);
    return {
      memory_from: first.process.residentBytes,
      memory_to: last.process.residentBytes,
      memory_ms: Math.round(last.monotonic - first.monotonic),
      process_state: activity?.state,
      cpu_percent: activity && Math.round(activity.cpuPercent * 10) / 10,
      available_bytes: this.#available,
      total_bytes: totalmem(),
    };
  }
}
