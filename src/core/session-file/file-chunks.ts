/** The contents of attachments in a session file. */
import { type Attachment, chunkBytes, chunksOf } from "../attachments/attachments.ts";
import { ATTACHMENT_CHUNK_BYTES } from "../limits.ts";
import { ByteReader } from "../segments/bytes.ts";
import type { Codec } from "../segments/segment.ts";
import type { Lengths, StoredChunks } from "../segments/segments.ts";
import { isOfFile } from "./bad-file.ts";
import { unpack } from "./parts.ts";
import type { FileBytes, Scanned } from "./scan.ts";

export class FileChunks implements StoredChunks {
  readonly #bytes: FileBytes;
  readonly #chunks: Scanned["chunks"];
  readonly #codec: Codec;

  constructor(bytes: FileBytes, { chunks }: Scanned, codec: Codec) {
    this.#bytes = bytes;
    this.#chunks = chunks;
    this.#codec = codec;
  }

  lengths(): Lengths {
    return new Map();
  }

  received(attachment: Attachment): number[] {
    const numbers = [...(this.#chunks.get(attachment.seq)?.keys() ?? [])];
    return numbers
      .filter((number) => number < chunksOf(attachment))
      .sort((one, other) => one - other);
  }

  read(attachment: Attachment, chunk: number): Uint8Array | undefined {
    const place = this.#chunks.get(attachment.seq)?.get(chunk);
    if (!place) return undefined;
    try {
      const reader = new ByteReader(this.#bytes.read(place.at, place.length));
      reader.varint();
      reader.varint();
      const bytes = unpack(reader.remaining(), this.#codec, ATTACHMENT_CHUNK_BYTES);
      return bytes.length === chunkBytes(attachment, chunk) ? bytes : undefined;
    } catch (error) {
      if (!isOfFile(error)) throw error;
      return undefined;
    }
  }
}
