/** Files that are not as a server wrote them. */
import { packContents } from "../../../src/core/segments/segment.ts";
import { SegmentReader } from "../../../src/core/segments/segment-reader.ts";
import type { Contents } from "../../../src/core/segments/contents.ts";
import { MAX_HEADER_BYTES } from "../../../src/core/session-file/limits.ts";
import {
  packJson,
  PART,
  PartReader,
  PartWriter,
  type Part,
  unpackJson,
} from "../../../src/core/session-file/parts.ts";
import { SIGNATURE } from "../../../src/core/session-file/signature.ts";
import {
  type FileSegment,
  packSegment,
  readSegment,
} from "../../../src/core/session-file/segment-part.ts";
import { CODEC } from "../../../src/session/storage/row.ts";

export function partsOf(file: Uint8Array): Part[] {
  return [...new PartReader(CODEC).add(file)];
}

export function joined(pieces: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** A file with intact checksums. */
export function fileWith(parts: Part[]): Uint8Array {
  const writer = new PartWriter(CODEC);
  const written = parts.map(({ kind, payload }) => writer.part(kind, payload));
  return joined([SIGNATURE, ...written, writer.end()]);
}

/** The index of a session as JSON, to be changed. */
// oxlint-disable-next-line no-explicit-any -- a forged one may be anything
export type AnyIndex = any;

type AnySegment = Omit<FileSegment, "index" | "keyframe"> & { index: AnyIndex; keyframe: AnyIndex };
type Change = (segment: AnySegment, position: number) => void;

/** The file with its segments changed, the newest first. */
export function forged(file: Uint8Array, change: Change): Uint8Array {
  let position = 0;
  return fileWith(
    partsOf(file).map((part) => {
      if (part.kind !== PART.segment) return part;
      const read = readSegment(part.payload, CODEC);
      const segment: AnySegment = { ...read, index: read.index(), keyframe: read.keyframe() };
      change(segment, position++);
      const { index, keyframe, ...rest } = segment;
      const text = (value: unknown) => (value === null ? null : JSON.stringify(value));
      return {
        kind: part.kind,
        payload: packSegment({ ...rest, index: text(index), keyframe: text(keyframe) }, CODEC),
      };
    }),
  );
}

/** The file with its header changed. */
export function withHeader(file: Uint8Array, change: (header: AnyIndex) => void): Uint8Array {
  return fileWith(
    partsOf(file).map((part) => {
      if (part.kind !== PART.header) return part;
      const header = unpackJson(part.payload, CODEC, MAX_HEADER_BYTES) as AnyIndex;
      change(header);
      return { kind: part.kind, payload: packJson(header, CODEC) };
    }),
  );
}

/** The file with the ops of its newest segment changed. */
export function withOps(file: Uint8Array, change: (contents: Contents) => void): Uint8Array {
  return forged(file, (segment, position) => {
    if (position > 0) return;
    const contents = new SegmentReader(segment.body, CODEC).contents();
    change(contents);
    segment.body = packContents(contents, CODEC);
  });
}
