/**
 * Scanners of secrets inside text: a message, an argument, a line of output. Each examines one candidate (candidates.ts): it reads on from
 * it and looks back a bounded number of characters, so the time is linear whatever the text is.
 * clients/README.md has the rules; clients/python/datacat.py and clients/go/internal/secrets have the same scanners.
 */
import { MAX_PEM_LABEL } from "./limits.ts";
import {
  isHeader,
  isHidden,
  NAME,
  type NameClass,
  nameClass,
  numberOf,
  optionClass,
} from "./names.ts";

/** Part of a text that is a secret: what replaces it, and the rule that found it. */
export type Finding = { start: number; end: number; mark: string; rule: string };

export const REDACTED = "[redacted]";
/** What all marks begin with: what begins with it has been redacted. */
export const MARK = "[redacted";

const NAME_RUN = /[\w.-]+/y;
const TOKEN_68 = /[A-Za-z0-9._~+/=:-]+/y;
export const UNQUOTED_END = /[ \t\r\n;&"'`<>|,]|\\[nrt"'\\]|%26/g;
const FRAGMENT = /#/g;
/** The end of a header's value by what stands before its name: a quote, or nothing. */
const HEADER_END: { [before: string]: RegExp } = {
  '"': /[\r\n]|\\[rn"]|"/g,
  "'": /[\r\n]|\\[rn']|'/g,
  "`": /[\r\n]|\\[rn`]|`/g,
};
const LINE_END = /[\r\n]|\\[rn]/g;
const SCHEME = /(?:Bearer|Basic|Token|Negotiate|ApiKey|api-key)[ \t]{1,4}/iy;
/** As these are written: not beAREr, and not at the end of a line of prose. */
const USUAL_SCHEME = /[Bb](?:earer|asic|EARER|ASIC)[ \t]/y;
const LITERALS = new Set(
  "null none nil undefined true false string str bearer required".split(" "),
);
/** What follows `password: ` in a sentence, and is no password. */
const PROSE = new Set(
  "cannot changed expired field forgot incorrect invalid is link mismatch missing must not policy prompt reset should was wrong".split(
    " ",
  ),
);
/** A file and a line, as in a stack: auth.ts:12:5. */
const SOURCE_FILE = /\.(?:[cm]?[jt]sx?|py|go|rs|rb|java|kt|cc?|cpp|h|cs|php|vue)$/i;
const POSITION = /[0-9]+:[0-9]+(?![\w@:.])/y;
const OPENERS: { [closer: string]: string } = { ")": "(", "]": "[", "}": "{", ">": "<" };

export function markOf(kind: string): string {
  return `${MARK}:${kind}]`;
}

/** The end of a run that a sticky expression matches from `start`. */
export function runEnd(run: RegExp, text: string, start: number): number {
  run.lastIndex = start;
  return start + (run.exec(text)?.[0].length ?? 0);
}

/** The first match from `start`, or the end of the text. */
export function next(stop: RegExp, text: string, start: number): number {
  stop.lastIndex = start;
  return stop.exec(text)?.index ?? text.length;
}

export function isAlphanumeric(character: string | undefined): boolean {
  return character !== undefined && /[A-Za-z0-9]/.test(character);
}

/** A private key in a PEM block, to its end or, if it was cut, to the end of the text. Certificates and public keys stay. */
export function pem(text: string, start: number): Finding | undefined {
  if (!text.startsWith("-----BEGIN ", start)) return undefined;
  const label = text.slice(start + 11, start + 11 + MAX_PEM_LABEL);
  const close = label.indexOf("-----");
  if (close < 0 || !label.slice(0, close).includes("PRIVATE KEY")) return undefined;
  const footer = `-----END ${label.slice(0, close)}-----`;
  const at = text.indexOf(footer, start);
  const end = at < 0 ? text.length : at + footer.length;
  return { start, end, mark: markOf("private-key"), rule: "private-key" };
}

/** A JSON Web Token: at least a header and a payload. */
export function jwt(text: string, start: number): Finding | undefined {
  if (!text.startsWith("eyJ", start) || isNameCode(text.charCodeAt(start - 1))) return undefined;
  let end = runEnd(NAME_RUN, text, start);
  while (text[end - 1] === ".") end--;
  const token = text.slice(start, end);
  return token.indexOf(".") >= 10 && token.length >= 24
    ? { start, end, mark: markOf("jwt"), rule: "jwt" }
    : undefined;
}

/** `Bearer x`, `Basic x`, wherever it stands: x has a digit, a `=` or a capital that is not its first letter, as ordinary text has not. */
export function scheme(text: string, at: number): Finding | undefined {
  if (isAlphanumeric(text[at - 1])) return undefined;
  USUAL_SCHEME.lastIndex = at;
  if (!USUAL_SCHEME.test(text)) return undefined;
  const start = runEnd(SCHEME, text, at);
  const end = runEnd(TOKEN_68, text, start);
  if (end - start < 6 || !/[0-9=]|.[A-Z]/.test(text.slice(start, end))) return undefined;
  return { start, end, mark: REDACTED, rule: "authorization" };
}

export function upTo(stop: RegExp, text: string): string {
  return text.slice(0, next(stop, text, 0));
}

export function keyed(text: string, start: number, end: number, rule: string): Finding | undefined {
  if (end <= start || text.startsWith(MARK, start)) return undefined;
  return { start, end, mark: REDACTED, rule };
}

/** Whether a UTF-16 unit is one of A-Z, a-z, 0-9, _, - and . (NaN, past the end of the text, is none). */
export function isNameCode(code: number): boolean {
  const letter = code | 0x20;
  return (
    (letter >= 0x61 && letter <= 0x7a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x5f ||
    code === 0x2d ||
    code === 0x2e
  );
}

/** Where a name stands, without its quotes. */
export type Name = { start: number; end: number; isQuoted: boolean };

/** `name=value`, `name: value`, `"name": "value"`, with the separator at `at` and the rest from `from`. */
export function named(
  text: string,
  { start, end, isQuoted }: Name,
  at: number,
  from: number,
  ownName: (name: string) => boolean,
): Finding | undefined {
  const name = text.slice(start, end);
  const before = text[start - 1] ?? "";
  const isQuery = before === "?" || before === "&" || before === "#";
  const ordinary = ownName(name) ? NAME.any : classOf(name, false);
  const kind = ordinary === NAME.ordinary ? classOf(name, isQuery) : ordinary;
  if (kind === NAME.ordinary || (text[at] === ":" && isPosition(text, name, from)))
    return undefined;

  let value = from;
  if (text[value] === "=" || text[value] === ">") value++;
  const blanks = value;
  while (value < blanks + 4 && (text[value] === " " || text[value] === "\t")) value++;
  const rule = ruleOf(name);
  if (isHeader(name) && !isQuery) return header(text, value, before, rule);
  const isSentence = value > blanks && text[at] === ":" && !isQuoted;
  const isProse =
    (ordinary === NAME.ordinary && name.toLowerCase() === "key") || (isSentence && kind < NAME.any);
  return valueAt(text, value, { kind, rule, isQuery, isSentence, isProse });
}

function ruleOf(name: string): string {
  return `name ${name.replace(/^-+/, "")}`;
}

/** The class of a name that has no separator, and its rule. */
export function kindOf(
  text: string,
  { start, end }: Name,
  ownName: (name: string) => boolean,
): Value {
  const name = text.slice(start, end);
  return { kind: ownName(name) ? NAME.any : nameClass(name), rule: ruleOf(name) };
}

function isPosition(text: string, name: string, from: number): boolean {
  POSITION.lastIndex = from;
  const code = text.charCodeAt(from);
  return POSITION.test(text) || (code >= 0x30 && code <= 0x39 && SOURCE_FILE.test(name));
}

function classOf(name: string, isQuery: boolean): NameClass {
  const kind = name.startsWith("-") ? optionClass(name) : nameClass(name);
  if (kind !== NAME.ordinary || !isQuery) return kind;
  return /^(?:key|sig|(?:.*[-_])?signature)$/i.test(name) ? NAME.text : kind;
}

type Value = {
  kind: NameClass;
  rule: string;
  isQuery?: boolean;
  isSentence?: boolean;
  isProse?: boolean;
};

/** The value of a secret's name: quoted, in brackets, or up to the next delimiter. */
export function valueAt(
  text: string,
  at: number,
  { kind, rule, isQuery, isSentence, isProse }: Value,
): Finding | undefined {
  const start = /[bBfFrRuU]/.test(text[at] ?? "") && /["']/.test(text[at + 1] ?? "") ? at + 1 : at;
  if (text.startsWith(MARK, start)) return undefined;
  const quoted = quotedAt(text, start);
  if (quoted) {
    const value = text.slice(quoted.start, quoted.end);
    const isSign = kind < NAME.any && !/[A-Za-z0-9]/.test(value);
    return isHidden(kind, value) && !isSign
      ? keyed(text, quoted.start, quoted.end, rule)
      : undefined;
  }
  if (text[start] === "[" || text[start] === "{") {
    const end = bracketEnd(text, start);
    return /[A-Za-z0-9]/.test(text.slice(start, end)) ? keyed(text, start, end, rule) : undefined;
  }
  let end = next(UNQUOTED_END, text, start);
  if (isQuery === true) end = start + upTo(FRAGMENT, text.slice(start, end)).length;
  while (end > start && isUnopened(text, start, end)) end--;
  const value = text.slice(start, end);
  if (isSentence === true && PROSE.has(value.toLowerCase())) return undefined;
  if (isProse === true && value.length < 16 && !/[0-9]/.test(value)) return undefined;
  return secretIn(text, start, end, { kind, rule });
}

/** The value from `start` to `end` of a name of this class, unless it states that there is none or is a number of a count. */
export function secretIn(
  text: string,
  start: number,
  end: number,
  { kind, rule }: Value,
): Finding | undefined {
  const value = text.slice(start, end);
  if (LITERALS.has(value.toLowerCase()) || !isHidden(kind, numberOf(value))) return undefined;
  return keyed(text, start, end, rule);
}

/** The value that reaches to the end of the line, unless it is quoted. */
export function lineValue(text: string, start: number, value: Value): Finding | undefined {
  return quotedAt(text, start)
    ? valueAt(text, start, value)
    : secretIn(text, start, next(LINE_END, text, start), value);
}

/** Whether the value ends with a bracket that it did not open: `(password=x)`. */
function isUnopened(text: string, start: number, end: number): boolean {
  const opener = OPENERS[text[end - 1] ?? ""];
  return opener !== undefined && !text.slice(start, end).includes(opener);
}

/** The inside of a quoted value. In JSON within JSON the quotes have backslashes. Without a closing quote it was cut, and ends with the text. */
export function quotedAt(text: string, at: number): { start: number; end: number } | undefined {
  let quote = at;
  while (quote < at + 8 && text[quote] === "\\") quote++;
  const mark = text[quote];
  if (mark !== '"' && mark !== "'" && mark !== "`") return undefined;
  const escapes = quote - at;
  const start = quote + 1;
  let before = 0;
  for (let end = start; end < text.length; end++) {
    if (text[end] === "\\") before++;
    else {
      // Within quotes that have no backslash, an even number of them is a text of backslashes.
      if (text[end] === mark && (before <= escapes || (escapes === 0 && before % 2 === 0)))
        return { start, end: end - before };
      before = 0;
    }
  }
  return { start, end: text.length };
}

function bracketEnd(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    if (text[at] === "[" || text[at] === "{") depth++;
    else if ((text[at] === "]" || text[at] === "}") && --depth === 0) return at + 1;
  }
  return text.length;
}

/** The value of a header: to the quote that ends it, after the credentials of a known scheme, or to the end of the line. */
export function header(
  text: string,
  at: number,
  before: string,
  rule: string,
): Finding | undefined {
  if (text.startsWith(MARK, at)) return undefined;
  if (quotedAt(text, at) || text[at] === "[" || text[at] === "{")
    return valueAt(text, at, { kind: NAME.any, rule });
  const scheme = runEnd(SCHEME, text, at);
  if (text.startsWith(MARK, scheme)) return undefined;
  const quote = HEADER_END[before];
  const stop = quote ?? (scheme > at ? UNQUOTED_END : LINE_END);
  const end = next(stop, text, quote ? at : scheme);
  return secretIn(text, at, end, { kind: NAME.any, rule });
}
