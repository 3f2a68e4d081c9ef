/**
 * Where secrets may be in a text. A few expressions of plain alternatives decide first whether it has a candidate at all, each in one pass of
 * the engine. No lookbehind: Safari has it since 16.4 only.
 */
import { card, isNumber, NUMBER, numberEnd } from "./cards.ts";
import { element, IS_VARIABLE, variable } from "./elements.ts";
import { MAX_NAME_DISTANCE } from "./limits.ts";
import { login, urlLogin } from "./logins.ts";
import { option } from "./options.ts";
import { STEMS } from "./names.ts";
import type { OwnRules } from "./own.ts";
import { PREFIX_RULES, type PrefixRule } from "./prefixes.ts";
import {
  type Finding,
  isAlphanumeric,
  isNameCode,
  jwt,
  markOf,
  named,
  pem,
  runEnd,
  scheme,
} from "./text.ts";

const OPTION = "-[pPawuUb]|--(?:proxy-)?user|-----BEGIN ";
/** Of HTTP's authentication, as these are written. */
const SCHEME = "[Bb](?:earer|asic|EARER|ASIC)[ \\t]";
/** The colon of `user:password@host`. It reads to the next colon at most. */
const LOGIN = ":[^ \\t\\r\\n;&\"'`<>|,:@]+@";
const URL = "://|%3[Aa]%2[Ff]%2[Ff]";

/** Without one of these, a text has no secret but a variable and those of `#isPlain`. */
const SIGN = /[-:=%@_<]/;
const IS_OPTION = new RegExp(`(?:^|[^\\w-])(?:${OPTION})|-----BEGIN `);
const IS_LOGIN = /@|%40/;

/** From the end of a name to its separator: a closing quote, a bracket, the index of a list, blanks. */
const SEPARATOR =
  /((?:\\{0,8}["'])?)(?:\]|%5[Dd])?(?:\[["']?[\w.-]{0,32}["']?\]|%5[Bb][\w.-]{0,32}%5[Dd])?[ \t]{0,2}([:=]|%3[Dd])(?!\/\/)/y;

type Run = { rule: PrefixRule; run: RegExp };

