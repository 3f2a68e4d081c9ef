/**
 * Reads one lane's records in order, over its parts and past its damage, from a position on. What is missing between two
 * records is counted, by their sequences.
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import type { Op } from "../../src/core/wire.ts";
import { isIntact, PREFIX, salvage, type Span } from "./frame.ts";
import { laneFile, parseFirstLine } from "./lane-file.ts";
import { Lines } from "./lines.ts";

/** Everything up to and including `seq` has been read; the next line is at `offset` of `part`. */
export type Position = {
  part: number;
  offset: number;
  seq: number;
  /** The file that `offset` is in: room is made by writing a part anew, and offsets are then worthless. */
  inode?: number;
};

export type LaneFiles = {
  folder: string;
  lane: string;
  /** Ascending; never empty. */
  parts: number[];
  /** Its writer will not write again: what has no line break never will. */
  isOver: boolean;
  /** Parts that the daemon wrote anew without some of their records, to make room. */
  thinned: ReadonlySet<number>;
};

export class Cursor {
  /** The record that `next` moved to: its sequence, and the op with `seq` still in it. */
  seq: number;
  op!: Op;
  /** Length of its line. */
  bytes = 0;
  /** Records missing just before it… */
  missing = 0;
  /** …because the daemon made room, and not because they were damaged or never written. */
  madeRoom = false;
  /** A damaged line was met on the way to it. */
  damaged = false;
  /** At the end: records lost behind the last good one. */
  missingAtEnd = 0;

  readonly #files: LaneFiles;
  #lines: Lines | undefined;
  #part: number;
  #offset: number;
  #inode: number | undefined;
  #pending: Span[] = [];
  #lineStart = 0;
  /** What is missing before the first record of this part was at the end of one that is thinned. */
  #leftThinned = false;
  /** Damaged lines since the last good record: at the end of a lane, no later sequence tells that they are missing. */
  #brokenSince = 0;

  constructor(files: LaneFiles, from: Position) {
    this.#files = files;
    this.seq = from.seq;
    this.#part = from.part;
    this.#offset = from.offset;
    this.#inode = from.inode;
    if (!files.parts.includes(this.#part)) {
      this.#part = files.parts.find((part) => part > from.part) ?? files.parts[0] ?? from.part;
      this.#offset = 0;
    }
  }

  /** Moves to the next record, if there is one yet. */
  next(): boolean {
    this.missing = 0;
    this.damaged = false;
    for (;;) {
      const span = this.#pending.shift();
      if (span) {
        if (this.#take(span.from, span.to)) return true;
        continue;
      }
      if (!this.#nextLine()) return false;
    }
  }

  /** There were damaged lines behind the last good record. */
  get endsBroken(): boolean {
    return this.#brokenSince > 0;
  }

  /** After the record that `next` moved to. */
  get position(): Position {
    return {
      part: this.#part,
      // Within a line that holds several records, it is the sequence that says how far we are.
      offset: this.#pending.length > 0 ? this.#lineStart : this.#offset,
      seq: this.seq,
      ...(this.#inode !== undefined && { inode: this.#inode }),
    };
  }

  [Symbol.dispose](): void {
    this.#lines?.close();
    this.#lines = undefined;
  }

  #nextLine(): boolean {
    const lines = (this.#lines ??= this.#open());
    this.#lineStart = lines.offset;
    if (lines.next()) {
      this.#line(lines, this.#lineStart === 0);
      return true;
    }
    const following = this.#files.parts.find((part) => part > this.#part);
    if (following === undefined && !this.#files.isOver) return false;
    // Nobody will write the missing line break any more.
    if (lines.rest()) {
      this.#line(lines, this.#lineStart === 0);
      return true;
    }
    if (following === undefined) {
      this.missingAtEnd = this.#brokenSince;
      return false;
    }
    this[Symbol.dispose]();
    this.#leftThinned = this.#files.thinned.has(this.#part);
    this.#part = following;
    this.#offset = 0;
    this.#inode = undefined;
    return true;
  }

  #line(lines: Lines, isFirst: boolean): void {
    const { bytes, from, to } = lines;
    this.#offset = lines.offset;
    if (isFirst) {
      this.#pending = parseFirstLine(bytes, from, to).records;
    } else if (isIntact(bytes, from, to)) {
      this.#pending.push({ from, to });
    } else {
      this.#pending = salvage(bytes, from, to);
      // An empty line is how a writer closes a torn one.
      if (to > from || lines.oversized) this.damaged = true;
      if (this.#pending.length === 0 && to > from) this.#brokenSince += 1;
    }
  }

  #take(from: number, to: number): boolean {
    const record = this.#parse(from, to);
    if (record === undefined) {
      this.damaged = true;
      this.#brokenSince += 1;
      return false;
    }
    // Seen before: we were set back within a line or a part.
    if (record.seq <= this.seq) return false;
    this.missing = record.seq - this.seq - 1;
    this.madeRoom = this.#files.thinned.has(this.#part) || this.#leftThinned;
    this.#leftThinned = false;
    this.seq = record.seq;
    this.op = record;
    this.bytes = to - from;
    this.#brokenSince = 0;
    return true;
  }

  #parse(from: number, to: number): (Op & { seq: number }) | undefined {
    try {
      const text = this.#lines?.bytes.toString("utf8", from + PREFIX, to) ?? "";
      const record: unknown = JSON.parse(text);
      if (typeof record !== "object" || record === null || !("seq" in record)) return undefined;
      if (!Number.isSafeInteger(record.seq)) return undefined;
      return record as Op & { seq: number }; // the op itself is checked by whoever sends it
    } catch {
      return undefined;
    }
  }

  #open(): Lines {
    const path = join(this.#files.folder, laneFile(this.#files.lane, this.#part));
    const { ino, size } = statSync(path);
    if ((this.#inode !== undefined && this.#inode !== ino) || this.#offset > size) this.#offset = 0;
    this.#inode = ino;
    return new Lines(path, this.#offset);
  }
}
