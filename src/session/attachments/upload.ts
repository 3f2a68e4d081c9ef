/** Takes the contents of attachments chunk by chunk. What was received is in the storage only, so an upload goes on after the object slept. */
import {
  type Attachment,
  type AttachmentLimits,
  type AttachmentRefusal,
  chunkBytes,
  chunksOf,
  isFull,
  REFUSAL_TEXTS,
} from "../../core/attachments/attachments.ts";
import { formatBytes, formatCount, formatNumber } from "../../core/text/format.ts";
import { MAX_ATTACHMENT_FAILURES } from "../../core/limits.ts";
import { Refusal } from "../../core/refusal.ts";
import { type Chunks, sha256Of } from "./chunks.ts";

/** How far the upload of an attachment is. */
export type Progress = {
  id: string;
  size: number;
  /** How many it has. */
  chunks: number;
  received: number[];
  complete: boolean;
  refused?: AttachmentRefusal;
};

export type SentChunk = {
  id: string;
  chunk: number;
  bytes: Uint8Array;
  /** Of these bytes, in hexadecimal digits. */
  sha256?: string;
};

/** What a chunk changed: bytes that are stored now, and whether the attachment is complete, refused or expected again. */
type Taken = { stored: number; isDecided: boolean; refusal?: Refusal };

/** The attachment of an id. If it is not listed, and can only have been refused: its refusal. Throws `not_found` if its op was not applied. */
export function attachmentOf(list: Attachment[], limits: AttachmentLimits, id: string): Attachment {
  const found = list.find((each) => each.id === id);
  if (found) return found;
  if (!isFull(list, limits))
    throw new Refusal("not_found", "The session has no attachment with this id (yet).", {
      attachment: id,
    });
  const none = { at: 0, seq: 0, name: "", type: "", size: 0, sha256: "" };
  return { ...none, id, complete: false, refused: "too_many" };
}

export function progressOf(chunks: Chunks, attachment: Attachment): Progress {
  const { id, size, complete, refused } = attachment;
  return {
    id,
    size,
    chunks: chunksOf(attachment),
    received: refused === undefined ? chunks.received(attachment) : [],
    complete,
    ...(refused && { refused }),
  };
}

/**
 * Stores a chunk; with the last one checks the whole, and sets `complete` or `refused` of the attachment. A chunk that is stored already
 * changes nothing. Throws a Refusal if nothing of it is stored: attachment_refused, bad_chunk, damaged, storage_full.
 */
export function takeChunk(chunks: Chunks, attachment: Attachment, sent: SentChunk): Taken {
  if (attachment.refused !== undefined) throw refusedAttachment(attachment.refused);
  if (attachment.complete) return { stored: 0, isDecided: false };
  checkChunk(attachment, sent);
  const { chunk, bytes } = sent;
  const stored = chunks.write(attachment, chunk, bytes) ? bytes.length : 0;
  if (chunks.received(attachment).length < chunksOf(attachment))
    return { stored, isDecided: false };
  return { stored, ...decide(chunks, attachment) };
}

/** All chunks are there. */
function decide(chunks: Chunks, attachment: Attachment): Omit<Taken, "stored"> {
  const { matches, damaged } = chunks.check(attachment);
  if (matches) {
    attachment.complete = true;
    delete attachment.failures;
    return { isDecided: true };
  }
  // Chunks that the storage damaged are sent again; the others stay.
  chunks.remove(attachment, damaged.length > 0 ? damaged : chunks.received(attachment));
  if (damaged.length > 0) return { isDecided: false };
  attachment.failures = (attachment.failures ?? 0) + 1;
  if (attachment.failures >= MAX_ATTACHMENT_FAILURES) {
    attachment.refused = "checksum_mismatch";
    return { isDecided: true, refusal: refusedAttachment("checksum_mismatch") };
  }
  const refusal = new Refusal(
    "checksum_mismatch",
    `The content does not match the SHA-256 that was announced, so all of it was removed. Send it again, at most ${formatCount(MAX_ATTACHMENT_FAILURES - attachment.failures, "more time")}.`,
  );
  return { isDecided: true, refusal };
}

/** Completes attachments whose content is there, after the index that had it as complete was damaged. */
export function completeRestored(chunks: Chunks, list: Attachment[]): void {
  for (const attachment of list) {
    if (attachment.complete || attachment.refused !== undefined) continue;
    if (chunks.received(attachment).length < chunksOf(attachment)) continue;
    attachment.complete = chunks.check(attachment).matches;
  }
}

function refusedAttachment(reason: AttachmentRefusal): Refusal {
  return new Refusal(
    "attachment_refused",
    `The content of this attachment is not taken: ${REFUSAL_TEXTS[reason]}. Do not send it again.`,
    { reason },
  );
}

function checkChunk(attachment: Attachment, { chunk, bytes, sha256 }: SentChunk): void {
  const count = chunksOf(attachment);
  if (!Number.isInteger(chunk) || chunk < 0 || chunk >= count)
    throw new Refusal(
      "bad_chunk",
      `The attachment has ${formatCount(count, "chunk")}, numbered from 0.`,
    );
  const expected = chunkBytes(attachment, chunk);
  if (bytes.length !== expected)
    throw new Refusal(
      "bad_chunk",
      `Chunk ${formatNumber(chunk)} has ${formatNumber(expected)} bytes (${formatBytes(expected)}); the body has ${formatNumber(bytes.length)}.`,
    );
  if (sha256 !== undefined && sha256.toLowerCase() !== sha256Of(bytes))
    throw new Refusal("bad_chunk", "The body does not match X-Chunk-Sha256; send it again.");
}
