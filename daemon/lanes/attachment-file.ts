/**
 * The content of attachments beside their lane: `<lane>.<n>.attachment` (clients/README.md, "Attachments"). What is no regular file of
 * this user is not read.
 */
import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  rmSync,
  type Stats,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { READ_BYTES } from "../limits.ts";
import type { Lane } from "./lane.ts";
import { attachmentId } from "./listing.ts";

// A pipe in place of a file would block without O_NONBLOCK.
const READ_ONLY = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** One attachment of a lane, by the number in its id. */
export type AttachmentFile = { lane: Lane; number: number };

export function attachmentPath({ lane, number }: AttachmentFile): string {
  return join(lane.folder, `${attachmentId(lane.id, number)}.attachment`);
}

/** Undefined if there is no regular file of this user. */
export function attachmentStatus(file: AttachmentFile): Stats | undefined {
  const found = lstatSync(attachmentPath(file), { throwIfNoEntry: false });
  return found && isReadable(found) ? found : undefined;
}

/** Reads a part of an attachment of `size` bytes. Throws if the file is another one by now, or too short. */
export function readChunk(
  file: AttachmentFile,
  size: number,
  offset: number,
  length: number,
): Buffer {
  const descriptor = openSync(attachmentPath(file), READ_ONLY);
  try {
    const status = fstatSync(descriptor);
    if (!isReadable(status) || status.size !== size) throw new Error("its file was changed");
    const bytes = Buffer.allocUnsafe(length);
    let read = 0;
    while (read < length) {
      const count = readSync(descriptor, bytes, read, length - read, offset + read);
      if (count === 0) throw new Error("its file is too short");
      read += count;
    }
    return bytes;
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Copies a file to a new one in blocks, or leaves none. One that grows meanwhile is copied up to `maxBytes`. Throws the system's error, or that
 * it is another kind of file by now.
 */
export function copyAttachment(
  from: string,
  to: string,
  maxBytes: number,
): { size: number; sha256: string } {
  const source = openSync(from, READ_ONLY);
  let target: number | undefined;
  try {
    if (!fstatSync(source).isFile()) throw new Error("it is not a regular file");
    target = openSync(to, "wx", 0o600);
    const hash = createHash("sha256");
    const block = Buffer.alloc(READ_BYTES);
    let size = 0;
    for (;;) {
      const length = readSync(source, block, 0, Math.min(block.length, maxBytes - size), null);
      if (length === 0) return { size, sha256: hash.digest("hex") };
      hash.update(block.subarray(0, length));
      for (let at = 0; at < length;) at += writeSync(target, block, at, length - at);
      size += length;
    }
  } catch (error) {
    if (target !== undefined) rmSync(to, { force: true });
    throw error;
  } finally {
    closeSync(source);
    if (target !== undefined) closeSync(target);
  }
}

function isReadable(status: Stats): boolean {
  const own = process.geteuid?.();
  return status.isFile() && (own === undefined || status.uid === own);
}
