/** The op of an attachment, and what is recorded if its content is lost. Pure. */
import { mediaTypeOf } from "../../../src/core/attachments/media-type.ts";
import { jsonOf, type Loss } from "../encode/values.ts";
import { name, type EventOptions } from "../encode/ops.ts";
import { redactor } from "../encode/redactor.ts";
import { MAX_ATTACHMENT_BYTES, TYPE_LENGTH } from "./limits.ts";

export type AttachOptions = {
  /** The media type. Default: by the extension of the name, else `application/octet-stream`. */
  type?: string | undefined;
};

/** Content that was stored: its length in bytes, and the SHA-256 of it in hex. */
type Stored = { id: string; size: number; sha256: string };

/** Why content was not stored. `reason` continues the sentence "NAME was not attached: …". */
export type NotStored = LostContent | NotWritten;
/** It is too long, or cannot be read, or there is no room for it in memory. `detail` is the loss's, after the name. */
export type LostContent = {
  cause: "too_large" | "unreadable" | "queue_full";
  reason: string;
  detail: string;
};
/** It could not be written to the disk, by the error of a system call. */
export type NotWritten = { cause: string; reason: string; failure: unknown };

/** A type that is long or has no `/` is left out, because the server would refuse the op. */
const MEDIA_TYPE = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:; ?[\x20-\x7e]+)?$/;

function typeOf(title: string, asked: unknown): string {
  const isType = typeof asked === "string" && asked.length <= TYPE_LENGTH && MEDIA_TYPE.test(asked);
  return isType ? asked : mediaTypeOf(title);
}

/** The text of the op, with its keys in the order of core's wire. */
export function attachmentOp(
  title: unknown,
  type: unknown,
  { id, size, sha256 }: Stored,
  losses: Loss[],
): string {
  const shown = titleOf(title, losses);
  return jsonOf({
    op: "attachment",
    id,
    name: redactor.text(shown),
    type: redactor.text(typeOf(shown, type)),
    size,
    sha256,
  }).slice(1);
}

/** The name as it is recorded: an attachment has one in any case. */
function titleOf(title: unknown, losses: Loss[]): string {
  return name("attachment.name", title, losses) ?? "attachment";
}

/** The bytes of a buffer or of a view on one; undefined for another value. */
export function bytesOf(content: unknown): Uint8Array | undefined {
  if (content instanceof ArrayBuffer) return new Uint8Array(content);
  if (!ArrayBuffer.isView(content)) return undefined;
  return new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
}

export function tooLarge(bytes: number): LostContent {
  return {
    cause: "too_large",
    detail: `${bytes} bytes`,
    reason: `it has ${bytes} bytes, and ${MAX_ATTACHMENT_BYTES} are the most`,
  };
}

export function unreadable(detail: string): LostContent {
  return { cause: "unreadable", detail, reason: `it could not be read: ${detail}` };
}

/** The loss of content that was not stored for another reason than the disk. */
export function lossOf(title: unknown, { cause, detail }: LostContent): Loss {
  return { cause, detail: `${redactor.text(titleOf(title, []))}: ${detail}`, isMissing: true };
}

/** The event that names an attachment whose content is lost. */
export function lostEvent(title: unknown, { cause, reason }: NotStored): EventOptions {
  const shown = titleOf(title, []);
  return {
    category: "warning",
    message: `${shown} was not attached: ${reason}`,
    data: { attachment: shown, cause },
  };
}

/** The event's name. */
export const LOST_EVENT = "attachment_lost";
