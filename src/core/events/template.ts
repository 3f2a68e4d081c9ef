/**
 * The template of a message: its text, with `<number>`, `<name>` and the like in place of each value that differs from time to
 * time. Messages of one place in a program have one template. The text is cut before it is matched (MAX_MATCHED_LENGTH).
 */
import { MAX_MATCHED_LENGTH } from "../limits.ts";
import { plainText } from "../text/recorded-text.ts";

/** In this order: what one finds, the later ones do not see. */
const VALUES: [kind: string, pattern: RegExp][] = [
  ["list", /\((?:[-+\d.]+, ?)+[-+\d.]*\)/g],
  ["url", /\b[a-z][a-z\d+.-]{1,20}:\/\/[^\s"'`<>()]+/gi],
  ["email", /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g],
  ["id", /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi],
  [
    "date",
    /\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?)?\b|\b\d{1,2}[./]\d{1,2}[./]\d{4}\b|\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? )?(?:\d{1,2} )?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* \d{1,4}(?:,? \d{4})?(?:,? \d\d:\d\d(?::\d\d)?)?(?: (?:GMT|UTC))?\b/g,
  ],
  [
    "address",
    /\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?\b|\[[0-9a-f:]*:[0-9a-f:]*:[0-9a-f:]*\](?::\d+)?|(?<![\w:])(?=[a-f:]*\d)(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6})?::[0-9a-f:]*|\b0x[0-9a-f]+\b/gi,
  ],
  ["time", /\b\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?(?: ?[AP]M)?\b/gi],
  // A quotation mark between letters is an apostrophe.
  [
    "name",
    /(?<![\w\\])(?:'(?:[^'\\\n]|\\.)*'|`[^`\n]*`|‘[^’\n]*’)(?!\w)|"(?:[^"\\\n]|\\.)*"|“[^”\n]*”|«[^»\n]*»|`[^'`\n]*'/g,
  ],
  [
    "path",
    /(?<![\w<>])(?:[A-Za-z]:[\\/]|~?\/|\.{1,2}[\\/]|\\\\)[^\s"'`<>|:;,()[\]{}]*(?: [^\s"'`<>|:;,()[\]{}]*(?=[\\/])[^\s"'`<>|:;,()[\]{}]*)*/g,
  ],
  ["id", /\b(?=[a-f]*\d)[0-9a-f]{8,}\b|\b(?=\w*\d)(?=\w*[a-z])(?=\w*[A-Z])\w{16,}\b/gi],
  ["number", /(?<![A-Za-z])[-+]?\d+(?:[\d_,.' ]*\d)?(?:e[-+]?\d+)?|\d+/gi],
];

export function templateOf(message: string): string {
  let text = withoutLists(plainText(message.slice(0, MAX_MATCHED_LENGTH)));
  for (const [kind, pattern] of VALUES) text = text.replace(pattern, `<${kind}>`);
  return text.replace(/\s+/g, " ").trim();
}

const CLOSING: { [open: string]: string } = { "[": "]", "{": "}" };

/** A list or an object, with all that it contains, is one value. Brackets without a list stay, such as those of `[Errno 2]`. */
function withoutLists(message: string): string {
  let kept = "";
  let from = 0;
  const open: { character: string; at: number }[] = [];
  let isQuoted = false;
  for (let at = 0; at < message.length; at++) {
    const character = message.charAt(at);
    if (open.length > 0 && character === '"') isQuoted = !isQuoted;
    if (isQuoted && character === "\\") at++;
    if (isQuoted) continue;
    if (character in CLOSING) open.push({ character, at });
    const last = open.at(-1);
    if (!last || character !== CLOSING[last.character]) continue;
    open.pop();
    if (open.length > 0) continue;
    const inside = message.slice(last.at + 1, at);
    if (last.at < from || /^[0-9a-f:.]*:[0-9a-f:.]*$/i.test(inside)) continue; // an IPv6 address
    if (!/[,:"'=[{]|^[\s\d.]*$/.test(inside)) continue;
    kept += `${message.slice(from, last.at)}<list>`;
    from = at + 1;
  }
  return kept + message.slice(from);
}
