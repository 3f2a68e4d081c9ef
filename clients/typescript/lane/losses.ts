/** Records that could not be written: how many, why and when, until a report of them can be written (clients/README.md, "Writing"). */
import { lossCauseOf } from "../../../src/core/write-failure.ts";
import { droppedOp } from "../encode/ops.ts";
import { add, type Counts } from "../session/sink.ts";

type Loss = { count: number; detail: string; firstAt: number; lastAt: number };

export class Losses {
  readonly #waiting = new Map<string, Loss>();
  /** All, the reported ones too. */
  readonly totals: Counts = {};

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  count(at: number, failure: unknown): void {
    const { cause, detail } = describe(failure);
    add(this.totals, cause);
    const loss = this.#waiting.get(cause);
    if (loss === undefined) {
      this.#waiting.set(cause, { count: 1, detail, firstAt: at, lastAt: at });
      return;
    }
    loss.count++;
    loss.firstAt = Math.min(loss.firstAt, at);
    loss.lastAt = Math.max(loss.lastAt, at);
  }

  /** All, and one more. */
  totalsWith(failure: unknown): Counts {
    const totals = { ...this.totals };
    add(totals, describe(failure).cause);
    return totals;
  }

  /** The texts of the ops that report them. */
  reports(): string[] {
    return [...this.#waiting].map(([cause, { count, detail, firstAt, lastAt }]) =>
      droppedOp({ cause, count, detail: detail || undefined, first_at: firstAt, last_at: lastAt }),
    );
  }

  /** The reports are written. */
  clear(): void {
    this.#waiting.clear();
  }
}

/** Whether the process may not make the file larger (`ulimit -f`). */
export function isFileTooLarge(failure: unknown): boolean {
  return (failure as { code?: string } | undefined)?.code === "EFBIG"; // Node's errors have a code
}

/** The cause, and the system's text for it without a path of this machine. */
export function describe(failure: unknown): { cause: string; detail: string } {
  const { code, message } = failure as { code?: string; message?: string }; // Node's errors have both; the defaults are for others
  // "ENOSPC: no space left on device, write"
  const [, detail] = /^[A-Z0-9]{1,20}: ([^,]{1,100}),/.exec(message ?? "") ?? [];
  return { cause: lossCauseOf(code ?? ""), detail: detail ?? code ?? "" };
}
