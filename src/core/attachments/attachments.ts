/**
 * Attachments of a session: files that a program adds to what it records. An `attachment` op announces one; its content follows in chunks
 * (session/attachments/chunks.ts). The index lists each with what is known of it. Pure; `node:crypto` and storage are the caller's.
 */
import { utf8 } from "../segments/bytes.ts";
import {
  ATTACHMENT_CHUNK_BYTES,
  MAX_ATTACHMENT_BYTES,
  MAX_ATTACHMENTS,
  MAX_LISTED_ATTACHMENTS,
  MAX_REFUSED_ATTACHMENTS,
  MAX_SESSION_ATTACHMENT_BYTES,
} from "../limits.ts";
import type { AttachmentOp } from "../wire.ts";

/** Why the content of an attachment is not taken. */
export type AttachmentRefusal =
  | "too_large" // over the limit of one attachment
  | "session_full" // the attachments of the session together
  | "too_many"
  | "duplicate" // another one of the session has this id
  | "checksum_mismatch"; // what arrived was not what the op announced, each time it was sent

/** Why an attachment was refused, after "because" or a colon. */
export const REFUSAL_TEXTS: { [reason in AttachmentRefusal]: string } = {
  too_large: "it is larger than an attachment may be",
  session_full: "the attachments of this session have the size that they may have together",
  too_many: "the session has as many attachments as it may have",
  duplicate: "another attachment of the session has its id",
  checksum_mismatch: "what arrived was not what the program had announced",
};

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

/** The most chunks that an attachment may have: MAX_CHUNKS of them are 1 GiB. */
export const MAX_CHUNKS = 1_024;

/** Whether its content is expected: neither there nor refused. */
export function isAwaited({
  complete,
  refused,
}: Pick<Attachment, "complete" | "refused">): boolean {
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

/** Images that pages show, with the bytes that each begins with. No SVG: it is markup. */
const IMAGES: [type: string, starts: string, at: number][] = [
  ["image/png", "\x89PNG\r\n\x1a\n", 0],
  ["image/jpeg", "\xff\xd8\xff", 0],
  ["image/gif", "GIF8", 0],
  ["image/webp", "WEBP", 8],
];

/** Whether it is announced as an image that pages show. */
export function isShownImage({ type }: Pick<Attachment, "type">): boolean {
  return IMAGES.some(([known]) => known === type.toLowerCase());
}

/** The type of a shown image, if the content begins as it must; undefined for everything else. */
export function imageTypeOf({ type }: Pick<Attachment, "type">, content: Uint8Array) {
  const [known, starts = "", at = 0] = IMAGES.find(([each]) => each === type.toLowerCase()) ?? [];
  const begins = String.fromCharCode(...content.subarray(at, at + starts.length));
  return begins === starts ? known : undefined;
}

/**
 * The limits of a setting's text: MiB of an attachment, MiB of all of a session, and their number: "10,50,200". The defaults without it,
 * and if it is something else.
 */
export function parseAttachmentLimits(text = ""): AttachmentLimits {
  const [, each, session, count] =
    /^\s*(\d{1,4})\s*,\s*(\d{1,4})\s*,\s*(\d{1,4})\s*$/.exec(text) ?? [];
  if (each === undefined || session === undefined || count === undefined) return ATTACHMENT_LIMITS;
  return {
    each: Math.min(Number(each) * MIB, MAX_CHUNKS * ATTACHMENT_CHUNK_BYTES),
    session: Number(session) * MIB,
    count: Math.min(Number(count), MAX_LISTED_ATTACHMENTS),
  };
}

const MIB = 1024 * 1024;

/**
 * The name of a downloaded file: without what a path or a terminal gives a meaning to. Folders are left out, as are characters that are
 * not shown or change the direction of text, and what Windows refuses.
 */
export function fileNameOf(name: string, id: string): string {
  const last = name.split(/[/\\]/).at(-1) ?? "";
  const plain = trimmed(last.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "").replace(/[<>:"|?*]/g, "_"));
  const safe = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(plain) ? `_${plain}` : plain;
  const cut = cutName(safe);
  return cut === "" ? `attachment-${id.replaceAll(":", "_")}` : cut;
}

/** Without blanks and dots at either end. */
function trimmed(name: string): string {
  let [from, to] = [0, name.length];
  while (from < to && /[\s.]/.test(name.charAt(from))) from++;
  while (to > from && /[\s.]/.test(name.charAt(to - 1))) to--;
  return name.slice(from, to);
}

/** The first characters and the extension of a name that is longer than file systems take (255 bytes). */
function cutName(name: string): string {
  const [, extension = ""] = /(\.[A-Za-z0-9]{1,10})$/.exec(name) ?? [];
  let bytes = extension.length;
  let cut = "";
  for (const character of name.slice(0, name.length - extension.length)) {
    bytes += utf8(character).length;
    if (bytes > MAX_FILE_NAME_BYTES) break;
    cut += character;
  }
  return cut + extension;
}

const MAX_FILE_NAME_BYTES = 200;