export class Candidates {
  readonly #names: RegExp;
  readonly #formats: RegExp;
  /** Formats of letters, digits and dots only. */
  readonly #isPlain: RegExp;
  readonly #isPrefix: RegExp;
  readonly #runs: Run[];
  constructor(own: OwnRules) {
    this.#runs = [...PREFIX_RULES, ...own.prefixes].map((rule) => ({ rule, run: runOf(rule) }));
    // The longest first, because an expression takes the first that fits.
    const prefixes = this.#runs.map(({ rule }) => rule.prefix).sort((a, b) => b.length - a.length);
    const plain = prefixes.filter((prefix) => !/[-_/]/.test(prefix));
    this.#isPrefix = oneOf(prefixes.map(escaped));
    this.#isPlain = oneOf([...plain.map(escaped), "eyJ", SCHEME]);
    this.#names = oneOf([...STEMS, ...own.names].map(escaped), "gi");
    this.#formats = oneOf(
      [...prefixes.map(escaped), "eyJ", SCHEME, URL, OPTION, NUMBER, LOGIN],
      "g",
    );
  }

  /** Whether the text has a candidate. Most texts have none, so this is most of the cost of redaction. */
  isIn(text: string): boolean {
    if (SIGN.test(text)) return this.#hasFormat(text) || this.#hasName(text);
    return this.#isPlain.test(text) || isNumber(text) || IS_VARIABLE.test(text);
  }

  #hasName(text: string): boolean {
    this.#names.lastIndex = 0;
    return this.#names.test(text) && (/[-:=%<]/.test(text) || IS_VARIABLE.test(text));
  }

  #hasFormat(text: string): boolean {
    if (this.#isPlain.test(text) || isNumber(text) || IS_LOGIN.test(text)) return true;
    return (
      (/[-_]/.test(text) && (IS_OPTION.test(text) || this.#isPrefix.test(text))) ||
      (text.includes("hook") && this.#isPrefix.test(text))
    );
  }

  /** The secrets in a text, in order. */
  findings(text: string, isOwn: (name: string) => boolean): Finding[] {
    const found: Finding[] = [];
    let end = 0;
    /** The end of the name that was examined last: other stems in it have the same separator. */
    let nameEnd = 0;
    let name = from(this.#names, text, 0);
    let format = this.#hasFormat(text) ? from(this.#formats, text, 0) : null;
    while (name ?? format) {
      let finding: Finding | undefined;
      if (format && !(name && name.index < format.index)) {
        const { index } = format;
        finding = this.#formatAt(text, index, format[0], isOwn);
        format = from(this.#formats, text, Math.max(numberEnd(text, index), finding?.end ?? 0));
      } else if (name) {
        const at = isNameCode(text.charCodeAt(name.index)) ? name.index : name.index + 1; // behind the ? of a query
        if (at >= nameEnd) {
          nameEnd = at;
          while (isNameCode(text.charCodeAt(nameEnd))) nameEnd++;
          finding = nameAt(text, at, nameEnd, isOwn);
        }
        name = from(this.#names, text, Math.max(nameEnd, finding?.end ?? 0));
      }
      if (!finding || finding.start < end) continue;
      found.push(finding);
      ({ end } = finding);
      if (name && name.index < end) name = from(this.#names, text, end);
      if (format && format.index < end) format = from(this.#formats, text, end);
    }
    return found;
  }

  #formatAt(
    text: string,
    at: number,
    match: string,
    isOwn: (name: string) => boolean,
  ): Finding | undefined {
    switch (text[at]) {
      case ":":
        return match === "://" ? urlLogin(text, at + 3, ":", "@") : login(text, at);
      case "%":
        return urlLogin(text, at + 9, "%3A", "%40");
      case "-":
        return pem(text, at) ?? option(text, at, isOwn);
    }
    return jwt(text, at) ?? scheme(text, at) ?? card(text, at) ?? this.#prefixed(text, at);
  }

  /** A key or token with the prefix of its issuer. */
  #prefixed(text: string, start: number): Finding | undefined {
    if (isAlphanumeric(text[start - 1])) return undefined;
    for (const { rule, run } of this.#runs) {
      if (!text.startsWith(rule.prefix, start)) continue;
      const from = start + rule.prefix.length;
      const end = runEnd(run, text, from);
      if (end - from >= rule.least && end - from <= (rule.most ?? Infinity))
        return { start, end, mark: markOf(rule.kind), rule: rule.kind };
    }
    return undefined;
  }
}

/** The value of the name around `at` that ends at `end`: behind its separator, in its element, or as an argument. */
function nameAt(
  text: string,
  at: number,
  end: number,
  isOwn: (name: string) => boolean,
): Finding | undefined {
  let start = at;
  while (start > at - MAX_NAME_DISTANCE && isNameCode(text.charCodeAt(start - 1))) start--;
  const argument = text[start] === "-" ? option(text, start, isOwn) : undefined;
  if (argument) return argument;
  SEPARATOR.lastIndex = end;
  const [, quote, separator] = SEPARATOR.exec(text) ?? [];
  const name = { start, end, isQuoted: quote !== "" };
  if (separator === undefined) return element(text, name, isOwn) ?? variable(text, name, isOwn);
  return named(text, name, SEPARATOR.lastIndex - separator.length, SEPARATOR.lastIndex, isOwn);
}

function oneOf(alternatives: string[], flags?: string): RegExp {
  return new RegExp(alternatives.join("|"), flags);
}

function from(expression: RegExp, text: string, at: number): RegExpExecArray | null {
  expression.lastIndex = at;
  return expression.exec(text);
}

function runOf({ characters, most }: PrefixRule): RegExp {
  return new RegExp(`[${characters}]${most === undefined ? "*" : `{0,${most + 1}}`}`, "y");
}

function escaped(text: string): string {
  return text.replace(/[^A-Za-z0-9_]/g, "\\$&");
}
