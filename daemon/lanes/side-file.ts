/**
 * Files beside a lane that its writer or the writer's runtime writes (clients/README.md, "Stacks and fatal errors"): the stacks of a hang, and
 * what the runtime writes as the process ends. A file of another kind or of another user is not read. `running` is empty: it is there while a
 * process that joined the session has not ended by itself.
 */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readSync,
  type Stats,
} from "node:fs";
import { join } from "node:path";
import { SIDE_FILE_BYTES } from "../limits.ts";
import type { Lane } from "./lane.ts";

export const SIDE_FILES = ["stacks", "fatal", "running"] as const;
type SideFile = (typeof SIDE_FILES)[number];

type SideText = {
  text: string;
  /** Where the text ends in the file. */
  end: number;
  /** When the file was last written, by the clock of the machine. */
  writtenAt: number;
  /** The file has more than SIDE_FILE_BYTES from the offset on; the text is the first part. */
  cut: boolean;
};

export function sideFilePath(lane: Lane, kind: SideFile): string {
  return join(lane.folder, `${lane.id}.${kind}`);
}

/** The size of a side file; 0 without one. */
export function sideFileSize(lane: Lane, kind: SideFile): number {
  const found = lstatSync(sideFilePath(lane, kind), { throwIfNoEntry: false });
  return found?.isFile() ? found.size : 0;
}

/** Whether a lane has a side file of at least this size. */
export function sideFileExists(lane: Lane, kind: SideFile, bytes = 0): boolean {
  const found = lstatSync(sideFilePath(lane, kind), { throwIfNoEntry: false });
  return found !== undefined && found.isFile() && found.size >= bytes;
}

/** Opens it, if it is the writer's own: not a link to another file, whose content would be recorded, or emptied. */
function openOwn(lane: Lane, kind: SideFile, access: number): { descriptor: number; stat: Stats } {
  // A pipe in its place would block without O_NONBLOCK.
  const flags = access | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  const descriptor = openSync(sideFilePath(lane, kind), flags);
  const stat = fstatSync(descriptor);
  const isOwn = process.geteuid === undefined || stat.uid === process.geteuid();
  if (stat.isFile() && isOwn && stat.nlink === 1) return { descriptor, stat };
  closeSync(descriptor);
  throw new Error(`${kind} of lane ${lane.id} is not a file of its writer.`);
}

/** Reads a side file from an offset on. Undefined if there is nothing, or it cannot be read. */
export function readSideFile(lane: Lane, kind: SideFile, offset = 0): SideText | undefined {
  let descriptor: number | undefined;
  try {
    const opened = openOwn(lane, kind, constants.O_RDONLY);
    descriptor = opened.descriptor;
    const { size, mtimeMs } = opened.stat;
    if (size <= offset) return undefined;
    const bytes = Buffer.alloc(Math.min(size - offset, SIDE_FILE_BYTES));
    const length = readSync(descriptor, bytes, 0, bytes.length, offset);
    return {
      text: bytes.toString("utf8", 0, length),
      end: offset + length,
      writtenAt: Math.round(mtimeMs),
      cut: size > offset + length,
    };
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Empties a side file whose writer appends to it. */
export function emptySideFile(lane: Lane, kind: SideFile): boolean {
  let descriptor: number | undefined;
  try {
    ({ descriptor } = openOwn(lane, kind, constants.O_WRONLY));
    ftruncateSync(descriptor);
    return true;
  } catch {
    return false;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
