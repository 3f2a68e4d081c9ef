import type { Stacks } from "../wire.ts";

/**
 * The stacks of threads at one time, of a hang or of the end of the process. `resolved`: also by the server's source maps of the
 * product's version.
 */
export type StackRow = Omit<Stacks, "op"> & {
  seq: number;
  /** The time by the program's own clock, if it differs. */
  recorded_at?: number;
};
