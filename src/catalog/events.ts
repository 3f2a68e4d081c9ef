/** Event names over all sessions. */
import { type Names, names, type NamesQuery } from "./names.ts";

/** Alphabetically. */
export async function eventNames(db: D1Database, query: NamesQuery = {}): Promise<Names<string>> {
  return names(db, "event", query);
}
