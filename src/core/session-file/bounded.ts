/** Reads the body of a segment from a file, of which all sections together are inflated to at most MAX_SEGMENT_BYTES. */
import { parseJson } from "../parse.ts";
import type { Codec } from "../segments/segment.ts";
import { SegmentReader } from "../segments/segment-reader.ts";
import { MAX_SEGMENT_BYTES, MAX_SEGMENT_VALUES } from "./limits.ts";
import { inflated } from "./parts.ts";

/** Reading throws a RangeError, a BadFile or a Refusal where a section is larger than it may be. */
export function boundedReader(body: Uint8Array, codec: Codec): SegmentReader {
  let left = MAX_SEGMENT_BYTES;
  const bounded: Codec = {
    ...codec,
    inflate: (bytes) => {
      const plain = inflated(bytes, codec, left);
      left -= plain.length;
      return plain;
    },
  };
  return new SegmentReader(body, bounded, {
    values: MAX_SEGMENT_VALUES,
    parseJson: (text) => parseJson(text, "A segment of the file"),
  });
}
