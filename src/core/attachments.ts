/**
 * Attachments of a session: files that a program adds to what it records. An `attachment` op announces one; its content follows in chunks
 * (session/chunks.ts). The index lists each with what is known of it. Pure; `node:crypto` and storage are the caller's.
 */
import {
  ATTACHMENT_CHUNK_BYTES,
  MAX_ATTACHMENT_BYTES,
  MAX_ATTACHMENTS,
  MAX_REFUSED_ATTACHMENTS,
  MAX_SESSION_ATTACHMENT_BYTES,
} from "./limits.ts";
import type { AttachmentOp } from "./wire.ts";

/** Why the content of an attachment is not taken. */
export type AttachmentRefusal =
  | "too_large" // over the limit of one attachment
  | "session_full" // the attachments of the session together
  | "too_many"
  | "duplicate" // another one of the session has this id
  | "checksum_mismatch"; // what arrived was not what the op announced, each time it was sent

/** `seq`: of its op, which also numbers its chunks. */
export type Attachment = Omit<AttachmentOp, "op" | "type"> & {
  type: string;
  seq: number;
  complete: boolean;
  refused?: AttachmentRefusal;
  /** How often the whole content did not match its checksum. */
  failures?: number;
};

/** Bytes of one, bytes of all of a session, and their number. */
export type AttachmentLimits = { each: number; session: number; count: number };

export const ATTACHMENT_LIMITS: AttachmentLimits = {
  each: MAX_ATTACHMENT_BYTES,
  session: MAX_SESSION_ATTACHMENT_BYTES,
  count: MAX_ATTACHMENTS,
};

const DEFAULT_ATTACHMENT_TYPE = "application/octet-stream";
const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** How many chunks the content has. All are of ATTACHMENT_CHUNK_BYTES, but for the last one. */
export function chunksOf({ size }: Pick<Attachment, "size">): number {
  return Math.ceil(size / ATTACHMENT_CHUNK_BYTES);
}

/** The bytes of a chunk, which must be one of the attachment. */
export function chunkBytes({ size }: Pick<Attachment, "size">, chunk: number): number {
  return Math.min(ATTACHMENT_CHUNK_BYTES, size - chunk * ATTACHMENT_CHUNK_BYTES);
}

/** Whether its content is expected: neither there nor refused. */
export function isAwaited({ complete, refused }: Attachment): boolean {
  return !complete && refused === undefined;
}

/** Whether every further attachment is refused: an id that is not listed then is, or will be, one of those. */
export function isFull(list: Attachment[], { count }: AttachmentLimits): boolean {
  const refused = list.filter((each) => each.refused !== undefined).length;
  return list.length - refused >= count || refused >= MAX_REFUSED_ATTACHMENTS;
}

/** Decides whether the content of a new attachment is taken. */
export function refusalFor(
  op: AttachmentOp,
  list: Attachment[],
  limits: AttachmentLimits,
): AttachmentRefusal | undefined {
  if (list.some(({ id }) => id === op.id)) return "duplicate";
  if (isFull(list, limits)) return "too_many";
  if (op.size > limits.each) return "too_large";
  const taken = list.reduce((sum, each) => sum + (each.refused === undefined ? each.size : 0), 0);
  if (taken + op.size > limits.session) return "session_full";
  return op.size === 0 && op.sha256 !== EMPTY_SHA256 ? "checksum_mismatch" : undefined;
}

/**
 * Lists an announced attachment. False if the list has no room for it: a duplicate, and refused ones over their number, are only in the log.
 */
export function listAttachment(
  list: Attachment[],
  announced: AttachmentOp,
  seq: number,
  refused: AttachmentRefusal | undefined,
): boolean {
  const { op: _, type = DEFAULT_ATTACHMENT_TYPE, ...rest } = announced;
  const refusedCount = list.filter((each) => each.refused !== undefined).length;
  if (refused === "duplicate" || (refused && refusedCount >= MAX_REFUSED_ATTACHMENTS)) return false;
  list.push({
    ...rest,
    type,
    seq,
    complete: refused === undefined && rest.size === 0,
    ...(refused && { refused }),
  });
  return true;
}
