/** When the disks that hold lanes were full: a program that ended then may not have recorded all that it lost, nor its end. */
import { statfsSync } from "node:fs";

type Period = { from: number; to: number };

export class DiskWatch {
  /** The last time that each folder's disk was full; `to` is the last check that found it full. */
  readonly #full = new Map<string, Period>();
  readonly #isFull: (folder: string) => boolean;

  constructor(isFull: (folder: string) => boolean = isDiskFull) {
    this.#isFull = isFull;
  }

  /** Checks the disks of these folders. */
  tick(folders: Iterable<string>, now: number, sinceMs: number): void {
    for (const folder of new Set(folders)) {
      if (!this.#isFull(folder)) continue;
      const before = this.#full.get(folder);
      const isSame = before !== undefined && now - before.to <= sinceMs * 3; // a check may be late
      this.#full.set(folder, { from: isSame ? before.from : now, to: now });
    }
  }

  /** When the folder's disk was full at or after `at`. */
  fullSince(folder: string, at: number): Period | undefined {
    const period = this.#full.get(folder);
    return period !== undefined && period.to >= at ? period : undefined;
  }
}

/** Whether this user can add no block or no file. A file system without a fixed number of files has 0 of 0. */
function isDiskFull(folder: string): boolean {
  try {
    const { bavail, bfree, files, ffree } = statfsSync(folder);
    return (process.getuid?.() === 0 ? bfree : bavail) === 0 || (files > 0 && ffree === 0);
  } catch {
    return false; // the folder was removed, or the system has no such call
  }
}
