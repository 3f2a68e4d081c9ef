import type { Page } from "./page.ts";
import type { Event } from "../wire.ts";

/** Events of a session. */
export type EventPage = Page<EventRow> & {
  /** The page is not full, because one question opens a bounded part of the log: the search is at this time, and `next` continues it. */
  searched_to?: number;
};

export type EventRow = Omit<Event, "op"> & {
  seq: number;
  /** The time by the program's own clock, if it differs. */
  recorded_at?: number;
  category: string;
  /** Of exceptions: equal for the same failure in all sessions and versions. */
  fingerprint?: string;
};

export type EventCount = {
  name: string;
  category: string;
  count: number;
  first_at: number;
  last_at: number;
};
