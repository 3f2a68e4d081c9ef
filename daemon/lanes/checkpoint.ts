/**
 * What the server has acknowledged of each lane, on disk. A stale checkpoint costs only time: the server answers with what it has.
 * So it may be lost, but never be half written.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import * as v from "valibot";
import type { LaneMemory } from "./lanes.ts";

const Memory = v.object({
  part: v.number(),
  offset: v.number(),
  seq: v.number(),
  inode: v.optional(v.number()),
  session: v.string(),
  server: v.string(),
  isJoiner: v.optional(v.boolean()),
  isShared: v.optional(v.boolean()),
  started: v.optional(v.string()),
});
const Checkpoint = v.object({ version: v.literal(1), lanes: v.record(v.string(), Memory) });

/** The lanes of the checkpoint; none if there is no readable one. */
export function loadCheckpoint(path: string): Map<string, LaneMemory> {
  try {
    const { lanes } = v.parse(Checkpoint, JSON.parse(readFileSync(path, "utf8")));
    // The schema lets through exactly the optional keys that the type has.
    return new Map(Object.entries(lanes) as [string, LaneMemory][]);
  } catch {
    return new Map();
  }
}

export function saveCheckpoint(path: string, lanes: Map<string, LaneMemory>): void {
  writeAtomically(path, JSON.stringify({ version: 1, lanes: Object.fromEntries(lanes) }));
}

/** Replaces a file so that at any moment, power cuts included, either the old or the new one is there, whole. */
export function writeAtomically(path: string, text: string): void {
  const temporary = `${path}.new`;
  const descriptor = openSync(temporary, "w", 0o600);
  try {
    writeAll(descriptor, Buffer.from(text));
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, path);
  syncFolder(dirname(path));
}

function writeAll(descriptor: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length;) {
    written += writeSync(descriptor, bytes, written);
  }
}

/** A new name is durable once its folder is. Windows has no such thing, and some file systems refuse. */
function syncFolder(folder: string): void {
  try {
    const descriptor = openSync(folder, "r");
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // then the rename is as durable as this system makes it
  }
}
