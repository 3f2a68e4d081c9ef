/** The values of a condition compared with a text or a number, as catalog/search/matching.ts does it in SQL. */
import type { Match, Range } from "./tree.ts";

export function isText(text: string, match: Match): boolean {
  switch (match.kind) {
    case "any":
      return text !== "";
    case "is":
      return text === match.text;
    case "like": {
      const { start, middle, end } = match;
      if (text.length < start.length + middle.length + end.length) return false;
      const inner = text.slice(start.length, text.length - end.length);
      return text.startsWith(start) && text.endsWith(end) && inner.includes(middle);
    }
    case "range":
      return false;
  }
}

export function isNumber(number: number, match: Match): boolean {
  if (match.kind !== "range") return match.kind === "any";
  const { from, to } = match as Range<number>; // as: of a field of numbers
  if (from && !(from.isIncluded ? number >= from.value : number > from.value)) return false;
  return !to || (to.isIncluded ? number <= to.value : number < to.value);
}
