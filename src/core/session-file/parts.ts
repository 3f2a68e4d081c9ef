/**
 * The parts of a session file. A file is a signature and parts; each part is
 *
 *   kind      1 byte
 *   length    4 bytes, little-endian: of the payload
 *   checksum  4 bytes, little-endian: CRC-32 of kind, length and payload
 *   payload
 *
 * in this order:
 *
 *   1 HEADER   JSON (header.ts)
 *   2 SEGMENT  one for each (segment-part.ts), the newest first, so that a file that was cut off has the last records and the verdict
 *   3 CHUNK    of the contents of attachments: varint of the attachment's sequence, varint of the chunk's number, packed bytes
 *   4 DAMAGE   JSON: what of the source's storage could not be read (damage.ts)
 *   5 END      JSON (FileEnd): without it, the file is not complete
 *
 * JSON and bytes are packed: a byte that is 1 if deflate follows (RFC 1951), else 0. A reader of another format version refuses the file.
 */
import { ByteReader, ByteWriter, decodeUtf8, utf8 } from "../segments/bytes.ts";
import type { Codec } from "../segments/segment.ts";
import { MIN_DEFLATE_BYTES } from "../limits.ts";
import { parseJson } from "../parse.ts";
import { BadFile } from "./bad-file.ts";
import { MAX_HEADER_BYTES, MAX_PART_BYTES } from "./limits.ts";
import { checkSignature, HOW_TO_EXPORT, SIGNATURE } from "./signature.ts";

export const PART_START_BYTES = 9;

export const PART = { header: 1, segment: 2, chunk: 3, damage: 4, end: 5 } as const;

export type Part = { kind: number; payload: Uint8Array };

/** What stands before the end: the number of parts, the bytes, and the CRC-32 of the parts' checksums. */
export type FileEnd = { parts: number; bytes: number; checksum: number };

export type PartStart = { kind: number; length: number; checksum: number };

/** Throws a BadFile if this is no part. `bytes` has PART_START_BYTES. */
export function readPartStart(bytes: Uint8Array): PartStart {
  const reader = new ByteReader(bytes);
  const header = { kind: reader.byte(), length: reader.uint32(), checksum: reader.uint32() };
  if (header.length > MAX_PART_BYTES)
    throw new BadFile("a part of it claims to be longer than parts are");
  return header;
}

export function checksumOf(kind: number, payload: Uint8Array, codec: Codec): number {
  const start = new ByteWriter(8);
  start.byte(kind);
  start.uint32(payload.length);
  return codec.checksum(payload, codec.checksum(start.finish()));
}

/** Writes a file part by part, and its end. */
export class PartWriter {
  readonly #codec: Codec;
  #end: FileEnd = { parts: 0, bytes: SIGNATURE.length, checksum: 0 };

  constructor(codec: Codec) {
    this.#codec = codec;
  }

