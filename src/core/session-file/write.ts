/** Writes a session as a file, part by part, as its reader takes it. Memory holds one part. */
import type { Attachment } from "../attachments/attachments.ts";
import { ByteWriter } from "../segments/bytes.ts";
import type { Codec } from "../segments/segment.ts";
import type { SessionIndex } from "../session/session-index.ts";
import { verdict } from "../status/status.ts";
import { VERSION } from "../version.ts";
import type { FileDamage } from "./damage.ts";
import { type FileHeader, FORMAT } from "./header.ts";
import { pack, packJson, PART, PartWriter } from "./parts.ts";
import { indexText, type PackedSegment, packSegment } from "./segment-part.ts";
import { SIGNATURE } from "./signature.ts";

/** A segment as it is stored, of which parts may be damaged. */
export type StoredSegment = Omit<PackedSegment, "index"> & { index: SessionIndex | null };

/** What a file is written from. Everything is of the moment at which it was made, however long it takes to read. */
export type FileSource = {
  index: SessionIndex;
  /** Of all segments, in ascending order. */
  ids: number[];
  /** Null if there is nothing of it. */
  segment: (id: number) => StoredSegment | null;
  /** The numbers of chunks that an attachment has. */
  chunks: (attachment: Attachment) => number[];
  /** Undefined if its bytes are damaged. */
  chunk: (attachment: Attachment, chunk: number) => Uint8Array | undefined;
  /** What could not be read, also of what was read meanwhile. */
  damage: () => FileDamage;
};

export function* sessionFile(source: FileSource, codec: Codec, now: number): Generator<Uint8Array> {
  const { index, ids } = source;
  const writer = new PartWriter(codec);
  yield SIGNATURE.slice(); // a stream takes the buffer
  yield writer.part(PART.header, packJson(headerOf(source, now), codec));
  for (const id of [...ids].reverse()) {
    const segment = source.segment(id);
    if (!segment) continue;
    // What was counted again after damage is only in memory.
    const counted = id === ids.at(-1) ? index : segment.index;
    const text = counted && indexText(counted);
    yield writer.part(PART.segment, packSegment({ ...segment, index: text }, codec));
  }
  for (const attachment of index.attachments) {
    let isSmaller = true;
    for (const chunk of source.chunks(attachment)) {
      const bytes = source.chunk(attachment, chunk);
      if (!bytes) continue;
      const start = new ByteWriter(16);
      start.varint(attachment.seq);
      start.varint(chunk);
      // Pictures and archives do not get smaller: after the first chunk, the others are not tried.
      const packed: Uint8Array = isSmaller ? pack(bytes, codec) : plain(bytes);
      isSmaller = packed[0] === 1;
      start.bytes(packed);
      yield writer.part(PART.chunk, start.finish());
    }
  }
  const damage = source.damage();
  if (damage.length > 0) yield writer.part(PART.damage, packJson(damage, codec));
  yield writer.end();
}

function headerOf({ index, ids }: FileSource, now: number): FileHeader {
  const { id, product, version, seq, observations } = index;
  const { status, headline } = verdict(observations, now);
  return {
    format: FORMAT,
    written_by: `datacat ${VERSION}`,
    exported_at: now,
    session: id,
    product,
    version,
    revision: seq,
    segments: ids.length,
    status,
    headline,
  };
}

function plain(bytes: Uint8Array): Uint8Array {
  const packed = new Uint8Array(1 + bytes.length);
  packed.set(bytes, 1);
  return packed;
}
