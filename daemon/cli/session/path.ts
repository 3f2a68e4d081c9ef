/** Session files on this machine, as arguments of commands name them. */
import { closeSync, openSync, readSync, type Stats, statSync } from "node:fs";
import { BadFile } from "../../../src/core/session-file/bad-file.ts";
import type { FileBytes } from "../../../src/core/session-file/scan.ts";
import { SIGNATURE } from "../../../src/core/session-file/signature.ts";
import { reason } from "../../log.ts";
import { Trouble } from "../trouble.ts";

/** Whether it is named as a session file, or is one. */
export function isSessionFile(path: string): boolean {
  return path.endsWith(".datacat") || beginsAsFile(path);
}

function beginsAsFile(path: string): boolean {
  try {
    if (!statSync(path).isFile()) return false;
    const descriptor = openSync(path, "r");
    try {
      return Buffer.from(SIGNATURE).equals(readAt(descriptor, 0, SIGNATURE.length));
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return false; // it does not exist, or may not be read
  }
}

/** Runs `act` with the bytes of a file. Throws a Trouble if there is none, or if it is no session file that can be read. */
export async function withFile<Result>(
  path: string,
  act: (bytes: FileBytes) => Result | Promise<Result>,
): Promise<Result> {
  const status = reading(path, () => statSync(path));
  if (!status.isFile()) throw new Trouble("failed", otherText(path, status));
  const descriptor = reading(path, () => openSync(path, "r"));
  try {
    return await act({
      size: status.size,
      read: (from, length) => reading(path, () => readAt(descriptor, from, length)),
    });
  } catch (error) {
    if (!(error instanceof BadFile)) throw error;
    throw new Trouble(
      "failed",
      `${path} cannot be read as a session file: ${error.message}. ${error.advice}`,
    );
  } finally {
    closeSync(descriptor);
  }
}

/** Fewer bytes at the end of the file. */
function readAt(descriptor: number, from: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let read = 0;
  while (read < length) {
    const more = readSync(descriptor, bytes, read, length - read, from + read);
    if (more === 0) break;
    read += more;
  }
  return bytes.subarray(0, read);
}

function otherText(path: string, status: Stats): string {
  return status.isDirectory()
    ? `${path} is a folder. Name a session file in it.`
    : `${path} is no file on a disk. A session file is not read from its beginning to its end, so store it in a file first.`;
}

/** Runs it; what the system refuses is a Trouble. */
function reading<Result>(path: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException; // undefined for other errors
    if (code === "ENOENT" || code === "ENOTDIR")
      throw new Trouble("not_found", `There is no file ${path}.`);
    const advice =
      code === "EACCES" || code === "EPERM"
        ? "Change its permissions, or copy it as a user who may read it."
        : "Copy it to another disk, and read it there.";
    throw new Trouble("failed", `${path} cannot be read: ${reason(error)}. ${advice}`);
  }
}
