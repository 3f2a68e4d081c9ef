/**
 * Where each part of a file is, for reading it without a server. A part that does not match its checksum is left out, and so is what follows a
 * length that cannot be; both are named.
 */
import * as v from "valibot";
import { ByteReader } from "../segments/bytes.ts";
import type { Codec } from "../segments/segment.ts";
import { formatBytes, formatCount } from "../text/format.ts";
import { FileDamage } from "./damage.ts";
import { FileHeader, FORMAT } from "./header.ts";
import { MAX_HEADER_BYTES, MAX_INDEX_BYTES, MAX_SEGMENTS } from "./limits.ts";
import {
  afterPart,
  BadFile,
  checkEnd,
  checksumOf,
  type FileEnd,
  isSignature,
  PART,
  PART_START_BYTES,
  type PartStart,
  readPartStart,
  SIGNATURE,
  unpackJson,
} from "./parts.ts";

/** A file's bytes. `read` gives fewer at its end. */
export type FileBytes = { size: number; read: (from: number, length: number) => Uint8Array };

/** Where a payload is. */
type Place = { at: number; length: number };

export type Scanned = {
  header: FileHeader | undefined;
  /** By their ids. */
  segments: Map<number, Place>;
  /** By the sequence of the attachment and the number of the chunk. */
  chunks: Map<number, Map<number, Place>>;
  damage: FileDamage;
  /** What of the file cannot be read, as sentences; empty if it is whole. */
  problems: string[];
};

/** Throws a BadFile if it is no session file, or one of another format. Reads all of it once. */
export function scanFile(bytes: FileBytes, codec: Codec): Scanned {
  if (!isSignature(bytes.read(0, SIGNATURE.length))) throw new BadFile("it does not begin as one");
  const scanned: Scanned = {
    header: undefined,
    segments: new Map(),
    chunks: new Map(),
    damage: [],
    problems: [],
  };
  let totals: FileEnd = { parts: 0, bytes: SIGNATURE.length, checksum: 0 };
  let bad = 0;
  let isComplete = false;
  while (!isComplete && totals.bytes < bytes.size) {
    const start = startAt(bytes, totals.bytes);
    if (!start) break;
    const { kind, length, checksum } = start;
    const place = { at: totals.bytes + PART_START_BYTES, length };
    const payload = bytes.read(place.at, length);
    if (payload.length < length) break;
    const isIntact = checksumOf(kind, payload, codec) === checksum;
    if (isIntact && kind === PART.end) {
      isComplete = true;
      if (bad === 0 && !isEnd(payload, totals, codec)) bad++;
      continue;
    }
    if (!isIntact || !note(scanned, kind, payload, place, codec)) bad++;
    totals = afterPart(totals, length, checksum, codec);
  }
  if (bad > 0)
    scanned.problems.push(
      `${formatCount(bad, "part")} of the file cannot be read, and are left out.`,
    );
  if (!isComplete)
    scanned.problems.push(
      `The file is not complete: it can be read up to ${formatBytes(totals.bytes)} of ${formatBytes(bytes.size)}, and its end is missing. What it lacks are the oldest records, and then the contents of attachments.`,
    );
  return scanned;
}

/** Undefined if no part begins there. */
function startAt(bytes: FileBytes, at: number): PartStart | undefined {
  const start = bytes.read(at, PART_START_BYTES);
  if (start.length < PART_START_BYTES) return undefined;
  try {
    return readPartStart(start);
  } catch {
    return undefined;
  }
}

function isEnd(payload: Uint8Array, totals: FileEnd, codec: Codec): boolean {
  try {
    checkEnd(payload, totals, codec);
    return true;
  } catch {
    return false;
  }
}

/** False if the part cannot be read. Throws a BadFile for the header of another format. */
function note(
  scanned: Scanned,
  kind: number,
  payload: Uint8Array,
  place: Place,
  codec: Codec,
): boolean {
  if (kind === PART.header) {
    scanned.header = headerOf(payload, codec);
    return true;
  }
  try {
    const reader = new ByteReader(payload);
    if (kind === PART.segment) {
      const id = reader.varint();
      if (id > MAX_SEGMENTS) return false;
      scanned.segments.set(id, place);
    } else if (kind === PART.chunk) {
      const seq = reader.varint();
      const chunks = scanned.chunks.get(seq) ?? new Map<number, Place>();
      scanned.chunks.set(seq, chunks.set(reader.varint(), place));
    } else if (kind === PART.damage)
      scanned.damage = v.parse(FileDamage, unpackJson(payload, codec, MAX_INDEX_BYTES));
    return true;
  } catch {
    return false;
  }
}

function headerOf(payload: Uint8Array, codec: Codec): Scanned["header"] {
  const value = unpackJson(payload, codec, MAX_HEADER_BYTES);
  const header = v.safeParse(FileHeader, value);
  if (header.success) return header.output;
  const { format } = (value ?? {}) as { format?: unknown }; // of any shape
  if (format === FORMAT) throw new BadFile("its header does not fit");
  throw new BadFile(
    `it has format ${JSON.stringify(format)}, and this version of datacat reads format ${FORMAT}`,
  );
}
