/**
 * Where each part of a file is, for reading it without a server. A part that does not match its checksum is left out, and so is what follows a
 * length that cannot be; both are named.
 */
import * as v from "valibot";
import { ByteReader } from "../segments/bytes.ts";
import type { Codec } from "../segments/segment.ts";
import { formatBytes, formatCount } from "../text/format.ts";
import { BadFile } from "./bad-file.ts";
import { FileDamage } from "./damage.ts";
import { type FileHeader, readHeader } from "./header.ts";
import { MAX_INDEX_BYTES, MAX_PARTS, MAX_SEGMENTS } from "./limits.ts";
import {
  afterPart,
  checkEnd,
  checksumOf,
  type FileEnd,
  PART,
  PART_START_BYTES,
  type PartStart,
  readPartStart,
  unpackJson,
} from "./parts.ts";
import { checkSignature, HOW_TO_EXPORT, SIGNATURE } from "./signature.ts";

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
  if (bytes.size === 0) throw new BadFile("it is empty", HOW_TO_EXPORT);
  checkSignature(bytes.read(0, SIGNATURE.length));
  const scanned: Scanned = {
    header: undefined,
    segments: new Map(),
    chunks: new Map(),
    damage: [],
    problems: [],
  };
  let totals: FileEnd = { parts: 0, bytes: SIGNATURE.length, checksum: 0 };
  let bad = 0;
  let end: number | undefined;
  while (end === undefined && totals.bytes < bytes.size) {
    const start = startAt(bytes, totals.bytes);
    if (!start) break;
    const { kind, length, checksum } = start;
    const place = { at: totals.bytes + PART_START_BYTES, length };
    const payload = bytes.read(place.at, length);
    if (payload.length < length) break;
    const isIntact = checksumOf(kind, payload, codec) === checksum;
    if (isIntact && kind === PART.end) {
      end = place.at + length;
      if (bad === 0 && !isEnd(payload, totals, codec)) bad++;
      continue;
    }
    if (!isIntact || !note(scanned, kind, payload, place, codec)) bad++;
    totals = afterPart(totals, length, checksum, codec);
    if (totals.parts > MAX_PARTS) throw new BadFile("it has more parts than a session has");
  }
  scanned.problems.push(...problemsOf(scanned, bytes.size, { bad, end, until: totals.bytes }));
  return scanned;
}

type Found = { bad: number; end: number | undefined; until: number };

function problemsOf({ header, segments }: Scanned, size: number, found: Found): string[] {
  const { bad, end, until } = found;
  const problems: string[] = [];
  if (bad > 0)
    problems.push(`${formatCount(bad, "part")} of the file cannot be read, and are left out.`);
  if (end !== undefined && end < size)
    problems.push(`${formatBytes(size - end)} follow the end of the session, and are left out.`);
  if (end === undefined) {
    const all = header?.segments ?? 0;
    const oldest =
      segments.size < all
        ? `the oldest records (${all - segments.size} of ${formatCount(all, "segment")}) and `
        : "";
    problems.push(
      `The file is not complete: it can be read up to ${formatBytes(until)} of ${formatBytes(size)}, and its end is missing. What it lacks: ${oldest}the contents of attachments.`,
    );
  }
  if (problems.length > 0) problems.push("Copy the file again, or export the session again.");
  return problems;
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

/** False if the part cannot be read, or is there already. Throws a BadFile for the header of another format. */
function note(
  scanned: Scanned,
  kind: number,
  payload: Uint8Array,
  place: Place,
  codec: Codec,
): boolean {
  if (kind === PART.header) {
    if (scanned.header) return false;
    scanned.header = readHeader(payload, codec);
    return true;
  }
  try {
    const reader = new ByteReader(payload);
    if (kind === PART.segment) return noteSegment(scanned, reader.varint(), place);
    if (kind === PART.chunk) return noteChunk(scanned, reader.varint(), reader.varint(), place);
    if (kind !== PART.damage || scanned.damage.length > 0) return false;
    scanned.damage = v.parse(FileDamage, unpackJson(payload, codec, MAX_INDEX_BYTES));
    return true;
  } catch {
    return false;
  }
}

function noteSegment({ segments }: Scanned, id: number, place: Place): boolean {
  if (id < 1 || id > MAX_SEGMENTS || segments.has(id)) return false;
  segments.set(id, place);
  return true;
}

function noteChunk({ chunks }: Scanned, seq: number, number: number, place: Place): boolean {
  const ofAttachment = chunks.get(seq) ?? new Map<number, Place>();
  if (ofAttachment.has(number)) return false;
  chunks.set(seq, ofAttachment.set(number, place));
  return true;
}
