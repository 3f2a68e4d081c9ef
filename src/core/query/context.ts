/** What the parts of the parser have in common. */
import { Refusal } from "../refusal.ts";

export type QueryContext = {
  /** Relative times are before it. */
  now: number;
  /** The statuses that sessions are searched by. */
  kinds: readonly string[];
};

/** The refusal of a query: what is wrong at which character, counted from 1 for people. */
export function wrong(position: number, what: string): Refusal {
  return new Refusal("invalid_query", `${what} (character ${position + 1} of the query).`, {
    position,
  });
}
