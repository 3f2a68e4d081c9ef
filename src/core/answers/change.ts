import type { Status } from "../vocabulary.ts";

/** The message that the live socket sends to a watching page. */
export type Change = {
  revision: number;
  status: Status;
  /** The kinds of ops that were applied. */
  kinds: ("state" | "event" | "exception" | "metric" | "heartbeat" | "attachment" | "status")[];
};
