/**
 * The content of an attachment beside the lane (clients/README.md, "Attachments"): copied in blocks, so that the memory is bounded, and
 * whole before the op that names it is written.
 */
import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { fileURLToPath } from "node:url";
import {
  bytesOf,
  tooLarge,
  unreadable,
  type LostContent,
  type NotStored,
  type NotWritten,
} from "../attach/attachment.ts";
import { BLOCK_BYTES, MAX_ATTACHMENT_BYTES } from "../attach/limits.ts";
import { isGranted } from "../process/permission.ts";
import { describe } from "./losses.ts";

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL } = constants;
// Windows has neither. A pipe in place of a file would block without O_NONBLOCK.
const O_NOFOLLOW = constants.O_NOFOLLOW ?? 0;
const O_NONBLOCK = constants.O_NONBLOCK ?? 0;

/** Bytes, or the path of a file. */
export type FileContent = Uint8Array | ArrayBuffer | string | URL;

/** What is read in blocks. An error of `read` is the source's. */
export type Source = { read(block: Uint8Array): number; close(): void };

/** Writes content to a new file, or leaves none. */
export function writeAttachment(
  path: string,
  content: FileContent,
): { size: number; sha256: string } | NotStored {
  const source = openSource(content);
  if ("cause" in source) return source;
  try {
    return copy(source, path);
  } finally {
    source.close();
  }
}

/** A file is read to its end, at most up to the limit: one that grows meanwhile is recorded as far as it was read. */
export function openSource(content: FileContent): Source | LostContent {
  if (typeof content === "string" || content instanceof URL) return openFile(content);
  const bytes = bytesOf(content);
  return bytes ? openBytes(bytes) : unreadable("neither bytes nor a path");
}

function openBytes(bytes: Uint8Array): Source | LostContent {
  if (bytes.length > MAX_ATTACHMENT_BYTES) return tooLarge(bytes.length);
  let at = 0;
  return {
    read(block) {
      const part = bytes.subarray(at, at + block.length);
      block.set(part);
      at += part.length;
      return part.length;
    },
    close() {},
  };
}

function openFile(from: string | URL): Source | LostContent {
  const path = typeof from === "string" ? from : fileURLToPath(from);
  if (!isGranted({ name: "read", path })) return unreadable("no permission to read it");
  let file: number | undefined;
  try {
    const opened = (file = openSync(path, O_RDONLY | O_NONBLOCK));
    const status = fstatSync(opened);
    const refusal = status.isFile()
      ? status.size > MAX_ATTACHMENT_BYTES && tooLarge(status.size)
      : unreadable("it is not a regular file");
    if (!refusal) {
      file = undefined;
      return { read: (block) => readSync(opened, block), close: () => closeSync(opened) };
    }
    return refusal;
  } catch (thrown) {
    return unreadable(describe(thrown).detail);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function copy(source: Source, path: string): { size: number; sha256: string } | NotStored {
  const hash = createHash("sha256");
  const block = new Uint8Array(BLOCK_BYTES);
  let size = 0;
  let file: number | undefined;
  try {
    file = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    for (;;) {
      const length = readBlock(source, block.subarray(0, MAX_ATTACHMENT_BYTES - size));
      if (typeof length !== "number") return removed(path, length);
      if (length === 0) break;
      hash.update(block.subarray(0, length));
      for (let at = 0; at < length;) at += writeSync(file, block, at, length - at);
      size += length;
    }
    return { size, sha256: hash.digest("hex") };
  } catch (failure) {
    const lost = notWritten(failure);
    return file === undefined ? lost : removed(path, lost);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function readBlock(source: Source, block: Uint8Array): number | LostContent {
  try {
    return source.read(block);
  } catch (thrown) {
    return unreadable(describe(thrown).detail);
  }
}

/** The disk's refusal, by the error of a system call. */
export function notWritten(failure: unknown): NotWritten {
  const { cause, detail } = describe(failure);
  return { cause, reason: `it could not be written: ${detail}`, failure };
}

/** Gives the space back. */
export function removed(path: string, lost: NotStored): NotStored {
  try {
    unlinkSync(path);
  } catch {
    // the daemon removes it with the lane
  }
  return lost;
}
