/**
 * The mappings of a source map (ECMA-426): Base64 VLQ numbers, each relative to the one before. They are cut into blocks with the numbers
 * at their start, so that a position is found by decoding one block.
 */
import { BLOCK_LENGTH } from "./limits.ts";
import { malformed } from "./map-file.ts";

/** The numbers before a block: those that its first segment is relative to. All from 0. */
type State = {
  line: number;
  column: number;
  source: number;
  sourceLine: number;
  sourceColumn: number;
  name: number;
};

/** Where a block of mappings is, and how it is decoded. */
export type MappingBlock = {
  /** The generated position from which on it is asked: that of its first segment, or of its section. */
  from: { line: number; column: number };
  state: State;
};

/** What a generated position is in its source; lines and columns from 0. */
type Mapped = {
  source: number;
  line: number;
  column: number;
  /** The index of the name of the token. Only if the token begins at the asked position. */
  name: number | undefined;
};

type Bounds = { sources: number; names: number };
type Start = Pick<State, "line" | "column"> & { sourceBase: number; nameBase: number };

/** A section's mappings in blocks. Throws a Refusal if they are malformed, or name a source or a name that there is not. Linear. */
export function* blocksOf(
  mappings: Uint8Array,
  start: Start,
  bounds: Bounds,
): Generator<MappingBlock & { bytes: Uint8Array }> {
  const { line, column, sourceBase: source, nameBase: name } = start;
  const state: State = { line, column, source, sourceLine: 0, sourceColumn: 0, name };
  const reader = new Reader(mappings, 0, state);
  let [at, before] = [0, { ...state }];
  let from: MappingBlock["from"] | undefined = { line, column };
  const close = (to: number) => {
    const block = {
      from: from ?? { line: state.line, column: state.column },
      state: before,
      bytes: mappings.subarray(at, to),
    };
    [at, before, from] = [to, { ...state }, undefined];
    return block;
  };

  while (reader.next(at + BLOCK_LENGTH)) {
    if (reader.fields > 1) check(state, start, bounds);
    else if (state.column < 0) throw malformed("a column is negative");
    from ??= { line: state.line, column: state.column };
    if (reader.at - at >= BLOCK_LENGTH) yield close(reader.at);
  }
  yield close(mappings.length);
}

function check(
  { column, source, sourceLine, sourceColumn, name }: State,
  { sourceBase, nameBase }: Start,
  { sources, names }: Bounds,
): void {
  if (column < 0 || sourceLine < 0 || sourceColumn < 0)
    throw malformed("a line or a column is negative");
  if (source < sourceBase || source >= sourceBase + sources)
    throw malformed(`its mappings name source ${source - sourceBase}, and it has ${sources}`);
  if (name < nameBase || (name >= nameBase + names && name !== nameBase))
    throw malformed(`its mappings name name ${name - nameBase}, and it has ${names}`);
}

/** The block that a generated position is in; undefined if it is before every one. */
export function blockAt(
  blocks: readonly Pick<MappingBlock, "from">[],
  line: number,
  column: number,
): number | undefined {
  return lastIndex(
    blocks,
    ({ from }) => from.line < line || (from.line === line && from.column <= column),
  );
}

/** The last element for which this holds, in a list in which it holds for all before that one. */
export function lastIndex<Element>(
  list: readonly Element[],
  holds: (element: Element) => boolean,
): number | undefined {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const element = list[middle];
    if (element !== undefined && holds(element)) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? undefined : low - 1;
}

/** The last segment of the line that begins at or before the column. Undefined if there is none, or it is mapped to no source. */
export function findMapped(
  bytes: Uint8Array,
  { state: before }: Pick<MappingBlock, "state">,
  line: number,
  column: number,
): Mapped | undefined {
  const state = { ...before };
  const reader = new Reader(bytes, 0, state);
  let found: Mapped | undefined;
  let best = -1;
  while (reader.next() && state.line <= line) {
    // Segments may be out of order within a line. Of equal ones the last holds.
    if (state.line !== line || state.column > column || state.column < best) continue;
    best = state.column;
    const { source, sourceLine, sourceColumn, name } = state;
    const isNamed = reader.fields === 5 && state.column === column;
    found =
      reader.fields === 1
        ? undefined
        : { source, line: sourceLine, column: sourceColumn, name: isNamed ? name : undefined };
  }
  return found;
}

/** Reads segment after segment, and keeps the state. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #state: State;
  at: number;
  /** Of the last segment: 1, 4 or 5; 0 if there are only separators up to `stop`. */
  fields = 0;

  constructor(bytes: Uint8Array, at: number, state: State) {
    this.#bytes = bytes;
    this.at = at;
    this.#state = state;
  }

  /** Whether there was a further segment, or separators up to `stop`. */
  next(stop = Infinity): boolean {
    const state = this.#state;
    this.fields = 0;
    for (; this.at < this.#bytes.length; this.at++) {
      if (this.at >= stop) return true;
      const code = this.#bytes[this.at];
      if (code === SEMICOLON) {
        state.line++;
        state.column = 0;
      } else if (code !== COMMA) break;
    }
    if (this.at >= this.#bytes.length) return false;

    state.column += this.#number();
    this.fields = 1;
    if (this.#isEnd()) return true;
    state.source += this.#number();
    state.sourceLine += this.#number();
    state.sourceColumn += this.#number();
    this.fields = 4;
    if (this.#isEnd()) return true;
    state.name += this.#number();
    this.fields = 5;
    if (!this.#isEnd()) throw malformed("a mapping has more than five numbers");
    return true;
  }

  #isEnd(): boolean {
    const code = this.#bytes[this.at];
    return code === undefined || code === COMMA || code === SEMICOLON;
  }

  /** A signed number: five bits a digit, the lowest ones first, with the sign in the lowest bit of all. */
  #number(): number {
    let value = 0;
    for (let shift = 0; ; shift += 5) {
      const code = this.#bytes[this.at++];
      const digit = code === undefined ? undefined : DIGITS[code];
      if (digit === undefined || digit > 63) throw malformed("its mappings are cut off or no VLQ");
      if (shift > 30) throw malformed("a number of its mappings is too large");
      value += (digit & 31) * 2 ** shift;
      if (digit < 32) break;
    }
    const size = Math.floor(value / 2);
    return value % 2 === 1 ? -size : size;
  }
}

const [COMMA, SEMICOLON] = [0x2c, 0x3b];

/** The value of each Base64 character; 64 for other ASCII characters. */
const DIGITS = new Uint8Array(256).fill(64);
const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
for (let value = 0; value < 64; value++) DIGITS[BASE64.charCodeAt(value)] = value;
