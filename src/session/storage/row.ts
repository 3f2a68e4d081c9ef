/**
 * A row of the table of segments. Each part of it has its own checksum, so that damage costs only the part it is in: its numbers, the
 * keyframe, the index, the summary, and in the body each section (core/segments/segment.ts).
 */
import { crc32, deflateRawSync, inflateRawSync } from "node:zlib";
import type { Codec } from "../../core/segments/segment.ts";
import { SegmentReader } from "../../core/segments/segment-reader.ts";

/** Level 4 takes half the time of the usual 6 here, for 1.5 % more bytes. */
export const CODEC: Codec = {
  deflate: (bytes) => deflateRawSync(bytes, { level: 4 }),
  inflate: (bytes, most) =>
    inflateRawSync(bytes, most === undefined ? undefined : { maxOutputLength: most }),
  checksum: (bytes, seed = 0) => crc32(bytes, seed),
};

export const CREATE_SEGMENTS = `CREATE TABLE IF NOT EXISTS segments (
  id INTEGER PRIMARY KEY,      -- 1, 2, 3…
  sealed INTEGER NOT NULL,     -- 1: full, deflated, never written again
  from_at REAL NOT NULL,       -- the session's clock (running maximum of times) when it was opened
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  body_bytes INTEGER NOT NULL,  -- length of body
  crc INTEGER NOT NULL,         -- CRC-32 of the columns above
  summary BLOB,                 -- sealed: core/segments/segment-summary.ts as JSON, packed
  session_index BLOB NOT NULL,  -- core/session/session-index.ts at its end, as JSON, packed
  keyframe BLOB NOT NULL,       -- the state at its start, as JSON, packed
  body BLOB NOT NULL            -- core/segments/segment.ts
)`;

/** Columns as SQLite has them. In a damaged file any value may have any type, or be absent. */
export type Row = {
  id: number;
  sealed: SqlStorageValue;
  from_at: SqlStorageValue;
  first_seq: SqlStorageValue;
  last_seq: SqlStorageValue;
  body_bytes: SqlStorageValue;
  crc: SqlStorageValue;
  summary: SqlStorageValue;
  session_index: SqlStorageValue;
  keyframe: SqlStorageValue;
  body: SqlStorageValue;
};

export const NUMBERS = "id, sealed, from_at, first_seq, last_seq, body_bytes, crc";
export const PARTS = ["summary", "session_index", "keyframe", "body"] as const;

export type Numbers = {
  id: number;
  isSealed: boolean;
  fromAt: number;
  firstSeq: number;
  lastSeq: number;
  bodyBytes: number;
};

export function numbersCrc(numbers: Numbers): number {
  const { id, isSealed, fromAt, firstSeq, lastSeq, bodyBytes } = numbers;
  return crc32(encoder.encode([id, isSealed ? 1 : 0, fromAt, firstSeq, lastSeq, bodyBytes].join()));
}

/** Null if they are damaged. */
export function numbersOf(row: Omit<Row, (typeof PARTS)[number]>): Numbers | null {
  const { id, sealed, from_at: fromAt, first_seq: firstSeq, last_seq: lastSeq, crc } = row;
  const { body_bytes: bodyBytes } = row;
  if (typeof fromAt !== "number" || typeof firstSeq !== "number") return null;
  if (typeof lastSeq !== "number" || typeof bodyBytes !== "number") return null;
  const numbers = { id, isSealed: sealed === 1, fromAt, firstSeq, lastSeq, bodyBytes };
  return (sealed === 0 || sealed === 1) && numbersCrc(numbers) === crc ? numbers : null;
}

/** A text with its checksum (4 bytes), and whether it is deflated (1 byte). */
export function packText(text: string, isDeflated: boolean): Uint8Array {
  const plain = encoder.encode(text);
  const bytes = isDeflated ? CODEC.deflate(plain) : plain;
  const packed = new Uint8Array(HEADER_BYTES + bytes.length);
  packed.set(bytes, HEADER_BYTES);
  packed[FLAG_AT] = isDeflated ? 1 : 0;
  new DataView(packed.buffer).setUint32(0, crc32(packed.subarray(FLAG_AT)));
  return packed;
}

/** Null if it is damaged. */
export function readText(value: SqlStorageValue | undefined): string | null {
  if (!(value instanceof ArrayBuffer) || value.byteLength < HEADER_BYTES) return null;
  const packed = new Uint8Array(value);
  if (new DataView(value).getUint32(0) !== crc32(packed.subarray(FLAG_AT))) return null;
  const bytes = packed.subarray(HEADER_BYTES);
  return decoder.decode(packed[FLAG_AT] === 1 ? CODEC.inflate(bytes) : bytes);
}

/** The value of a packed JSON text, of the type that was packed; null if it is damaged. */
export function readJson<Value>(value: SqlStorageValue | undefined): Value | null {
  const text = readText(value);
  return text === null ? null : (JSON.parse(text) as Value);
}

/** Empty if it is no blob. */
export function readBody(value: SqlStorageValue | undefined): Uint8Array {
  return value instanceof ArrayBuffer ? new Uint8Array(value) : new Uint8Array();
}

export function readerOf(body: Uint8Array): SegmentReader {
  return new SegmentReader(body, CODEC);
}

const FLAG_AT = 4;
const HEADER_BYTES = 5;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
