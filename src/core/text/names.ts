/**
 * Names in addresses, input fields and query parameters. A name is written as it is, except where it would not arrive: the empty name, `.`
 * and `..` (which a URL removes from a path), blanks at either end (which are removed from what people type), control characters (which
 * an input field changes), and whatever would be read as one of these. Such a name is written as a JSON string: `"."`, `" a"`.
 */
import { quotedName } from "./recorded-text.ts";

/** The value that stands for "no product" or "no version", where an empty field means no filter. */
const UNNAMED = "(none)";

// oxlint-disable-next-line no-control-regex -- control characters are what this looks for
const UNSAFE = /^\.{1,2}$|^"|^\(none\)$|^\s|\s$|[\u0000-\u001F\u007F-\u009F\u2028\u2029]/;

/** The name as a filter's value: `(none)` for the empty one. */
export function asking(name: string): string {
  if (name === "") return UNNAMED;
  return UNSAFE.test(name) ? quotedName(name) : name;
}

/** The name as a segment of a path. */
export function segmentOf(name: string): string {
  return encodeURIComponent(asking(name));
}

/** The name that a filter's value stands for. */
export function nameAsked(value: string): string {
  if (value === UNNAMED) return "";
  if (!value.startsWith('"')) return value;
  try {
    const name: unknown = JSON.parse(value);
    // No recorded name has a surrogate without its pair (core/parse.ts), and the databases take none.
    return typeof name === "string" ? name.replace(/[\uD800-\uDFFF]/gu, "\uFFFD") : value;
  } catch {
    return value;
  }
}
