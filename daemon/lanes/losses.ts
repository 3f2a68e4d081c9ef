/** What a lane's writer could not write: how many ops, why and when, until a report of them can be written (clients/README.md). */
import { diskCauseOf, lossCauseOf } from "../../src/core/write-failure.ts";
import type { Dropped, Op } from "../../src/core/wire.ts";

export class Losses {
  readonly #reports = new Map<string, Required<Pick<Dropped, "first_at" | "last_at">> & Dropped>();

  get isEmpty(): boolean {
    return this.#reports.size === 0;
  }

  count({ at }: Op, failure: unknown): void {
    const { code, detail } = describe(failure);
    const cause = lossCauseOf(code);
    const report = this.#reports.get(cause);
    if (report === undefined) {
      const times = { first_at: at, last_at: at };
      this.#reports.set(cause, { op: "dropped", at, cause, count: 1, detail, ...times });
      return;
    }
    report.count += 1;
    report.first_at = Math.min(report.first_at, at);
    report.last_at = Math.max(report.last_at, at);
  }

  /** The ops that report them, at a time. */
  reports(at: number): Dropped[] {
    return [...this.#reports.values()].map((report) => ({ ...report, at }));
  }

  /** The reports are written. */
  clear(): void {
    this.#reports.clear();
  }
}

/** The cause of a failed system call; undefined if it is none of the disk's. */
export function diskCause(failure: unknown): string | undefined {
  return diskCauseOf(describe(failure).code);
}

export function isNoSpace(failure: unknown): boolean {
  return diskCause(failure) === "disk_full";
}

/** Whether the process may not make the file larger (`ulimit -f`). */
export function isFileTooLarge(failure: unknown): boolean {
  return describe(failure).code === "EFBIG";
}

/** The system's text is without a path of this machine: "ENOSPC: no space left on device, write". */
function describe(failure: unknown): { code: string; detail: string | undefined } {
  const { code = "", message = "" } = (failure ?? {}) as { code?: string; message?: string }; // Node's errors have both
  return { code, detail: /^[A-Z0-9]{1,20}: ([^,]{1,100}),/.exec(message)?.[1] };
}

/** What a write that is cut short means: the system gives no error with it. */
export function cutShort(): Error {
  return Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
}
