/**
 * Parses a query: texts, `field:value`, `-`, NOT, AND, OR, parentheses.
 *
 *   crashed door                       both texts
 *   product:game version:>=1.2         both conditions; AND is optional and binds more than OR
 *   status:crashed,failed              one of these
 *   exit_code:!0                       a value other than this; -exit_code:0 includes sessions without any
 *   state.level:3..5  ran:>5m          ranges
 *   event:door_*  ever.window:*        beginnings, ends, middles; any value
 *   "old door"  state."a b".c:"x y"   quotes around whatever has blanks, quotes, commas or parentheses
 *
 * Time and depth are bounded: MAX_QUERY_LENGTH characters, MAX_QUERY_TERMS conditions and texts, MAX_QUERY_VALUES values, of which
 * MAX_QUERY_PATTERNS have a *, MAX_QUERY_DEPTH parentheses.
 */
import {
  MAX_QUERY_DEPTH,
  MAX_QUERY_LENGTH,
  MAX_QUERY_PATTERNS,
  MAX_QUERY_TERMS,
  MAX_QUERY_VALUES,
} from "../limits.ts";
import { refusedAt } from "./refusal.ts";
import { sessionList } from "./fields.ts";
import type { QueryList } from "./list.ts";
import { fieldNamed, unknownField } from "./names.ts";
import { EVERY, type Query, type Span } from "./tree.ts";
import { matchOf, type WrittenValue } from "./values.ts";

/** A query for sessions. `kinds`: the statuses that they are searched by. Throws as `parseQueryOf`. */
export function parseQuery(
  text: string,
  { now, kinds }: { now: number; kinds: readonly string[] },
): Query {
  return parseQueryOf(sessionList(kinds), text, now);
}

/**
 * A query for the rows of a list. Relative times are before `now`. Throws a Refusal (invalid_query) whose detail `position` is the character
 * at which it was not understood, from 0.
 */
export function parseQueryOf(list: QueryList, text: string, now: number): Query {
  if (text.length > MAX_QUERY_LENGTH)
    throw refusedAt(
      MAX_QUERY_LENGTH,
      `A query may have ${MAX_QUERY_LENGTH} characters; this has ${text.length}`,
    );
  return new Parser(list, text, now).parse();
}

