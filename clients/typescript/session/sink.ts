/** Where a session's ops go: a lane, or the queue of direct mode. */

/** What kind of op it is: a full queue gives up metrics first. */
export type Kind =
  | "start"
  | "state"
  | "event"
  | "exception"
  | "metric"
  | "heartbeat"
  | "dropped"
  | "end";

export type Outlet = {
  /** Takes one op: `text` is its JSON after the time. Uses up one sequence, whether it can be written or not. Never throws. */
  write(kind: Kind, at: number, text: string): void;
  /** Resolves once everything so far is where it will survive: on disk at once, else at the server or given up. */
  flush(timeoutMs?: number): Promise<void>;
  /** No more ops will come. */
  close(): void;
  /** Ops that wait in memory. */
  waiting(): number;
  /** What it lost. */
  losses(): Counts;
};

/** Ops that were lost, by cause. */
export type Counts = { [cause: string]: number };

export function add(counts: Counts, cause: string, count = 1): void {
  counts[cause] = (counts[cause] ?? 0) + count;
}
