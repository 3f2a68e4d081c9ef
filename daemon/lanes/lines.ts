/** A file's lines from an offset on, read in blocks. Memory is one block, or the longest line if that is longer. */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { NEWLINE } from "./frame.ts";
import { MAX_RECORD_BYTES, READ_BYTES } from "../limits.ts";

/**
 * After `next()` the line is `bytes` from..to, and `offset` is where the following line starts. It is not an iterator, which would
 * allocate an object per line: ten million after an outage.
 */
export class Lines {
  bytes: Buffer = takeBlock();
  from = 0;
  to = 0;
  /** Where the next line starts in the file. */
  offset: number;
  /** The line is longer than any record, and `bytes` hold only its end. */
  oversized = false;
  readonly #descriptor: number;
  /** `bytes` hold the file from here… */
  #base: number;
  /** …up to this index. */
  #filled = 0;

  constructor(path: string, offset = 0) {
    this.#descriptor = openFile(path);
    this.offset = offset;
    this.#base = offset;
  }

  /** Moves to the next line that has its line break. */
  next(): boolean {
    let start = this.offset - this.#base;
    let searched = start;
    this.oversized = false;
    for (;;) {
      const end = this.bytes.indexOf(NEWLINE, searched);
      if (end !== -1 && end < this.#filled) {
        this.from = start;
        this.to = end;
        this.offset = this.#base + end + 1;
        return true;
      }
      searched = this.#filled;
      if (this.#filled - start > MAX_RECORD_BYTES) {
        this.oversized = true;
        start = this.#filled;
      }
      const moved = this.#makeRoom(start);
      start -= moved;
      searched -= moved;
      if (!this.#fill()) return false;
    }
  }

  /** Moves past what follows the last line break: an incomplete line. */
  rest(): boolean {
    if (this.next()) return true;
    this.from = this.offset - this.#base;
    this.to = this.#filled;
    if (this.from < 0 || this.to <= this.from) return false;
    this.offset = this.#base + this.#filled;
    return true;
  }

  text(from = this.from): string {
    return this.bytes.toString("utf8", from, this.to);
  }

  inode(): number {
    return fstatSync(this.#descriptor).ino;
  }

  close(): void {
    closeSync(this.#descriptor);
    giveBlock(this.bytes);
    this.bytes = NO_BYTES;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Drops what is before `start`, and grows the block only if the line fills it. Returns how far the content moved. */
  #makeRoom(start: number): number {
    if (start === 0 && this.#filled < this.bytes.length) return 0;
    const kept = this.#filled - start;
    const into =
      kept > this.bytes.length / 2 ? Buffer.allocUnsafe(this.bytes.length * 2) : this.bytes;
    this.bytes.copy(into, 0, start, this.#filled);
    this.bytes = into;
    this.#base += start;
    this.#filled = kept;
    return start;
  }

  #fill(): boolean {
    const room = this.bytes.length - this.#filled;
    const read = readSync(
      this.#descriptor,
      this.bytes,
      this.#filled,
      room,
      this.#base + this.#filled,
    );
    this.#filled += read;
    return read > 0;
  }
}

const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = constants; // Windows has only the first; undefined counts as no bits

/** Opens a file to read. Throws for a pipe, which would block until something writes to it, for a folder and for a link. */
function openFile(path: string): number {
  const descriptor = openSync(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  if (fstatSync(descriptor).isFile()) return descriptor;
  closeSync(descriptor);
  throw new Error(`${path} is not a file`);
}

const NO_BYTES = Buffer.alloc(0);

/** Blocks are reused: lanes are read ten times a second, and the garbage collector would run too rarely for so many blocks. */
const spare: Buffer[] = [];

function takeBlock(): Buffer {
  return spare.pop() ?? Buffer.allocUnsafeSlow(READ_BYTES);
}

function giveBlock(block: Buffer): void {
  if (block.length === READ_BYTES && spare.length < 2) spare.push(block);
}
