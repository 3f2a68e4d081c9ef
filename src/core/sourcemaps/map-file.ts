/**
 * Reads a source map (ECMA-426) of any size without parsing it as a whole: the bytes of its mappings and of each source stay where they
 * are, so it takes little more memory than the file. Linear. Throws a Refusal if the map is malformed or over a limit.
 */
import { decodeUtf8 } from "../segments/bytes.ts";
import { Refusal } from "../refusal.ts";
import {
  MAX_PATH_LENGTH,
  MAX_SECTION_DEPTH,
  MAX_SECTIONS,
  MAX_SOURCES,
  MAX_SOURCES_LENGTH,
} from "./limits.ts";

/** Where a value is in the file. */
type Span = { from: number; to: number };

/** A map, or a section of one. */
export type Section = {
  /** Where its code begins in the generated file, both from 0. */
  line: number;
  column: number;
  mappings: Uint8Array;
  /** Paths, with the map's sourceRoot in front. */
  sources: string[];
  /** The content of each source, as JSON. */
  contents: Span[];
  /** A JSON array. */
  names: Span | undefined;
};

export type MapFile = {
  bytes: Uint8Array;
  sections: Section[];
  /** A UUID that the bundler wrote into the map and the file. */
  debugId: string | undefined;
  /** How many sources all sections have, and the characters of their paths. */
  sources: number;
  sourcesLength: number;
};

export function readMapFile(bytes: Uint8Array): MapFile {
  // A line in front, against inclusion as a script.
  const start = bytes[0] === 0x29 ? lineAfter(bytes, 0) : 0;
  const scanner = new Scanner(bytes, start);
  const found: MapFile = {
    bytes,
    sections: [],
    debugId: undefined,
    sources: 0,
    sourcesLength: 0,
  };
  const version = readMap(scanner, found, { line: 0, column: 0 }, 0);
  scanner.end();
  if (version !== 3) throw malformed("its version is not 3");
  if (found.sections.length === 0) throw malformed("it has no mappings");
  return found;
}

/** The text of a JSON string; undefined for anything else, and for a text that is many times longer than `length` characters. */
export function stringAt(
  bytes: Uint8Array,
  { from, to }: Span,
  length = Infinity,
): string | undefined {
  // A list of 32 MiB takes ten times as much when it is parsed. A character has at most six bytes.
  if (bytes[from] === OPEN_LIST || bytes[from] === OPEN_OBJECT) return undefined;
  if (to - from > 6 * length + 2) return undefined;
  const value = jsonAt(bytes, { from, to });
  return typeof value === "string" ? value : undefined;
}

/** The elements of a JSON array, one after the other. */
export function* elementsOf(bytes: Uint8Array, span: Span | undefined): Generator<Span> {
  if (span === undefined || bytes[span.from] !== OPEN_LIST) return;
  const scanner = new Scanner(bytes, span.from);
  yield* scanner.elements();
}

export function malformed(why: string): Refusal {
  return new Refusal("invalid_body", `This is no source map: ${why}.`);
}

function tooLarge(what: string): Refusal {
  return new Refusal("too_large", `The source map has ${what}; upload smaller ones.`);
}

type Offset = { line: number; column: number };

