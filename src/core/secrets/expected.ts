/** What each part of the setting of own rules has to be, for messages. The file for pages, which ignores a wrong setting, is built without. */
import { MAX_OWN_RULES, MAX_PREFIX, MAX_RUN, MIN_PREFIX } from "./limits.ts";

export const EXPECTED = {
  object: "an object",
  list: `a list of at most ${MAX_OWN_RULES}`,
  text: "a text that is not empty and not longer than",
  prefix: `${MIN_PREFIX} to ${MAX_PREFIX} letters, digits, _, - and .`,
  kind: "lower-case letters, digits and -",
  characters: "one of",
  least: `an integer from 1 to ${MAX_RUN}`,
  known: "is none of",
};
