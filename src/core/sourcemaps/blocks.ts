/** A source map as it is stored: blocks of mappings, names and sources, and an index by which a position needs one of each. */
import {
  BLOCK_LENGTH,
  CONTEXT_LINES,
  MAX_SOURCE_BYTES,
  MAX_SOURCE_LINE,
  MAX_SYMBOL_LENGTH,
  PIECE_LINES,
} from "./limits.ts";
import { blockAt, blocksOf, findMapped, lastIndex, type MappingBlock } from "./mappings.ts";
import { elementsOf, type MapFile, type Section, stringAt } from "./map-file.ts";
import { decodeUtf8, utf8 } from "../segments/bytes.ts";
import { sourcePath } from "./paths.ts";

/** Where the blocks of a map are: `first` is the number of the first block of each kind. */
export type MapIndex = {
  mappings: { first: number; blocks: MappingBlock[] };
  /** The index of the first name, or source, of each block. */
  names: { first: number; starts: number[] };
  sources: { first: number; starts: number[] };
  /** The source and the line of the first piece of each block. */
  contents: { first: number; starts: [source: number, line: number][] };
};

/** Consecutive lines of one source; lines from 0. */
type Piece = [source: number, first: number, lines: string[]];

/** Passes each block on as it is made. `path`: of the generated file, which sources are relative to. Throws a Refusal. */
export function storeMap(
  { bytes, sections }: MapFile,
  path: string,
  add: (block: Uint8Array) => void,
): MapIndex {
  let number = 0;
  const store = (block: Uint8Array) => {
    add(block);
    number++;
  };
  const counts = sections.map(({ names, sources }) => ({
    sources: sources.length,
    names: lengthOf(bytes, names),
  }));
  const mappings: MapIndex["mappings"] = { first: number, blocks: [] };
  let [sourceBase, nameBase] = [0, 0];
  for (const [index, section] of sections.entries()) {
    const bounds = counts[index] ?? { sources: 0, names: 0 };
    const { line, column } = section;
    for (const block of blocksOf(
      section.mappings,
      { line, column, sourceBase, nameBase },
      bounds,
    )) {
      mappings.blocks.push({ from: block.from, state: block.state });
      store(block.bytes);
    }
    sourceBase += bounds.sources;
    nameBase += bounds.names;
  }
  return {
    mappings,
    names: storeTexts(namesIn(bytes, sections), number, store),
    sources: storeTexts(pathsIn(sections, path), number, store),
    contents: storeContents(bytes, sections, number, store),
  };
}

function* namesIn(bytes: Uint8Array, sections: Section[]): Generator<string> {
  for (const { names } of sections)
    for (const span of elementsOf(bytes, names))
      yield (stringAt(bytes, span, MAX_SYMBOL_LENGTH) ?? "").slice(0, MAX_SYMBOL_LENGTH);
}

function* pathsIn(sections: Section[], path: string): Generator<string> {
  for (const { sources } of sections) for (const source of sources) yield sourcePath(source, path);
}

function lengthOf(bytes: Uint8Array, span: Section["names"]): number {
  let count = 0;
  for (const _ of elementsOf(bytes, span)) count++;
  return count;
}

type Store = (block: Uint8Array) => void;

/** A JSON array a block. */
function storeTexts(texts: Iterable<string>, first: number, store: Store): MapIndex["names"] {
  const starts: number[] = [];
  let [block, length, index]: [string[], number, number] = [[], 0, 0];
  const close = () => {
    if (block.length === 0) return;
    starts.push(index - block.length);
    store(utf8(JSON.stringify(block)));
    [block, length] = [[], 0];
  };
  for (const text of texts) {
    block.push(text);
    index++;
    length += text.length + 3;
    if (length >= BLOCK_LENGTH) close();
  }
  close();
  return { first, starts };
}

function storeContents(
  bytes: Uint8Array,
  sections: Section[],
  first: number,
  store: Store,
): MapIndex["contents"] {
  const starts: [number, number][] = [];
  let [block, length]: [Piece[], number] = [[], 0];
  const close = () => {
    const [piece] = block;
    if (!piece) return;
    starts.push([piece[0], piece[1]]);
    store(utf8(JSON.stringify(block)));
    [block, length] = [[], 0];
  };
  let base = 0;
  for (const { contents, sources } of sections) {
    for (const [index, span] of contents.entries()) {
      if (span.to - span.from > MAX_SOURCE_BYTES) continue;
      for (const piece of piecesOf(base + index, stringAt(bytes, span))) {
        block.push(piece);
        for (const line of piece[2]) length += line.length + 3;
        if (length >= BLOCK_LENGTH) close();
      }
    }
    base += sources.length;
  }
  close();
  return { first, starts };
}

