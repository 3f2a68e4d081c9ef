/** What the operating system reports about a process, the same on every system. */
export type ProcessInfo = {
  pid: number;
  parent: number;
  /** The time of the start as the system writes it. It is compared, never parsed. */
  started: string;
  /** A zombie has ended, and only waits for its parent to read its exit code. */
  state: "running" | "waiting" | "stopped" | "ended";
  /** The number of the signal that ended it, while it is a zombie; Linux only. */
  signal?: number;
  cpuMs: number;
  /** CPU time of its children that have ended, and of theirs; Linux only. */
  childrenCpuMs?: number;
  residentBytes: number;
  /** Linux only. */
  threads?: number;
};
