/**
 * Scanners of secrets inside text: a message, an argument, a line of output. Each examines one candidate (candidates.ts): it reads on from
 * it and looks back a bounded number of characters, so the time is linear whatever the text is.
 * clients/README.md has the rules; clients/python/datacat.py and clients/go/internal/secrets have the same scanners.
 */
import {
  MAX_COMMAND_DISTANCE,
  MAX_NAME_DISTANCE,
  MAX_PEM_LABEL,
  MAX_USERINFO,
  MIN_URL_TOKEN,
} from "./limits.ts";
import { isHeader, NAME, type NameClass, nameClass, optionClass } from "./names.ts";
import { isPasswordOption } from "./programs.ts";

/** Part of a text that is a secret: what replaces it, and the rule that found it. */
export type Finding = { start: number; end: number; mark: string; rule: string };

export const REDACTED = "[redacted]";
/** What all marks begin with: what begins with it has been redacted. */
export const MARK = "[redacted";

const TOKEN_68 = /[A-Za-z0-9._~+/=:-]+/y;
const UNQUOTED_END = /[ \t\r\n;&"'`<>|,]|\\[nrt"'\\]|%26/g;
const SPACE_OR_QUOTE = /[ \t\r\n"'`<>]/g;
const FRAGMENT = /#/g;
const AUTHORITY_END = /[/?# \t\r\n"'`<>\\]/g;
const ENCODED_END = /%2F|%3F|&/gi;
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
const USER_OPTION = /^(?:-u|-U|--user|--proxy-user)$/;
const DIGITS = /^[0-9]+(?:\.[0-9]+)?$/;
const LITERALS = new Set(
  "null none nil undefined true false string str bearer required".split(" "),
);
/** A file and a line, as in a stack: auth.ts:12:5. */
const SOURCE_FILE = /\.(?:[cm]?[jt]sx?|py|go|rs|rb|java|kt|cc?|cpp|h|cs|php|vue)$/i;
const POSITION = /[0-9]+:[0-9]+(?![\w@:.])/y;
const OPENERS: { [closer: string]: string } = { ")": "(", "]": "[", "}": "{", ">": "<" };

/** Names in front of an address that is no login: mailto:a@b.c. */
const NO_USER = new Set(
  "mailto sip sips xmpp acct to from cc bcc mail email e-mail contact npm git ssh author by".split(
    " ",
  ),
);

/** A host after `user:password@`: with a domain, a port or a path; localhost, an IPv4 address, or `tcp(`. */
const HOST =
  /(?:tcp\(|unix\(|localhost\b|[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b|(?!sha[0-9])[A-Za-z][\w-]{0,62}(?:\.[A-Za-z]|:[0-9]|\/))/y;

export function markOf(kind: string): string {
  return `${MARK}:${kind}]`;
}

/** The end of a run that a sticky expression matches from `start`. */
export function runEnd(run: RegExp, text: string, start: number): number {
  run.lastIndex = start;
  return start + (run.exec(text)?.[0].length ?? 0);
}

/** The first match from `start`, or the end of the text. */
function next(stop: RegExp, text: string, start: number): number {
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
  let end = start;
  let dots = 0;
  for (; end < text.length; end++) {
    const character = text[end] ?? "";
    if (character === ".") dots++;
    else if (!/[\w-]/.test(character)) break;
  }
  while (text[end - 1] === ".") {
    end--;
    dots--;
  }
  const isToken = dots >= 1 && text.indexOf(".", start) - start >= 10 && end - start >= 24;
  return isToken ? { start, end, mark: markOf("jwt"), rule: "jwt" } : undefined;
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

/** The password in `scheme://user:password@host`; of an address for HTTP, also a long user without one. */
export function urlLogin(
  text: string,
  start: number,
  colon: string,
  sign: string,
): Finding | undefined {
  const whole = upTo(SPACE_OR_QUOTE, text.slice(start, start + MAX_USERINFO));
  let authority = colon === ":" ? upTo(AUTHORITY_END, whole) : upTo(ENCODED_END, whole);
  let separator = authority.indexOf(colon);
  // A password with a slash, unencoded: what follows the colon is no port.
  const hasNoPort = separator >= 0 && !/^[0-9]*$/.test(authority.slice(separator + colon.length));
  if (!authority.includes(sign) && hasNoPort) authority = whole;
  const userEnd = authority.lastIndexOf(sign);
  if (userEnd < 0) return undefined;
  separator = authority.indexOf(colon);
  if (separator >= 0 && separator < userEnd)
    return keyed(text, start + separator + colon.length, start + userEnd, "url");
  const isHttp = /https?:\/\/$/.test(text.slice(Math.max(0, start - 8), start));
  return isHttp && userEnd >= MIN_URL_TOKEN
    ? keyed(text, start, start + userEnd, "url")
    : undefined;
}

function upTo(stop: RegExp, text: string): string {
  return text.slice(0, next(stop, text, 0));
}

/** `user:password@host` without a scheme, and Oracle's `thin:user/password@host`. `at` is the colon. */
export function login(text: string, at: number): Finding | undefined {
  if (!text.slice(at, at + MAX_USERINFO).includes("@")) return undefined;
  const name = nameBefore(text, at);
  if (name.end !== at || name.start === at || NO_USER.has(text.slice(name.start, at).toLowerCase()))
    return undefined;
  const value = upTo(UNQUOTED_END, text.slice(at + 1, at + 1 + MAX_USERINFO));
  const sign = value.lastIndexOf("@");
  if (sign < 1 || value.slice(0, sign).includes(":")) return undefined;
  const slash = value.indexOf("/");
  const isOracle = /^(?:thin|oci8?)$/.test(text.slice(name.start, at));
  if (isOracle)
    return slash > 0 && slash < sign
      ? keyed(text, at + slash + 2, at + 1 + sign, "url")
      : undefined;
  if (/^[0-9]*$/.test(value.slice(0, sign)) || (slash >= 0 && slash < sign)) return undefined;
  HOST.lastIndex = at + sign + 2;
  return HOST.test(text) ? keyed(text, at + 1, at + 1 + sign, "url") : undefined;
}

function keyed(text: string, start: number, end: number, rule: string): Finding | undefined {
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

/** The name that ends before `at`, behind a closing quote or bracket and blanks. */
function nameBefore(text: string, at: number): { start: number; end: number; isQuoted: boolean } {
  const least = Math.max(0, at - MAX_NAME_DISTANCE);
  let end = at;
  while (end > at - 2 && (text[end - 1] === " " || text[end - 1] === "\t")) end--;
  if (text[end - 1] === "]") end--;
  const isQuoted = text[end - 1] === '"' || text[end - 1] === "'";
  if (isQuoted) end--;
  while (isQuoted && end > at - 8 && text[end - 1] === "\\") end--;
  let start = end;
  while (start > least && isNameCode(text.charCodeAt(start - 1))) start--;
  return { start, end, isQuoted };
}

/** `name=value`, `name: value`, `"name": "value"`, with the separator at `at` and the rest from `from`. */
export function named(
  text: string,
  at: number,
  from: number,
  ownName: (name: string) => boolean,
): Finding | undefined {
  const { start, end, isQuoted } = nameBefore(text, at);
  if (start === end) return undefined;
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
  const rule = `name ${name.replace(/^-+/, "")}`;
  if (isHeader(name) && !isQuery) return header(text, value, before, rule);
  const isProse =
    (ordinary === NAME.ordinary && name.toLowerCase() === "key") ||
    (value > blanks && text[at] === ":" && !isQuoted && kind !== NAME.any);
  return valueAt(text, value, { kind, rule, isQuery, isProse });
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

type Value = { kind: NameClass; rule: string; isQuery?: boolean; isProse?: boolean };

/** The value of a secret's name: quoted, in brackets, or up to the next delimiter. */
function valueAt(
  text: string,
  at: number,
  { kind, rule, isQuery, isProse }: Value,
): Finding | undefined {
  const start = /[bBfFrRuU]/.test(text[at] ?? "") && /["']/.test(text[at + 1] ?? "") ? at + 1 : at;
  if (text.startsWith(MARK, start)) return undefined;
  const quoted = quotedAt(text, start);
  if (quoted) {
    const isNumber = kind === NAME.count && DIGITS.test(text.slice(quoted.start, quoted.end));
    const isSign = kind !== NAME.any && !/[A-Za-z0-9]/.test(text.slice(quoted.start, quoted.end));
    return isNumber || isSign ? undefined : keyed(text, quoted.start, quoted.end, rule);
  }
  if (text[start] === "[" || text[start] === "{") {
    const end = bracketEnd(text, start);
    return /[A-Za-z0-9]/.test(text.slice(start, end)) ? keyed(text, start, end, rule) : undefined;
  }
  let end = next(UNQUOTED_END, text, start);
  if (isQuery === true) end = start + upTo(FRAGMENT, text.slice(start, end)).length;
  while (end > start && isUnopened(text, start, end)) end--;
  const value = text.slice(start, end);
  if (LITERALS.has(value.toLowerCase()) || (kind !== NAME.any && DIGITS.test(value)))
    return undefined;
  if (isProse === true && value.length < 16 && !/[0-9]/.test(value)) return undefined;
  return keyed(text, start, end, rule);
}

/** Whether the value ends with a bracket that it did not open: `(password=x)`. */
function isUnopened(text: string, start: number, end: number): boolean {
  const opener = OPENERS[text[end - 1] ?? ""];
  return opener !== undefined && !text.slice(start, end).includes(opener);
}

/** The inside of a quoted value. In JSON within JSON the quotes have backslashes. Without a closing quote it was cut, and ends with the text. */
function quotedAt(text: string, at: number): { start: number; end: number } | undefined {
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
function header(text: string, at: number, before: string, rule: string): Finding | undefined {
  if (text.startsWith(MARK, at)) return undefined;
  if (quotedAt(text, at) || text[at] === "[" || text[at] === "{")
    return valueAt(text, at, { kind: NAME.any, rule });
  const scheme = runEnd(SCHEME, text, at);
  if (text.startsWith(MARK, scheme)) return undefined;
  const quote = HEADER_END[before];
  const stop = quote ?? (scheme > at ? UNQUOTED_END : LINE_END);
  const end = next(stop, text, quote ? at : scheme);
  return LITERALS.has(text.slice(at, end).toLowerCase()) ? undefined : keyed(text, at, end, rule);
}

/** `--password x`, `-u user:x`, and `-p x` of a command for which it is the password. */
export function option(
  text: string,
  at: number,
  ownName: (name: string) => boolean,
): Finding | undefined {
  const preceding = text[at - 1];
  if (isAlphanumeric(preceding) || preceding === "_" || preceding === "-") return undefined;
  if (!/^-?[A-Za-z]/.test(text.slice(at + 1, at + 3))) return undefined;
  let end = at;
  while (end < at + MAX_NAME_DISTANCE && isNameCode(text.charCodeAt(end))) end++;
  const name = text.slice(at, end);
  let value = end;
  while (value < end + 4 && (text[value] === " " || text[value] === "\t")) value++;
  const before = text.slice(Math.max(0, at - MAX_COMMAND_DISTANCE), at);
  const attached = name.length > 2 && isPasswordOption(before, name.slice(0, 2), true);
  if (attached)
    return valueAt(text, at + 2, { kind: NAME.any, rule: `option ${name.slice(0, 2)}` });
  if (value === end || text[value] === "-" || value === text.length) return undefined;
  const rule = `option ${name}`;
  if (USER_OPTION.test(name)) {
    const quoted = quotedAt(text, value);
    const from = quoted?.start ?? value;
    const whole = text.slice(from, quoted?.end ?? next(UNQUOTED_END, text, value));
    const user = userPassword(name, whole);
    return user === undefined
      ? undefined
      : keyed(text, from + user.length, from + whole.length, rule);
  }
  if (isPasswordOption(before, name, false)) return valueAt(text, value, { kind: NAME.any, rule });
  const kind = ownName(name.replace(/^-+/, "")) ? NAME.any : optionClass(name);
  if (kind === NAME.ordinary) return undefined;
  return isHeader(name) ? header(text, value, "", rule) : valueAt(text, value, { kind, rule });
}

/** `user:` of the argument `user:password` of `-u`; undefined for the group of `-u 1000:1000`. */
export function userPassword(option: string, value: string): string | undefined {
  if (!USER_OPTION.test(option)) return undefined;
  const user = value.slice(0, value.indexOf(":") + 1);
  const password = value.slice(user.length);
  return user === "" || /^[0-9]*$/.test(password) || password.startsWith(MARK) ? undefined : user;
}
