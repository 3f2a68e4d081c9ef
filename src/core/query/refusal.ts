/** The refusal of a query that is not understood. */
import { Refusal } from "../refusal.ts";

/** Names the character, counted from 1 for people. The detail `position` counts from 0. */
export function refusedAt(position: number, what: string): Refusal {
  return new Refusal("invalid_query", `${what} (character ${position + 1} of the query).`, {
    position,
  });
}
