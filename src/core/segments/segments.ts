/** A session's segments and the contents of its attachments, as they are read: from the storage of its object, or from a file. */
import type { DamagedPart } from "../answers/damage.ts";
import type { Attachment } from "../attachments/attachments.ts";
import type { JsonObject } from "../wire.ts";
import type { SegmentReader } from "./segment-reader.ts";
import type { SegmentSummary } from "./segment-summary.ts";

/** A segment in a list, without its bytes. `fromAt` is the session's clock when it was opened. `summary`: of a sealed one. */
export type SegmentInfo = {
  id: number;
  fromAt: number;
  firstSeq: number;
  lastSeq: number;
  summary: SegmentSummary | null;
};

/** `keyframe`: the state at its start, of which the caller may change this copy. */
export type Segment = { info: SegmentInfo; keyframe: () => JsonObject; reader: SegmentReader };

/** The contents of attachments in chunks. */
export type StoredChunks = {
  /** The lengths of all chunks that are stored. What they belong to is known to `received` alone. */
  lengths(): Lengths;
  /** The chunks that are stored with their whole length, in order. */
  received(attachment: Attachment, lengths?: Lengths): number[];
  /** The bytes of a chunk; undefined if they are missing or damaged. */
  read(attachment: Attachment, chunk: number): Uint8Array | undefined;
};

/** In a damaged file a length may be of any type. */
export type Lengths = Map<number, unknown>;

export type Segments = {
  segmentCount: number;
  /** What all of it takes. */
  bytes: number;
  /** All segments, oldest first. */
  list(): SegmentInfo[];
  /** Reads a segment; null if there is nothing of it. */
  open(info: Pick<SegmentInfo, "id" | "summary">): Segment | null;
  /** The segment in which the session's clock passed `at`, or that holds op `seq`. Null if that is before the first. */
  find(moment: { at?: number | undefined; seq?: number | undefined }): SegmentInfo | null;
  /** Every damaged part, with what it cost. */
  damagedParts(): DamagedPart[];
  chunks: StoredChunks;
};
