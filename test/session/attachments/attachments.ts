/** Contents of attachments, and the ops that announce them. */
import { createHash } from "node:crypto";
import { ATTACHMENT_CHUNK_BYTES } from "../../../src/core/limits.ts";
import type { AttachmentOp } from "../../../src/core/wire.ts";

export const CHUNK = ATTACHMENT_CHUNK_BYTES;

export type File = { op: AttachmentOp; bytes: Uint8Array; chunks: Uint8Array[] };

let made = 0;

/** A file of this many bytes, which differ from those of other files. */
export function file(size: number, more: Partial<AttachmentOp> = {}): File {
  const seed = ++made;
  const bytes = new Uint8Array(size);
  // Four bytes at a time, because filling ten MiB byte by byte takes long.
  const quads = new Uint32Array(bytes.buffer, 0, size >> 2);
  for (let i = 0; i < quads.length; i++) quads[i] = (i * 2_654_435_761 + seed) >>> 0;
  return fileOf(bytes, { id: `lane.${seed}`, ...more });
}

export function fileOf(bytes: Uint8Array, more: Partial<AttachmentOp> = {}): File {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK) chunks.push(bytes.subarray(at, at + CHUNK));
  const op = {
    op: "attachment" as const,
    at: Date.UTC(2026, 0, 5, 12),
    id: `lane.${++made}`,
    name: "save.dat",
    size: bytes.length,
    sha256: sha256(bytes),
    ...more,
  };
  return { op, bytes, chunks };
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
