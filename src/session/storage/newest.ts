/** The newest segment of a session, as its object keeps it in memory while it records: to it ops are added, until it is full and is sealed. */
import {
  MAX_BATCH_BYTES,
  MAX_ROW_BYTES,
  SEGMENT_BYTES,
  SEGMENT_VALUES,
} from "../../core/limits.ts";
import { append, type Contents, newContents } from "../../core/segments/contents.ts";
import { packContents, sealContents } from "../../core/segments/segment.ts";
import { CODEC, readerOf } from "./row.ts";

export type Newest = {
  id: number;
  stored: boolean;
  sealed: boolean;
  /** It or newer ones are damaged, so the next batch opens a segment after those. */
  closed: boolean;
  fromAt: number;
  firstSeq: number;
  lastSeq: number;
  keyframe: string;
  body: Uint8Array;
  /** The body's contents, for sealing; null until they are read after the object woke up. */
  contents: Contents | null;
};

/** A segment that starts with this state. It is stored with its first ops. */
export function newSegment(start: Pick<Newest, "id" | "fromAt" | "firstSeq" | "keyframe">): Newest {
  return {
    ...start,
    stored: false,
    sealed: false,
    closed: false,
    lastSeq: start.firstSeq - 1,
    body: new Uint8Array(),
    contents: newContents(),
  };
}

/** The segment with these ops after those that it has: sealed if it is full. `indexBytes`: the size of the index that is stored with it. */
export function withOps(
  segment: Newest,
  added: Contents,
  { lastSeq, indexBytes }: { lastSeq: number; indexBytes: number },
): { segment: Newest; whole: Contents } {
  const block = packContents(added, CODEC);
  const body = new Uint8Array(segment.body.length + block.length);
  body.set(segment.body);
  body.set(block, segment.body.length);
  const whole = segment.contents ?? readerOf(segment.body).contents();
  append(whole, added);

  const rowBytes = body.length + indexBytes + segment.keyframe.length;
  // The index grows with the number of series and is stored with each segment, so a large index needs large segments.
  const isSmall = body.length < SEGMENT_BYTES + indexBytes * 2 && valuesIn(whole) < SEGMENT_VALUES;
  // The row must keep room for the next batch.
  const isOpen = isSmall && rowBytes < MAX_ROW_BYTES - MAX_BATCH_BYTES;
  const grown = { ...segment, stored: true, lastSeq };
  return {
    segment: isOpen
      ? { ...grown, body, contents: whole }
      : { ...grown, sealed: true, body: sealContents(whole, CODEC), contents: null },
    whole,
  };
}

/** Values of all columns of series. */
function valuesIn({ series }: Contents): number {
  let values = 0;
  for (const { at, fields } of series.values()) values += at.length * (1 + fields.length);
  return values;
}