/** Adds the sections of the map that begins here; the version that it names. */
function readMap(scanner: Scanner, found: MapFile, offset: Offset, depth: number): unknown {
  if (depth > MAX_SECTION_DEPTH)
    throw malformed(`its sections are nested deeper than ${MAX_SECTION_DEPTH}`);
  const { bytes } = found;
  const fields = new Map<string, Span>();
  for (const [name, span] of scanner.members()) if (FIELDS.has(name)) fields.set(name, span);
  const textOf = (name: string, length: number) => {
    const span = fields.get(name);
    return span && stringAt(bytes, span, length)?.slice(0, length);
  };
  const version = versionIn(bytes, fields.get("version"));

  if (depth === 0) found.debugId = textOf("debugId", 64) ?? textOf("debug_id", 64);
  const sections = fields.get("sections");
  if (sections) {
    for (const span of elementsOf(bytes, sections)) readSection(found, span, offset, depth);
    return version;
  }

  const mappings = fields.get("mappings");
  if (!mappings) throw malformed("it has neither mappings nor sections");
  if (bytes[mappings.from] !== QUOTE) throw malformed("its mappings are no text");
  if (found.sections.length >= MAX_SECTIONS) throw tooLarge(`more than ${MAX_SECTIONS} sections`);
  const last = found.sections.at(-1);
  if (last && isBefore(offset, last)) throw malformed("its sections are not in order");
  const root = textOf("sourceRoot", MAX_PATH_LENGTH) ?? "";
  const sources = sourcesIn(found, fields.get("sources"), root);
  const contents: Span[] = [];
  for (const span of elementsOf(bytes, fields.get("sourcesContent"))) {
    if (contents.length === sources.length) break;
    contents.push(span);
  }
  found.sections.push({
    ...offset,
    mappings: bytes.subarray(mappings.from + 1, mappings.to - 1),
    sources,
    contents,
    names: fields.get("names"),
  });
  return version;
}

function versionIn(bytes: Uint8Array, span: Span | undefined): unknown {
  return span && span.to - span.from < 20 ? jsonAt(bytes, span) : undefined;
}

const FIELDS = new Set(
  "version mappings sources sourceRoot sourcesContent names sections debugId debug_id".split(" "),
);

/** `{"offset": {"line": 0, "column": 0}, "map": {…}}` */
function readSection(found: MapFile, span: Span, offset: Offset, depth: number): void {
  const { bytes } = found;
  if (bytes[span.from] !== OPEN_OBJECT) throw malformed("a section is no object");
  let [at, map]: [Span | undefined, Span | undefined] = [undefined, undefined];
  for (const [name, value] of new Scanner(bytes, span.from).members())
    if (name === "offset") at = value;
    else if (name === "map") map = value;
  if (!at || !map || at.to - at.from > 200 || bytes[map.from] !== OPEN_OBJECT)
    throw malformed("a section has no offset or no map");
  const value = jsonAt(bytes, at) as Partial<Offset> | null; // checked below
  const { line, column } = value ?? {};
  if (!isPosition(line) || !isPosition(column)) throw malformed("a section's offset is invalid");
  const from = { line: offset.line + line, column: column + (line === 0 ? offset.column : 0) };
  readMap(new Scanner(bytes, map.from), found, from, depth + 1);
}

function isPosition(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) < 2 ** 31;
}

function isBefore(one: Offset, other: Offset): boolean {
  return one.line < other.line || (one.line === other.line && one.column < other.column);
}

function sourcesIn(found: MapFile, span: Span | undefined, root: string): string[] {
  const sources: string[] = [];
  const folder = root === "" ? "" : `${root.replace(/\/$/, "")}/`;
  for (const element of elementsOf(found.bytes, span)) {
    if (++found.sources > MAX_SOURCES) throw tooLarge(`more than ${MAX_SOURCES} sources`);
    const own = stringAt(found.bytes, element, MAX_PATH_LENGTH) ?? "";
    const isAbsolute = /^(?:[a-z][a-z0-9+.-]*:|[\\/])/i.test(own);
    const path = `${isAbsolute ? "" : folder}${own.slice(0, MAX_PATH_LENGTH)}`;
    found.sourcesLength += path.length;
    if (found.sourcesLength > MAX_SOURCES_LENGTH)
      throw tooLarge(`more than ${MAX_SOURCES_LENGTH} characters in the paths of its sources`);
    sources.push(path);
  }
  return sources;
}

function jsonAt(bytes: Uint8Array, { from, to }: Span): unknown {
  try {
    return JSON.parse(decodeUtf8(bytes.subarray(from, to)));
  } catch {
    throw malformed(`what is at byte ${from} is not valid JSON or UTF-8`);
  }
}

