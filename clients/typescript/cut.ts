/** Events over the limit, cut to fit: long strings are shortened first, whole fields go only when that is not enough. */
import { quote } from "./encode.ts";
import { WHOLE_STRING } from "./limits.ts";

/** What identifies an event is never cut; these are bounded already. */
const WHOLE_KEYS = ["op", "name", "category", "group", "labels"];
/** What goes, first to last, when short strings alone are too many. */
const EXPENDABLE_KEYS = ["data", "causes", "stacktrace", "labels"];
/** Where cutting starts: half of any limit there is. */
const LONGEST_CUT = 131_072;

/** The op's text with its strings cut to the largest of 131072, 65536, … 64 characters with which it is at most `maxBytes` long. */
export function cutStrings(text: string, maxBytes: number): string {
  const op = new Map(Object.entries(JSON.parse(`{${text}`) as { [key: string]: unknown })); // our own JSON
  for (let longest = LONGEST_CUT; longest >= WHOLE_STRING; longest /= 2) {
    const cut = opText(op, longest);
    if (utf8Length(cut) <= maxBytes) return cut;
  }
  for (const key of EXPENDABLE_KEYS) {
    op.delete(key);
    const cut = opText(op, WHOLE_STRING);
    if (utf8Length(cut) <= maxBytes) return cut;
  }
  return opText(op, WHOLE_STRING);
}

function opText(op: Map<string, unknown>, longest: number): string {
  const fields = [...op].map(([key, value]) => {
    return `${quote(key)}:${WHOLE_KEYS.includes(key) ? JSON.stringify(value) : treeText(value, longest)}`;
  });
  return `${fields.join(",")}}`;
}

function treeText(value: unknown, longest: number): string {
  if (typeof value === "string") return quote(cutString(value, longest));
  if (Array.isArray(value)) return `[${value.map((item) => treeText(item, longest)).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([key, item]) => `${quote(key)}:${treeText(item, longest)}`,
  );
  return `{${members.join(",")}}`;
}

/** Characters are code points, as in every language but this one. */
function cutString(text: string, longest: number): string {
  if (text.length <= longest) return text;
  let kept = 0;
  let units = 0;
  while (units < text.length && kept < longest) {
    units += text.charCodeAt(units) >= 0xd800 && text.charCodeAt(units) <= 0xdbff ? 2 : 1;
    kept++;
  }
  if (units >= text.length) return text;
  return `${text.slice(0, units)}…${characters(text.slice(units))}`;
}

function characters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** Bytes of a well-formed text in UTF-8. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) bytes += unit <= 0x7ff || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}
