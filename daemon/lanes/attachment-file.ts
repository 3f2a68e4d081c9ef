/**
 * The content of attachments beside their lane: `<lane>.<n>.attachment` (clients/README.md, "Attachments"). What is no regular file of
 * this user is not read.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  type Stats,
} from "node:fs";
import { join } from "node:path";
import type { Lane } from "./lane.ts";
import { attachmentId } from "./listing.ts";

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
  // A pipe in its place would block without O_NONBLOCK.
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  const descriptor = openSync(attachmentPath(file), flags);
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

function isReadable(status: Stats): boolean {
  const own = process.geteuid?.();
  return status.isFile() && (own === undefined || status.uid === own);
}
