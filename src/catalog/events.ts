/** Event names over all sessions, and how often each session had them. */
import { names } from "./names.ts";

/** Names that begin with `prefix`, alphabetically; of one product: those of its newest sessions. */
export async function eventNames(db: D1Database, prefix = "", product?: string): Promise<string[]> {
  return names(db, "event_counts", prefix, product);
}

type EventTotal = {
  name: string;
  category: string;
  count: number;
  first_at: number;
  last_at: number;
  /** The first few messages. */
  examples: string[];
};

/** The events of one session as the catalog knows them, most frequent first. */
export async function eventTotals(db: D1Database, sessionId: string): Promise<EventTotal[]> {
  const { results } = await db
    .prepare(
      `SELECT name, category, count, first_at, last_at, examples FROM event_counts WHERE session_id = ?1
       ORDER BY count DESC, name, category`,
    )
    .bind(sessionId)
    .all<Omit<EventTotal, "examples"> & { examples: string }>();
  return results.map((row) => ({ ...row, examples: JSON.parse(row.examples) as string[] })); // written by publish
}