const BLANK = /\s/;
/** What ends a value and a phrase without quotes. */
const ENDS_VALUE = /[\s()",]/;
const ENDS_PHRASE = /[\s()"]/;
const OPERATORS = [">=", "<=", ">", "<", "=", "!"] as const;

class Parser {
  readonly #list: QueryList;
  readonly #text: string;
  readonly #now: number;
  #at = 0;
  #terms = 0;
  #values = 0;
  #patterns = 0;
  #depth = 0;

  constructor(list: QueryList, text: string, now: number) {
    this.#list = list;
    this.#text = text;
    this.#now = now;
  }

  parse(): Query {
    this.#skipBlanks();
    if (this.#isAtEnd()) return EVERY;
    const query = this.#either();
    if (!this.#isAtEnd()) throw refusedAt(this.#at, `There is a ) without a (`);
    return query;
  }

  /** Parts joined by OR. */
  #either(): Query {
    const of = [this.#all()];
    while (this.#takeKeyword("OR")) of.push(this.#all());
    return of.length === 1 && of[0] ? of[0] : { kind: "or", of };
  }

  /** Parts joined by AND, or by nothing. */
  #all(): Query {
    const of: Query[] = [];
    for (;;) {
      this.#skipBlanks();
      if (of.length > 0 && this.#takeKeyword("AND")) {
        of.push(this.#one());
        continue;
      }
      const isOver = this.#isAtEnd() || this.#peek() === ")" || this.#isKeyword("OR");
      if (!isOver) {
        of.push(this.#one());
        continue;
      }
      if (of.length === 0) throw refusedAt(this.#at, "A condition is missing");
      return of.length === 1 && of[0] ? of[0] : { kind: "and", of };
    }
  }

  #one(): Query {
    this.#skipBlanks();
    const from = this.#at;
    const isMinus = this.#peek() === "-" && !BLANK.test(this.#text.charAt(this.#at + 1) || " ");
    if (isMinus || this.#isKeyword("NOT")) {
      this.#at += isMinus ? 1 : 3;
      this.#enter(from);
      const of = this.#one();
      this.#depth--;
      return { kind: "not", of };
    }
    if (this.#peek() !== "(") return this.#leaf();
    this.#enter(from);
    this.#at++;
    const query = this.#either();
    this.#skipBlanks();
    if (this.#peek() !== ")") throw refusedAt(from, "This ( has no )");
    this.#at++;
    this.#depth--;
    return query;
  }

  #enter(at: number): void {
    if (++this.#depth > MAX_QUERY_DEPTH)
      throw refusedAt(at, `A query may be nested ${MAX_QUERY_DEPTH} deep`);
  }

  /** A condition or a phrase. */
  #leaf(): Query {
    const from = this.#at;
    if (++this.#terms > MAX_QUERY_TERMS)
      throw refusedAt(from, `A query may have ${MAX_QUERY_TERMS} conditions and texts`);
    if (this.#isAtEnd() || this.#peek() === ")") throw refusedAt(from, "A condition is missing");
    const name = this.#fieldName();
    if (name === undefined) {
      const text = this.#peek() === '"' ? this.#quoted() : this.#until(ENDS_PHRASE);
      if (text === "") throw refusedAt(from, "A text is missing");
      const span = this.#since(from);
      // A tag needs no value.
      const field = this.#text.startsWith("tag.", from) ? fieldNamed(text, this.#list) : undefined;
      if (!field) return { kind: "phrase", text, span };
      return { kind: "term", field: field.field, any: [{ kind: "any" }], isNot: false, span };
    }
    const field = fieldNamed(name, this.#list);
    if (!field) throw refusedAt(from, unknownField(name, this.#list));
    return this.#term(field, from);
  }

  #term({ field, info }: NonNullable<ReturnType<typeof fieldNamed>>, from: number): Query {
    const isNot = this.#peek() === "!";
    if (isNot) this.#at++;
    const written: WrittenValue[] = [];
    do {
      this.#at += written.length > 0 ? 1 : 0; // the comma
      if (++this.#values > MAX_QUERY_VALUES)
        throw refusedAt(this.#at, `A query may have ${MAX_QUERY_VALUES} values`);
      written.push(this.#value());
    } while (this.#peek() === ",");
    const any = written.map((value) => matchOf(value, info, this.#now));
    this.#patterns += any.filter(({ kind }) => kind === "like").length;
    if (this.#patterns > MAX_QUERY_PATTERNS)
      throw refusedAt(from, `A query may have ${MAX_QUERY_PATTERNS} values with *`);
    return { kind: "term", field, any, isNot, span: this.#since(from) };
  }

  /** The text before a colon; undefined if there is none, and then nothing is consumed. */
  #fieldName(): string | undefined {
    const from = this.#at;
    let name = "";
    while (!this.#isAtEnd()) {
      const character = this.#peek();
      if (character === ":") {
        if (name === "") break;
        this.#at++;
        return name;
      }
      if (character === '"') {
        // A phrase; or within a path, a key.
        if (name === "" || !name.endsWith(".")) break;
        name += this.#quoted().replaceAll(/[\\.]/g, (special) => `\\${special}`);
      } else if (ENDS_VALUE.test(character)) break;
      else {
        name += character;
        this.#at++;
        if (character === "\\") name += this.#text.charAt(this.#at++);
      }
    }
    this.#at = from;
    return undefined;
  }

  /** A value with the operator before it. */
  #value(): WrittenValue {
    const at = this.#at;
    const operator = OPERATORS.find(
      (each) => each !== "!" && this.#text.startsWith(each, this.#at),
    );
    if (operator) this.#at += operator.length;
    if (this.#peek() === '"') return { at, operator, text: this.#quoted(), isQuoted: true };
    return { at, operator, text: this.#until(ENDS_VALUE), isQuoted: false };
  }

  #until(end: RegExp): string {
    const from = this.#at;
    while (!this.#isAtEnd() && !end.test(this.#peek())) this.#at++;
    return this.#text.slice(from, this.#at);
  }

  /** A text in quotes. A backslash stands before a quote or a backslash in it. */
  #quoted(): string {
    const from = this.#at++;
    let text = "";
    for (;;) {
      if (this.#isAtEnd()) throw refusedAt(from, 'This " has no second one');
      const character = this.#text.charAt(this.#at++);
      if (character === '"') return text;
      const next = this.#peek();
      const isEscape = character === "\\" && (next === '"' || next === "\\");
      text += isEscape ? this.#text.charAt(this.#at++) : character;
    }
  }

  #takeKeyword(keyword: string): boolean {
    this.#skipBlanks();
    if (!this.#isKeyword(keyword)) return false;
    this.#at += keyword.length;
    return true;
  }

  /** Whether this keyword comes next, alone and in capital letters. */
  #isKeyword(keyword: string): boolean {
    const after = this.#text.charAt(this.#at + keyword.length);
    return this.#text.startsWith(keyword, this.#at) && (after === "" || /[\s()]/.test(after));
  }

  #skipBlanks(): void {
    while (!this.#isAtEnd() && BLANK.test(this.#peek())) this.#at++;
  }

  #peek(): string {
    return this.#text.charAt(this.#at);
  }

  #isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  #since(from: number): Span {
    return { from, to: this.#at };
  }
}
