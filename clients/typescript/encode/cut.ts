/** Cuts events that are over the limit: long strings first; whole fields are left out if that is not enough. */
import { LONGEST_CUT, WHOLE_STRING } from "../limits.ts";

/** The op's text with its strings cut to the largest of 131072, 65536, … 64 characters with which it is at most `maxBytes` long. */
export function cutStrings(
  op: { [key: string]: unknown },
  textOf: (op: object) => string,
  maxBytes: number,
): string {
  const left = { ...op };
  /** Left out one by one if short strings alone are too many. */
  const expendable = ["sources", "data", "causes", "stacktrace", "labels"];
  for (let longest = LONGEST_CUT; ;) {
    // What identifies an event stays whole: its length is bounded already.
    const whole = { name: undefined, category: undefined, group: undefined, labels: undefined };
    const cut = JSON.stringify({ ...left, ...whole }, (_, value: unknown) =>
      typeof value === "string" ? cutString(value, longest) : value,
    );
    const short = JSON.parse(cut) as { test?: object }; // our own JSON
    Object.assign(short.test ?? {}, { id: (op["test"] as { id?: unknown } | undefined)?.id }); // as: the same object's
    const text = textOf({ ...left, ...short });
    if (utf8Length(text) <= maxBytes || expendable.length === 0) return text;
    if (longest > WHOLE_STRING) longest /= 2;
    else delete left[expendable.shift() ?? ""];
  }
}

/** Characters are code points, as in the other clients. */
function cutString(text: string, longest: number): string {
  let characters = 0;
  let end = 0;
  for (let i = 0; i < text.length; i += Number(text.codePointAt(i)) > 0xffff ? 2 : 1)
    if (characters++ === longest) end = i;
  return characters > longest ? `${text.slice(0, end)}…${characters - longest}` : text;
}

/** Bytes of a well-formed text in UTF-8. */
export function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}
