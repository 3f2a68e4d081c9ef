/** What a search found in a session of a list, and when that was recorded. */
import type { Excerpt } from "../text/excerpt.ts";

export type FoundKind =
  | "exception"
  | "test"
  | "output"
  | "attachment"
  | "event"
  | "message"
  | "data"
  | "state";

/** `name`: of a value of the state, its path; of data, as a query for events has it. `at`: when it was recorded. */
export type Found = Excerpt & { kind: FoundKind; name?: string; at: number };

/** `elsewhere`: terms (folded) that neither the session's own row nor its lists have, so that they are in its log. */
export type Matches = { found: Found[]; elsewhere: string[] };

export const FOUND_LABELS: { [kind in FoundKind]: string } = {
  exception: "Exception",
  test: "Test",
  output: "Output",
  attachment: "Attachment",
  event: "Event",
  message: "Message",
  data: "Event",
  state: "State",
};
