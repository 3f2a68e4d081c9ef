/** Where a session's ops go: a lane file, or the queue of direct mode. */

/** The kind of an op, by which a full queue chooses what to drop. `end` includes `crash`. */
export type Kind =
  | "start"
  | "state"
  | "event"
  | "exception"
  | "metric"
  | "heartbeat"
  | "attachment"
  | "dropped"
  | "end";

export type Sink = {
  /**
   * Takes one op: `at` is its time in epoch milliseconds, `text` its JSON after the time. It uses one sequence, even if it cannot
   * be written. Never throws.
   */
  write(kind: Kind, at: number, text: string): void;
  /** Resolves when everything so far is on disk or at the server, or after `timeoutMs`. Never rejects. */
  flush(timeoutMs?: number): Promise<void>;
  /** No op follows. */
  close(): void;
  /** Ops that wait in memory. */
  waiting(): number;
  /** Ops that it lost. */
  losses(): Counts;
};

/** Ops that were lost, by cause. */
export type Counts = { [cause: string]: number };

export function add(counts: Counts, cause: string, count = 1): void {
  counts[cause] = (counts[cause] ?? 0) + count;
}
