/** Events over the limit, cut to fit: long strings are shortened first, whole fields go only when that is not enough. */
import { WHOLE_STRING } from "./limits.ts";

/** What identifies an event is never cut; these are bounded already. */
const WHOLE_KEYS = ["name", "category", "group", "labels"];
/** What goes, first to last, when short strings alone are too many. */
const EXPENDABLE_KEYS = ["data", "causes", "stacktrace", "labels"];
/** Where cutting starts: half of any limit there is. */
const LONGEST_CUT = 131_072;

/** The op's text with its strings cut to the largest of 131072, 65536, … 64 characters with which it is at most `maxBytes` long. */
export function cutStrings(op: object, textOf: (op: object) => string, maxBytes: number): string {
  const left = [...EXPENDABLE_KEYS];
  let longest = LONGEST_CUT;
  let kept = Object.entries(op);
  for (;;) {
    const cut = kept.map(([key, value]) => [
      key,
      WHOLE_KEYS.includes(key) ? value : shorten(value, longest),
    ]);
    const text = textOf(Object.fromEntries(cut));
    if (utf8Length(text) <= maxBytes || left.length === 0) return text;
    if (longest > WHOLE_STRING) longest /= 2;
    else {
      const gone = left.shift();
      kept = kept.filter(([key]) => key !== gone);
    }
  }
}

function shorten(value: unknown, longest: number): unknown {
  if (typeof value === "string") return cutString(value, longest);
  if (Array.isArray(value)) return value.map((item) => shorten(item, longest));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, shorten(item, longest)]),
  );
}

/** Characters are code points, as in every language but this one. */
function cutString(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const characters = Array.from(text);
  return characters.length <= longest
    ? text
    : `${characters.slice(0, longest).join("")}…${characters.length - longest}`;
}

/** Bytes of a well-formed text in UTF-8. */
export function utf8Length(text: string): number {
  return encoder.encode(text).length;
}
const encoder = new TextEncoder();
