/**
 * The payload of a SEGMENT part: a row of a session's segments. The numbers, then the index at its end and the state at its start as JSON,
 * and its body (core/segments/segment.ts), each packed. Of what the source could not read, it has nothing.
 */
import * as v from "valibot";
import { ByteReader, ByteWriter, utf8 } from "../segments/bytes.ts";
import type { Codec } from "../segments/segment.ts";
import { shownLane, type SessionIndex } from "../session/session-index.ts";
import { checkDepth } from "../state/merge.ts";
import { MAX_STATE_BYTES } from "../limits.ts";
import type { JsonObject } from "../wire.ts";
import { Counts } from "./index-schema.ts";
import { MAX_INDEX_BYTES, MAX_PART_BYTES } from "./limits.ts";
import { BadFile } from "./bad-file.ts";
import { pack, unpack, unpackJson } from "./parts.ts";

export type FileSegment = {
  id: number;
  isSealed: boolean;
  /** Of a sealed one: its summary could be read. A file has no summaries, since they follow from the ops. */
  hasSummary: boolean;
  fromAt: number;
  firstSeq: number;
  lastSeq: number;
  /** What its JSON has, of any shape. Null: the source could not read it. Throws a BadFile. */
  index: () => unknown;
  keyframe: () => unknown;
  /** Its sections, of which any may be damaged. */
  body: Uint8Array;
};

const SEALED = 1;
const SUMMARISED = 2;

/** With its index and keyframe as JSON. */
export type PackedSegment = Omit<FileSegment, "index" | "keyframe"> & {
  index: string | null;
  keyframe: string | null;
};

export function packSegment(segment: PackedSegment, codec: Codec): Uint8Array {
  const { id, isSealed, hasSummary, fromAt, firstSeq, lastSeq, index, keyframe, body } = segment;
  const writer = new ByteWriter(body.length + 1_024);
  writer.varint(id);
  writer.byte((isSealed ? SEALED : 0) | (hasSummary ? SUMMARISED : 0));
  writer.float(fromAt);
  writer.varint(firstSeq);
  // Before the first op, the last one is that before it.
  writer.varint(lastSeq + 1 - firstSeq);
  for (const text of [index, keyframe])
    writer.section(text === null ? new Uint8Array() : pack(utf8(text), codec));
  writer.section(pack(body, codec));
  return writer.finish();
}

/** Throws a BadFile. */
export function readSegment(payload: Uint8Array, codec: Codec): FileSegment {
  try {
    const reader = new ByteReader(payload);
    const id = reader.varint();
    const flags = reader.byte();
    const isSealed = (flags & SEALED) !== 0;
    const hasSummary = (flags & SUMMARISED) !== 0;
    const fromAt = reader.float();
    const firstSeq = reader.varint();
    const lastSeq = firstSeq - 1 + reader.varint();
    const jsonOf = (packed: Uint8Array, most: number) =>
      packed.length === 0 ? null : unpackJson(packed, codec, most);
    const [index, keyframe] = [reader.section(), reader.section()];
    return {
      id,
      isSealed,
      hasSummary,
      fromAt,
      firstSeq,
      lastSeq,
      index: () => jsonOf(index, MAX_INDEX_BYTES),
      keyframe: () => jsonOf(keyframe, MAX_STATE_BYTES),
      body: unpack(reader.section(), codec, MAX_PART_BYTES),
    };
  } catch (error) {
    if (error instanceof RangeError) throw new BadFile("a segment of it ends within a number");
    throw error;
  }
}

/** The counts of the session at the end of a segment; undefined if the source could not read them. Throws a BadFile. */
export function countsOf(segment: FileSegment): SessionIndex["counts"] | undefined {
  const index = v.safeParse(v.object({ counts: Counts }), segment.index());
  return index.success ? index.output.counts : undefined;
}

/** The state at the start of a segment; null if the source could not read it. Throws a BadFile or a Refusal. */
export function keyframeOf(segment: FileSegment): JsonObject | null {
  const keyframe = segment.keyframe();
  if (keyframe === null) return null;
  if (typeof keyframe !== "object" || Array.isArray(keyframe))
    throw new BadFile("the state of a segment is no object");
  const state = keyframe as JsonObject; // what JSON.parse makes of an object
  checkDepth(state, "The state");
  return state;
}

/**
 * The index as a file has it: without the keys that opened the session and its lanes, and with the ids of lanes as readers see them, since
 * with the whole id and the key of a lane a reader could write into it.
 */
export function indexText(index: SessionIndex): string {
  const { opener: _key, lanes, ...rest } = index;
  return JSON.stringify({
    ...rest,
    lanes: lanes.map(({ opener: _opener, ...lane }) => ({ ...lane, lane: shownLane(lane.lane) })),
    gapsExpected: index.gapsExpected.map(shownLane),
  });
}
