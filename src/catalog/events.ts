/** Event names over all sessions. */
import { names } from "./names.ts";

/** Names that begin with `prefix`, alphabetically; of one product: those of its newest sessions. */
export async function eventNames(db: D1Database, prefix = "", product?: string): Promise<string[]> {
  return names(db, "event_counts", prefix, product);
}
