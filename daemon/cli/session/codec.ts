/** What core computes with, on Node. */
import { crc32, deflateRawSync, inflateRawSync } from "node:zlib";
import type { Codec } from "../../../src/core/segments/segment.ts";

export const CODEC: Codec = {
  deflate: (bytes) => deflateRawSync(bytes),
  inflate: (bytes, most) =>
    inflateRawSync(bytes, most === undefined ? {} : { maxOutputLength: most }),
  checksum: (bytes, seed = 0) => crc32(bytes, seed),
};
