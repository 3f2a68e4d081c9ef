/** Messages about a wrong setting of own rules. The file for pages, which ignores a wrong setting, is built without. */
import { MAX_OWN_RULES, MAX_PREFIX, MAX_RUN, MIN_PREFIX } from "./limits.ts";

const EXPECTED = {
  object: "an object",
  list: `a list of at most ${MAX_OWN_RULES}`,
  text: "a text that is not empty and not longer than",
  prefix: `${MIN_PREFIX} to ${MAX_PREFIX} letters, digits, _, - and .`,
  kind: "lower-case letters, digits and -",
  characters: "one of",
  least: `an integer from 1 to ${MAX_RUN}`,
  known: "is none of",
};

/** Where in the setting a value is: `names.2`. */
export function within(at: string, part: string | number): string {
  return at === "" ? String(part) : `${at}.${part}`;
}

/** That the value at a place is not what it has to be. */
export function wrong(
  at: string,
  what: keyof typeof EXPECTED,
  more: string | number | readonly string[] = "",
): string {
  const rest = typeof more === "object" ? ` ${more.join(", ")}` : more === "" ? "" : ` ${more}`;
  return `${at || "it"}: ${EXPECTED[what]}${rest}${what === "text" ? " characters" : ""}`;
}

/** That a key is none of those that are known. */
export function unknown(at: string, key: string, known: readonly string[]): string {
  return `${at || "it"}: ${key} ${EXPECTED.known} ${known.join(", ")}`;
}

/** What is wrong with the setting. */
export class SettingError extends Error {}

/** The problem for an error of its parsing. */
export function problemOf(error: unknown): string {
  return `DATACAT_REDACT${error instanceof SettingError ? `: ${error.message}` : " is not JSON"}`;
}
