/**
 * What the server has acknowledged of each lane, on disk. An outdated checkpoint costs only time: the server's answer names the
 * sequence that it has applied. The file may therefore be lost, but it is never half written.
 */
import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import * as v from "valibot";

const LaneCheckpoint = v.object({
  part: v.number(),
  offset: v.number(),
  seq: v.number(),
  inode: v.optional(v.number()),
  session: v.string(),
  server: v.string(),
  /** The lane begins without a `start`: its writer joined a session that another process opened. */
  isJoiner: v.optional(v.boolean()),
  /** Other lanes wrote to the session too. */
  isShared: v.optional(v.boolean()),
  /** When the writer's process started, for a header that does not have it. */
  started: v.optional(v.string()),
});
export type LaneCheckpoint = v.InferOutput<typeof LaneCheckpoint>;
const Checkpoint = v.object({
  version: v.literal(1),
  lanes: v.record(v.string(), LaneCheckpoint),
});

/** The lanes of the checkpoint; none if there is no readable one. */
export function loadCheckpoint(path: string): Map<string, LaneCheckpoint> {
  try {
    const { lanes } = v.parse(Checkpoint, JSON.parse(readFileSync(path, "utf8")));
    return new Map(Object.entries(lanes));
  } catch {
    return new Map();
  }
}

export function saveCheckpoint(path: string, lanes: Map<string, LaneCheckpoint>): void {
  writeAtomically(path, JSON.stringify({ version: 1, lanes: Object.fromEntries(lanes) }));
}

/** Replaces a file so that at any moment, power cuts included, either the old or the new content is there, whole. */
export function writeAtomically(path: string, text: string): void {
  const temporary = `${path}.new`;
  try {
    const descriptor = openSync(temporary, "w", 0o600);
    try {
      writeAll(descriptor, Buffer.from(text));
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true }); // on a full disk it would take the room that the next attempt needs
    throw error;
  }
  syncFolder(dirname(path));
}

function writeAll(descriptor: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length;) {
    written += writeSync(descriptor, bytes, written);
  }
}

/** A rename survives a power cut once its folder is synced. Windows can't sync folders, and some file systems refuse to. */
function syncFolder(folder: string): void {
  try {
    const descriptor = openSync(folder, "r");
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // This system gives no stronger guarantee.
  }
}