function lineAfter(bytes: Uint8Array, from: number): number {
  const end = bytes.indexOf(0x0a, from);
  return end < 0 ? bytes.length : end + 1;
}

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Finds where the values of a JSON text are. Checks its structure; numbers and texts are checked when they are parsed. */
class Scanner {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  *members(): Generator<[string, Span]> {
    this.#expect(OPEN_OBJECT);
    if (this.#skipBlanks() === CLOSE_OBJECT) this.#at++;
    else
      do {
        this.#skipBlanks();
        const key = this.#string();
        this.#expect(COLON);
        const span = this.#value();
        // Longer keys are none of ours.
        yield [key.to - key.from > 32 ? "" : String(jsonAt(this.#bytes, key)), span];
      } while (this.#continues(CLOSE_OBJECT));
  }

  *elements(): Generator<Span> {
    this.#expect(OPEN_LIST);
    if (this.#skipBlanks() === CLOSE_LIST) this.#at++;
    else
      do yield this.#value();
      while (this.#continues(CLOSE_LIST));
  }

  /** Only blanks may follow. */
  end(): void {
    if (this.#skipBlanks() !== undefined) throw malformed(`something follows it at ${this.#at}`);
  }

  #continues(close: number): boolean {
    const next = this.#skipBlanks();
    this.#at++;
    if (next === COMMA) return true;
    if (next === close) return false;
    throw malformed(`the JSON is invalid at byte ${this.#at - 1}`);
  }

  #expect(code: number): void {
    if (this.#skipBlanks() !== code) throw malformed(`the JSON is invalid at byte ${this.#at}`);
    this.#at++;
  }

  #skipBlanks(): number | undefined {
    for (;;) {
      const code = this.#bytes[this.#at];
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return code;
      this.#at++;
    }
  }

  #value(): Span {
    const first = this.#skipBlanks();
    const from = this.#at;
    if (first === QUOTE) return this.#string();
    if (first === OPEN_LIST || first === OPEN_OBJECT) this.#skipNested();
    else while (isScalar(this.#bytes[this.#at])) this.#at++;
    if (this.#at === from) throw malformed(`the JSON is invalid at byte ${from}`);
    return { from, to: this.#at };
  }

  /** Over a list or an object, by counting brackets: no recursion, however deep it is nested. */
  #skipNested(): void {
    let depth = 0;
    do {
      const code = this.#bytes[this.#at];
      if (code === undefined) throw malformed("it is cut off");
      if (code === QUOTE) this.#string();
      else {
        if (code === OPEN_LIST || code === OPEN_OBJECT) depth++;
        else if (code === CLOSE_LIST || code === CLOSE_OBJECT) depth--;
        this.#at++;
      }
    } while (depth > 0);
  }

  /** With its quotes. */
  #string(): Span {
    const from = this.#at;
    if (this.#bytes[from] !== QUOTE) throw malformed(`the JSON is invalid at byte ${from}`);
    let end = this.#bytes.indexOf(QUOTE, from + 1);
    while (end >= 0 && this.#isEscaped(end, from)) end = this.#bytes.indexOf(QUOTE, end + 1);
    if (end < 0) throw malformed("it is cut off");
    this.#at = end + 1;
    return { from, to: this.#at };
  }

  /** After an odd number of backslashes. */
  #isEscaped(at: number, from: number): boolean {
    let before = at - 1;
    while (before > from && this.#bytes[before] === BACKSLASH) before--;
    return (at - 1 - before) % 2 === 1;
  }
}

/** A character of a number, or of true, false and null. */
function isScalar(code: number | undefined): boolean {
  return (
    code !== undefined &&
    /* - + . 0-9 */ ((code >= 0x2b && code <= 0x39 && code !== COMMA) ||
      (code >= 0x41 &&
        code <= 0x7a &&
        code !== OPEN_LIST &&
        code !== CLOSE_LIST &&
        code !== BACKSLASH))
  );
}
