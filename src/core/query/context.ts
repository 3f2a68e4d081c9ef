/** What the parts of the parser have in common. */
import { Refusal } from "../refusal.ts";

/** The refusal of a query: what is wrong at which character, counted from 1 for people. */
export function wrong(position: number, what: string): Refusal {
  return new Refusal("invalid_query", `${what} (character ${position + 1} of the query).`, {
    position,
  });
}
