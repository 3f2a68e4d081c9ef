/** JSON as Python writes it: NaN and infinities, which JSON does not have, become strings, as in lanes. */
import { parsedJson } from "../json.ts";

/** The value; undefined if the text is not JSON. */
export function looseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return parsedJson(
      text.replace(STRING_OR_NUMBER, (found, name?: string) => (name ? `"${name}"` : found)),
    );
  }
}

/**
 * Strings are matched first, so that their contents stay unchanged. The closing quote is optional: without it the match would start again
 * at each quote within a string that has no end.
 */
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"?|(-?Infinity|NaN)/g;
