/**
 * How a value that some path of the state held is written in the catalog, so that it can be found by its text.
 *
 * A scalar is "=" and its text, as 1.x compared it (strings as they are, numbers and the rest as JSON); of a list every
 * scalar in it, so that "contains" is found as well. A path that held too many values has one row more, which says so.
 */
import type { Json } from "../core/wire.ts";

/** Values per path: enough for modes, levels and names; a progress counter passes it at once and costs no more. */
export const MAX_VALUES_PER_PATH = 8;
/** Paths per session: a state of forms and settings fits; one that mirrors a database does not. */
export const MAX_PATHS = 200;
/** Characters of a value: people search for words, and longer ones still differ in their beginnings. */
export const MAX_VALUE_LENGTH = 200;

/** The row of a path over MAX_VALUES_PER_PATH: its session may have held any value, and only its object knows. */
export const ANY_VALUE = "*";

/** What is stored for a value at its path; nothing for objects, whose members have paths of their own. */
export function valueTexts(value: Json): string[] {
  if (Array.isArray(value)) return [...new Set(value.filter(isScalar).map(valueText))];
  return isScalar(value) ? [valueText(value)] : [];
}

/** What to look for when someone asks for `text`. */
export function valueText(value: null | boolean | number | string): string {
  return `=${typeof value === "string" ? value : JSON.stringify(value)}`.slice(
    0,
    MAX_VALUE_LENGTH + 1,
  );
}

function isScalar(value: Json): value is null | boolean | number | string {
  return typeof value !== "object" || value === null;
}