  part(kind: number, payload: Uint8Array): Uint8Array {
    const checksum = checksumOf(kind, payload, this.#codec);
    const writer = new ByteWriter(PART_START_BYTES + payload.length);
    writer.byte(kind);
    writer.uint32(payload.length);
    writer.uint32(checksum);
    writer.bytes(payload);
    this.#end = afterPart(this.#end, payload.length, checksum, this.#codec);
    return writer.finish();
  }

  end(): Uint8Array {
    return this.part(PART.end, packJson(this.#end, this.#codec));
  }
}

/** The totals after one more part. */
export function afterPart(
  before: FileEnd,
  length: number,
  checksum: number,
  codec: Codec,
): FileEnd {
  const last = new ByteWriter(4);
  last.uint32(checksum);
  return {
    parts: before.parts + 1,
    bytes: before.bytes + PART_START_BYTES + length,
    checksum: codec.checksum(last.finish(), before.checksum),
  };
}

/** Reads parts from bytes as they arrive, and checks each. Memory holds what arrived last, and the part that is not complete. */
export class PartReader {
  readonly #codec: Codec;
  /** What was not read yet: its first `#length` bytes. One buffer, since a sender may send byte by byte. */
  #buffer = new Uint8Array(FIRST_BUFFER_BYTES);
  #length = 0;
  #received = 0;
  #hasSignature = false;
  #totals: FileEnd = { parts: 0, bytes: SIGNATURE.length, checksum: 0 };
  #isComplete = false;

  constructor(codec: Codec) {
    this.#codec = codec;
  }

  /** Adds bytes. The parts that are complete now, apart from the end. Throws a BadFile. */
  *add(bytes: Uint8Array): Generator<Part> {
    if (bytes.length === 0) return;
    this.#received += bytes.length;
    if (this.#isComplete) throw new BadFile("something follows its end");
    this.#append(bytes);
    let at = 0;
    if (!this.#hasSignature) {
      checkSignature(this.#buffer.subarray(0, this.#length));
      if (this.#length < SIGNATURE.length) return;
      this.#hasSignature = true;
      at = SIGNATURE.length;
    }
    while (this.#length - at >= PART_START_BYTES) {
      const { kind, length, checksum } = readPartStart(this.#buffer.subarray(at));
      const end = at + PART_START_BYTES + length;
      if (this.#length < end) break;
      const payload = this.#buffer.slice(at + PART_START_BYTES, end);
      at = end;
      if (checksumOf(kind, payload, this.#codec) !== checksum)
        throw new BadFile(`part ${this.#totals.parts + 1} of it does not match its checksum`);
      if (kind !== PART.end) {
        this.#totals = afterPart(this.#totals, length, checksum, this.#codec);
        yield { kind, payload };
        continue;
      }
      checkEnd(payload, this.#totals, this.#codec);
      this.#isComplete = true;
      if (at < this.#length) throw new BadFile("something follows its end");
    }
    this.#buffer.copyWithin(0, at, this.#length);
    this.#length -= at;
  }

  /** Throws a BadFile if the end is missing. */
  finish(): void {
    if (this.#received === 0) throw new BadFile("it is empty", HOW_TO_EXPORT);
    if (!this.#isComplete)
      throw new BadFile(`it ends after ${this.#received} bytes, before its end part`);
  }

  #append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.#buffer.length));
      grown.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = grown;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = length;
  }
}

/** What a server reads of a body at once. */
const FIRST_BUFFER_BYTES = 64 * 1024;

/** Throws a BadFile unless the end part states these totals. */
export function checkEnd(payload: Uint8Array, totals: FileEnd, codec: Codec): void {
  const end = unpackJson(payload, codec, MAX_HEADER_BYTES) as Partial<FileEnd> | null; // each member is compared
  if (end?.parts !== totals.parts || end.bytes !== totals.bytes || end.checksum !== totals.checksum)
    throw new BadFile("parts of it are missing");
}

/** Bytes with a flag, deflated if that makes them smaller. */
export function pack(bytes: Uint8Array, codec: Codec): Uint8Array {
  const small = bytes.length >= MIN_DEFLATE_BYTES ? codec.deflate(bytes) : bytes;
  const isDeflated = small.length < bytes.length;
  const stored = isDeflated ? small : bytes;
  const packed = new Uint8Array(1 + stored.length);
  packed[0] = isDeflated ? 1 : 0;
  packed.set(stored, 1);
  return packed;
}

/** Throws a BadFile if it would have more than `most` bytes. */
export function unpack(packed: Uint8Array, codec: Codec, most: number): Uint8Array {
  const bytes = packed.subarray(1);
  if (packed[0] === 0 && bytes.length <= most) return bytes;
  if (packed[0] !== 1) throw new BadFile("a part of it is packed in an unknown way");
  return inflated(bytes, codec, most);
}

/** Throws a BadFile if that would be more than `most` bytes, or if it is no deflate. */
export function inflated(bytes: Uint8Array, codec: Codec, most: number): Uint8Array {
  try {
    return codec.inflate(bytes, most);
  } catch {
    throw new BadFile("a part of it cannot be decompressed, or is larger than it may be");
  }
}

export function packJson(value: object, codec: Codec): Uint8Array {
  return pack(utf8(JSON.stringify(value)), codec);
}

/** Throws a BadFile. */
export function unpackJson(packed: Uint8Array, codec: Codec, most: number): unknown {
  try {
    return parseJson(decodeUtf8(unpack(packed, codec, most)), "A part of it");
  } catch (error) {
    if (error instanceof BadFile) throw error;
    throw new BadFile("a part of it is no JSON, or has more lists and objects than it may have");
  }
}
