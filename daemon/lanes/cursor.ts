/**
 * Reads one lane's records in order from a position on, across its parts and past damaged lines. Missing records are counted
 * by their sequences.
 */
import { statSync } from "node:fs";
import type { Op } from "../../src/core/wire.ts";
import { isIntact, PREFIX, salvage, type Span } from "./frame.ts";
import { parseFirstLine } from "./lane-file.ts";
import type { Lane, Position } from "./lane.ts";
import { Lines } from "./lines.ts";

export class Cursor {
  /** The record that `next` moved to: its sequence, and the op with `seq` still in it. */
  seq: number;
  op!: Op;
  /** Length of its line. */
  bytes = 0;
  /** How many records are missing just before it. */
  missing = 0;
  /** They are missing because the disk budget removed them, not because they were damaged or never written. */
  isReduced = false;
  /** At least one damaged line precedes it. */
  isDamaged = false;
  /** At the end of the lane: damaged lines after the last readable record. */
  missingAtEnd = 0;

  readonly #lane: Lane;
  #lines: Lines | undefined;
  #part: number;
  #offset: number;
  #inode: number | undefined;
  #pending: Span[] = [];
  #lineStart = 0;
  /** The previous part was reduced, so records missing before this part's first one may have been at its end. */
  #leftReduced = false;
  /** Damaged lines since the last readable record. At the end of a lane no later sequence shows that they are missing. */
  #damagedSince = 0;

  constructor(lane: Lane, from: Position) {
    this.#lane = lane;
    this.seq = from.seq;
    this.#part = from.part;
    this.#offset = from.offset;
    this.#inode = from.inode;
    if (!lane.parts.includes(this.#part)) {
      this.#part = lane.parts.find((part) => part > from.part) ?? lane.parts[0] ?? from.part;
      this.#offset = 0;
    }
  }

  /** Moves to the next record, if there is one yet. */
  next(): boolean {
    this.missing = 0;
    this.isDamaged = false;
    for (;;) {
      const span = this.#pending.shift();
      if (span) {
        if (this.#take(span.from, span.to)) return true;
        continue;
      }
      if (!this.#nextLine()) return false;
    }
  }

  /** Damaged lines follow the last readable record. */
  get endsDamaged(): boolean {
    return this.#damagedSince > 0;
  }

  /** The position after the record that `next` moved to. */
  get position(): Position {
    return {
      part: this.#part,
      // Within a damaged line that holds several records, the sequence is the position, and the line is read again.
      offset: this.#pending.length > 0 ? this.#lineStart : this.#offset,
      seq: this.seq,
      inode: this.#inode,
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
    const following = this.#lane.parts.find((part) => part > this.#part);
    if (following === undefined && !this.#lane.isClosed) return false;
    // The missing line break will not be written any more.
    if (lines.rest()) {
      this.#line(lines, this.#lineStart === 0);
      return true;
    }
    if (following === undefined) {
      this.missingAtEnd = this.#damagedSince;
      return false;
    }
    this[Symbol.dispose]();
    this.#leftReduced = this.#lane.reduced.has(this.#part);
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
      // An empty line is not damage: a writer puts a line break after a line that was cut off.
      if (to > from || lines.oversized) this.isDamaged = true;
      if (this.#pending.length === 0 && to > from) this.#damagedSince += 1;
    }
  }

  #take(from: number, to: number): boolean {
    const record = this.#parse(from, to);
    if (record === undefined) {
      this.isDamaged = true;
      this.#damagedSince += 1;
      return false;
    }
    // Read before: the position was within this line, or the part is read again.
    if (record.seq <= this.seq) return false;
    this.missing = record.seq - this.seq - 1;
    this.isReduced = this.#lane.reduced.has(this.#part) || this.#leftReduced;
    this.#leftReduced = false;
    this.seq = record.seq;
    this.op = record;
    this.bytes = to - from;
    this.#damagedSince = 0;
    return true;
  }

  #parse(from: number, to: number): (Op & { seq: number }) | undefined {
    try {
      const text = this.#lines?.bytes.toString("utf8", from + PREFIX, to) ?? "";
      const record: unknown = JSON.parse(text);
      if (typeof record !== "object" || record === null || !("seq" in record)) return undefined;
      if (!Number.isSafeInteger(record.seq)) return undefined;
      return record as Op & { seq: number }; // the batcher checks the op itself
    } catch {
      return undefined;
    }
  }

  #open(): Lines {
    const path = this.#lane.path(this.#part);
    const { ino, size } = statSync(path);
    if ((this.#inode !== undefined && this.#inode !== ino) || this.#offset > size) this.#offset = 0;
    this.#inode = ino;
    return new Lines(path, this.#offset);
  }
}
