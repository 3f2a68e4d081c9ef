/** Events over the limit, cut to fit: long strings are shortened first, whole fields go only when that is not enough. */
import { WHOLE_STRING } from "./limits.ts";

/** Where cutting starts: half of any limit there is. */
const LONGEST_CUT = 131_072;
/** What goes, first to last, when short strings alone are too many. */
const EXPENDABLE = ["data", "causes", "stacktrace", "labels"];

/** The op's text with its strings cut to the largest of 131072, 65536, … 64 characters with which it is at most `maxBytes` long. */
export function cutStrings(
  op: { [key: string]: unknown },
  textOf: (op: object) => string,
  maxBytes: number,
): string {
  const left = { ...op };
  const gone = [...EXPENDABLE];
  for (let longest = LONGEST_CUT; ; longest /= 2) {
    const most = Math.max(longest, WHOLE_STRING);
    if (longest < WHOLE_STRING) delete left[gone.shift() ?? ""];
    // What identifies an event stays whole; it is bounded already.
    const { name, category, group, labels, ...rest } = left;
    const cut = JSON.stringify(rest, (_, value: unknown) =>
      typeof value === "string" ? cutString(value, most) : value,
    );
    const short = JSON.parse(cut) as object; // our own JSON
    const text = textOf({ op: "event", name, category, group, labels, ...short });
    if (utf8Length(text) <= maxBytes || gone.length === 0) return text;
  }
}

/** Characters are code points, as in every language but this one. */
function cutString(text: string, longest: number): string {
  let characters = 0;
  let end = 0;
  for (let i = 0; i < text.length; characters++) {
    if (characters === longest) end = i;
    i += Number(text.codePointAt(i)) > 0xffff ? 2 : 1;
  }
  return characters > longest ? `${text.slice(0, end)}…${characters - longest}` : text;
}

/** Bytes of a well-formed text in UTF-8. */
export function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}