/** A source in pieces that each have the lines around their own ones as well, so that an excerpt is in one piece. */
function* piecesOf(source: number, content: string | undefined): Generator<Piece> {
  if (content === undefined) return;
  let lines: string[] = [];
  let first = 0;
  for (const line of linesOf(content)) {
    lines.push(line);
    if (lines.length < PIECE_LINES + 2 * CONTEXT_LINES) continue;
    yield [source, first, lines];
    first += PIECE_LINES;
    lines = lines.slice(PIECE_LINES);
  }
  if (first === 0 || lines.length > 2 * CONTEXT_LINES) yield [source, first, lines];
}

/** Not split(), which holds all lines at once. */
function* linesOf(content: string): Generator<string> {
  let at = 0;
  for (;;) {
    const end = content.indexOf("\n", at);
    const line = content.slice(at, Math.min(end < 0 ? content.length : end, at + MAX_SOURCE_LINE));
    yield line.endsWith("\r") ? line.slice(0, -1) : line;
    if (end < 0) return;
    at = end + 1;
  }
}

/** What a position of the generated file is; lines and columns from 1, as in frames. */
export type Original = {
  file: string;
  line: number;
  column: number;
  /** Of the token at exactly this position, as it is in the source. */
  name?: string;
  /** The lines around it. Absent if the map has no sources, or they were not asked for. */
  excerpt?: { first: number; lines: string[] };
};

/** Reads a block by its number. */
type Read = (block: number) => Uint8Array;

/**
 * Where a position of the generated file, counted from 1, is in its source. Undefined if the map has no such line, or maps the position to
 * no source, or to a line that the source does not have: then the map is of another build.
 */
export function lookUp(
  index: MapIndex,
  read: Read,
  { line, column }: { line: number; column: number },
  withExcerpt: boolean,
): Original | undefined {
  const block = blockAt(index.mappings.blocks, line - 1, column - 1);
  const info = block === undefined ? undefined : index.mappings.blocks[block];
  if (block === undefined || !info) return undefined;
  const mapped = findMapped(read(index.mappings.first + block), info, line - 1, column - 1);
  if (!mapped) return undefined;
  const file = textAt(index.sources, read, mapped.source);
  if (!file) return undefined;

  const piece = pieceAt(index.contents, read, mapped.source, mapped.line);
  if (piece === "none") return undefined;
  const name = mapped.name === undefined ? undefined : textAt(index.names, read, mapped.name);
  return {
    file,
    line: mapped.line + 1,
    column: mapped.column + 1,
    ...(name && { name }),
    ...(withExcerpt && piece && { excerpt: excerptOf(piece, mapped.line) }),
  };
}

function textAt({ first, starts }: MapIndex["names"], read: Read, index: number) {
  const block = lastIndex(starts, (start) => start <= index);
  if (block === undefined) return undefined;
  const texts = JSON.parse(decodeUtf8(read(first + block))) as string[]; // as storeTexts wrote it
  return texts[index - (starts[block] ?? 0)];
}

/** The piece in whose middle the line is. "none": there is the source, without this line. Undefined: the map has no content of it. */
function pieceAt(
  { first, starts }: MapIndex["contents"],
  read: Read,
  source: number,
  line: number,
): Piece | "none" | undefined {
  // The piece before has the first lines of each as well.
  const asked = Math.max(0, line - CONTEXT_LINES);
  const isAtOrBefore = (of: number, from: number) =>
    of < source || (of === source && from <= asked);
  const block = lastIndex(starts, ([of, from]) => isAtOrBefore(of, from));
  if (block === undefined) return undefined;
  const pieces = JSON.parse(decodeUtf8(read(first + block))) as Piece[]; // as storeContents wrote it
  const found = lastIndex(pieces, ([of, from]) => isAtOrBefore(of, from));
  const piece = found === undefined ? undefined : pieces[found];
  if (!piece || piece[0] !== source) return undefined;
  return line < piece[1] + piece[2].length ? piece : "none";
}

function excerptOf([, first, lines]: Piece, line: number): { first: number; lines: string[] } {
  const from = Math.max(first, line - CONTEXT_LINES);
  return { first: from + 1, lines: lines.slice(from - first, line + CONTEXT_LINES + 1 - first) };
}
