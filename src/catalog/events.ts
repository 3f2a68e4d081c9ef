/** Event names over all sessions. */
import { type Names, names, type NamesQuery } from "./names.ts";

/** Alphabetically; of one product: those of its newest sessions. */
export async function eventNames(db: D1Database, query: NamesQuery = {}): Promise<Names<string>> {
  return names(db, "event_counts", query);
}
