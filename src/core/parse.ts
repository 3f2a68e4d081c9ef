/** Parses input into a type. Throws a Refusal that names the invalid place. */
import * as v from "valibot";
import { formatNumber } from "./text/format.ts";
import { MAX_CONTAINERS, MAX_DIFFERENT_KEYS, MAX_PARAMETERS, UNCOUNTED_LENGTH } from "./limits.ts";
import { Refusal } from "./refusal.ts";

/**
 * JSON, in which a surrogate without its pair becomes U+FFFD: such a string is no Unicode text, cannot be encoded in UTF-8 or in an address,
 * and would differ from what the databases return for it.
 */
export function parseJson(text: string, what: string): unknown {
  checkNumbers(text, what);
  try {
    return JSON.parse(wellFormed(text));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Refusal("invalid_json", `${what} is not JSON: ${why}`);
  }
}

/**
 * Refuses a long text of very many lists and objects, of which two characters become 28 to 60 bytes of memory, and one of very many different
 * keys. Linear.
 */
function checkNumbers(text: string, what: string): void {
  if (text.length <= UNCOUNTED_LENGTH) return;
  let containers = 0;
  const keys = new Set<string>();
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const start = at + 1;
      at = endOfString(text, at);
      // Blanks before the colon are rare: such a key is not counted.
      if (
        text.charCodeAt(at + 1) === COLON &&
        keys.add(text.slice(start, at)).size > MAX_DIFFERENT_KEYS
      )
        throw new Refusal(
          "too_large",
          `${what} has more than ${formatNumber(MAX_DIFFERENT_KEYS)} different keys; send less at a time.`,
        );
    } else if ((code === BRACKET || code === BRACE) && ++containers > MAX_CONTAINERS)
      throw new Refusal(
        "too_large",
        `${what} has more than ${formatNumber(MAX_CONTAINERS)} lists and objects; send less at a time.`,
      );
  }
}

const [QUOTE, BRACKET, BRACE, BACKSLASH, COLON] = [0x22, 0x5b, 0x7b, 0x5c, 0x3a];

/** Where the string that begins at `from` ends: at a quote after an even number of backslashes. */
function endOfString(text: string, from: number): number {
  for (let end = text.indexOf('"', from + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let before = end - 1;
    while (text.charCodeAt(before) === BACKSLASH) before--;
    if ((end - before) % 2 === 1) return end;
  }
  return text.length;
}

/** The JSON text with the escape of U+FFFD in place of each escaped surrogate without its pair. */
function wellFormed(text: string): string {
  if (!/\\u[dD][89a-fA-F]/.test(text)) return text;
  // An escaped backslash is matched whole, so that what follows it is not taken for an escape.
  return text.replace(
    /\\(?:u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|u[dD][89a-fA-F][\da-fA-F]{2}|\\)/g,
    (escape) => (escape.length === 6 ? "\\ufffd" : escape),
  );
}

/** `what` names the value in the message: "The batch". */
export function parse<Schema extends v.GenericSchema>(
  schema: Schema,
  value: unknown,
  what: string,
): v.InferOutput<Schema> {
  // To valibot a list is an object as well: one without the required members.
  if (schema.type === "object" && Array.isArray(value))
    throw new Refusal(
      "invalid_body",
      `${what} does not fit: it is a list, and has to be an object.`,
    );
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  const where = path ? ` at ${path}` : "";
  throw new Refusal(
    isNotFinite(issue) ? "not_finite" : "invalid_body",
    `${what} does not fit${where}: ${issue.message}`,
  );
}

/** Refuses a query of more parameters than a person or program has a use for. A repetition counts once. */
export function checkParameters(query: Iterable<[string, string]>): void {
  const different = new Set(Array.from(query, ([name, value]) => `${name}=${value}`));
  if (different.size > MAX_PARAMETERS)
    throw new Refusal(
      "invalid_query",
      `A query may have ${MAX_PARAMETERS} different parameters; this has ${different.size}.`,
    );
}

/** Whether the value is a number that JSON cannot represent: an overflow to infinity, or NaN or infinity encoded as a string. */
function isNotFinite(issue: v.BaseIssue<unknown>): boolean {
  if (issue.type === "finite") return true;
  return (
    issue.type === "number" &&
    typeof issue.input === "string" &&
    /^[-+]?(nan|inf(inity)?)$/i.test(issue.input)
  );
}
