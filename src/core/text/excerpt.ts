/** The part of a text in which a term was found. */
import { fold } from "./fold.ts";

/** `match` as it stands in the text, with what stands around it. */
export type Excerpt = { before: string; match: string; after: string };

/** Characters before and after the term. */
const BEFORE = 40;
const AFTER = 80;

/** `term`: folded (fold.ts). Undefined if the text does not have it. */
export function excerptOf(text: string, term: string): Excerpt | undefined {
  if (!fold(text).includes(term)) return undefined;
  const isIn = (from: number, to: number) => fold(text.slice(from, to)).includes(term);
  // The shortest beginning of the text that has the term, and of that the shortest end: folding may change lengths.
  const to = first(0, text.length, (at) => isIn(0, at));
  const from = first(0, to, (at) => !isIn(at + 1, to));
  return around(text, from, to);
}

/** The beginning of the text as the match. */
export function beginningOf(text: string): Excerpt {
  const to = cutAt(text, BEFORE + AFTER);
  return { before: "", match: text.slice(0, to), after: to < text.length ? "…" : "" };
}

function around(text: string, from: number, to: number): Excerpt {
  const start = cutAt(text, Math.max(0, from - BEFORE));
  const end = cutAt(text, Math.min(text.length, to + AFTER));
  return {
    before: (start > 0 ? "…" : "") + text.slice(start, from),
    match: text.slice(from, to),
    after: text.slice(to, end) + (end < text.length ? "…" : ""),
  };
}

/** Not between the two halves of a character. */
function cutAt(text: string, at: number): number {
  return at < text.length && /[\udc00-\udfff]/.test(text.charAt(at))
    ? at - 1
    : Math.min(at, text.length);
}

/** The least integer in the range for which `is` holds; `is` holds for all larger ones, and for `to`. */
function first(from: number, to: number, is: (at: number) => boolean): number {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (is(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
