/**
 * The contents of attachments: a row for each chunk, with its checksum, so that damage costs only the chunk it is in. Everything is
 * synchronous, so that nothing else is delivered to the object while a content is checked. Memory holds one chunk at a time.
 */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import {
  type Attachment,
  chunkBytes,
  chunksOf,
  MAX_CHUNKS,
} from "../../core/attachments/attachments.ts";
import type { Lengths, StoredChunks } from "../../core/segments/segments.ts";
import type { Damage } from "../storage/damage.ts";
import type { Database } from "../storage/database.ts";

const CREATE_CHUNKS = `CREATE TABLE IF NOT EXISTS chunks (
  id INTEGER PRIMARY KEY,  -- sequence of the attachment's op * MAX_CHUNKS + number of the chunk
  crc INTEGER NOT NULL,    -- CRC-32 of the bytes
  bytes BLOB NOT NULL
)`;

type Row = { crc: SqlStorageValue; bytes: SqlStorageValue };

export class Chunks implements StoredChunks {
  readonly #database: Database;
  readonly #damage: Damage;
  #isStored: boolean;

  /** `isStored`: the table exists. */
  constructor(database: Database, damage: Damage, isStored: boolean) {
    this.#database = database;
    this.#damage = damage;
    this.#isStored = isStored;
  }

  /** The lengths of stored chunks by their ids, of one attachment or of all. Their bytes are not read. */
  lengths(attachment?: Attachment): Lengths {
    if (!this.#isStored || attachment?.size === 0) return new Map();
    const [first, last] = attachment
      ? [idOf(attachment, 0), idOf(attachment, chunksOf(attachment) - 1)]
      : [0, Number.MAX_SAFE_INTEGER];
    const rows = this.#database.rows<{ id: number; length: SqlStorageValue }>(
      "SELECT id, length(bytes) AS length FROM chunks WHERE id BETWEEN ? AND ?",
      first,
      last,
    );
    return new Map(rows.map(({ id, length }) => [id, length]));
  }

  /** The chunks that are stored with their whole length, in order. */
  received(attachment: Attachment, lengths?: Lengths): number[] {
    // The size of a refused one is any number.
    if (attachment.refused !== undefined) return [];
    const received: number[] = [];
    lengths ??= this.lengths(attachment);
    for (let chunk = 0; chunk < chunksOf(attachment); chunk++)
      if (lengths.get(idOf(attachment, chunk)) === chunkBytes(attachment, chunk))
        received.push(chunk);
    return received;
  }

  /** Chunks of a complete content that are missing, or do not match their checksum. Reads those from `from` to `to`. */
  damaged(attachment: Attachment, from = 0, to = chunksOf(attachment) - 1): number[] {
    const damaged: number[] = [];
    for (let chunk = from; chunk <= to; chunk++)
      if (!this.read(attachment, chunk)) damaged.push(chunk);
    return damaged;
  }

  /** The bytes of a chunk; undefined if they are missing or damaged, which is noted of a complete content. */
  read(attachment: Attachment, chunk: number): Uint8Array | undefined {
    const id = idOf(attachment, chunk);
    const [row] = this.#isStored
      ? this.#database.rows<Row>("SELECT crc, bytes FROM chunks WHERE id = ?", id)
      : [];
    const bytes = row?.bytes instanceof ArrayBuffer ? new Uint8Array(row.bytes) : undefined;
    if (bytes?.length === chunkBytes(attachment, chunk) && crc32(bytes) === row?.crc) return bytes;
    if (attachment.complete) this.#damage.note(attachment.seq, "attachment");
    return undefined;
  }

  /** Stores a chunk. False if these bytes are stored already. Throws a Refusal: damaged, storage_full. */
  write(attachment: Attachment, chunk: number, bytes: Uint8Array): boolean {
    const id = idOf(attachment, chunk);
    const crc = crc32(bytes);
    if (!this.#isStored) this.#database.write(CREATE_CHUNKS);
    this.#isStored = true;
    const [known] = this.#database.rows<{ crc: SqlStorageValue; length: SqlStorageValue }>(
      "SELECT crc, length(bytes) AS length FROM chunks WHERE id = ?",
      id,
    );
    if (known?.crc === crc && known.length === bytes.length) return false;
    this.#database.write("INSERT OR REPLACE INTO chunks VALUES (?, ?, ?)", id, crc, bytes);
    return true;
  }

  remove(attachment: Attachment, chunks: number[]): void {
    for (const chunk of chunks)
      this.#database.write("DELETE FROM chunks WHERE id = ?", idOf(attachment, chunk));
  }

  /** Whether the content is that which was announced. `damaged`: chunks that cannot be read, so that it is not known. */
  check(attachment: Attachment): { matches: boolean; damaged: number[] } {
    const hash = createHash("sha256");
    const damaged: number[] = [];
    for (let chunk = 0; chunk < chunksOf(attachment); chunk++) {
      const bytes = this.read(attachment, chunk);
      if (bytes) hash.update(bytes);
      else damaged.push(chunk);
    }
    return { matches: damaged.length === 0 && hash.digest("hex") === attachment.sha256, damaged };
  }

  /** After the object's storage was deleted. */
  clear(): void {
    this.#isStored = false;
  }
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function idOf({ seq }: Attachment, chunk: number): number {
  return seq * MAX_CHUNKS + chunk;
}
