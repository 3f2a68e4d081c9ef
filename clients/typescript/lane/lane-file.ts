/**
 * One process's lane: an append-only file in parts, with one write per record. A written record survives the end of the program.
 * A write that fails loses that record only; the number of lost records is written as soon as writing works again.
 */
import { closeSync, constants, openSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { checksum, writeHex } from "./checksum.ts";
import { headerText, type Header } from "./header.ts";
import { droppedOp } from "../encode/ops.ts";
import type { Kind, Sink } from "../session/sink.ts";

const { O_WRONLY, O_CREAT, O_EXCL, O_APPEND } = constants;
const BLANK = 0x20;
const NEWLINE = 0x0a;
const CHECKSUM_AT = 1;
const BODY_AT = CHECKSUM_AT + 9;
const encoder = new TextEncoder();

type LaneOptions = { folder: string; header: Header; maxBytes: number };

export class LaneFile implements Sink {
  readonly #options: LaneOptions;
  #file: number | undefined;
  #part = 0;
  #bytes = 0;
  #hasRecords = false;
  #sequence = 0;
  /** The last line was cut short, so the next record starts with a line break. */
  #isTorn = false;
  #lost = 0;
  #totalLost = 0;
  /** The session's `start` while it is lost: it is the one record that is written again. */
  #lostStart: string | undefined;
  #line = new LineBuffer(4_096);

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  write(kind: Kind, at: number, text: string): void {
    const isReported = this.#lost === 0 || this.#reportLost(at);
    this.#sequence++;
    if (isReported && this.#append(this.#sequence, at, text)) return;
    this.#lost++;
    this.#totalLost++;
    if (kind === "start") this.#lostStart = text;
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  waiting(): number {
    return 0;
  }

  losses(): { [cause: string]: number } {
    return this.#totalLost > 0 ? { disk_full: this.#totalLost } : {};
  }

  close(): void {
    if (this.#file === undefined) return;
    try {
      closeSync(this.#file);
    } catch {
      // the program has closed it already
    }
    this.#file = undefined;
  }

  /** Records how many records were lost. Returns whether that could be written. */
  #reportLost(at: number): boolean {
    if (!this.#append(this.#sequence + 1, at, droppedOp("disk_full", this.#lost))) return false;
    this.#sequence++;
    this.#lost = 0;
    if (this.#lostStart === undefined) return true;
    if (this.#append(++this.#sequence, at, this.#lostStart)) this.#lostStart = undefined;
    else this.#lost++; // its sequence is used
    return true;
  }

  #append(sequence: number, at: number, text: string): boolean {
    const json = `{"seq":${sequence},"at":${at},${text}`;
    try {
      let length = this.#frame(json);
      if (
        this.#file === undefined ||
        (this.#hasRecords && this.#bytes + length > this.#options.maxBytes)
      ) {
        this.#openPart(sequence);
        length = this.#frame(json); // the header has overwritten the buffer
      }
      if (this.#file === undefined) return false;
      const written = writeSync(this.#file, this.#line.bytes, this.#line.start, length);
      this.#bytes += written;
      this.#hasRecords = true;
      this.#isTorn = written < length;
      return written >= length - 1; // the next write adds a missing line break
    } catch {
      return false;
    }
  }

  /** Opens the next part. If that fails, the old part is used further. */
  #openPart(first: number): void {
    const { folder, header } = this.#options;
    const part = this.#part + 1;
    const path = join(folder, `${header.lane}.${String(part).padStart(6, "0")}.lane`);
    try {
      const file = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0o600);
      const length = this.#line.fill(headerText(header, part, first), false);
      if (writeSync(file, this.#line.bytes, this.#line.start, length) < length) {
        closeSync(file);
        unlinkSync(path);
        return;
      }
      this.close();
      this.#file = file;
      this.#part = part;
      this.#bytes = length;
      this.#hasRecords = false;
      this.#isTorn = false;
    } catch {
      // the disk is full, or too many files are open
    }
  }

  #frame(json: string): number {
    return this.#line.fill(json, this.#isTorn);
  }
}

/** The bytes of one line: a line break (used after a torn line), the checksum, the JSON, a line break. */
class LineBuffer {
  bytes = new Uint8Array(0);
  /** The offset of the line in `bytes`. */
  start = 1;
  #view = new DataView(this.bytes.buffer);
  #body = this.bytes;

  constructor(capacity: number) {
    this.#grow(capacity);
  }

  /** Encodes a line. Returns its length in bytes. */
  fill(json: string, afterTorn: boolean): number {
    const most = BODY_AT + json.length * 3 + 1;
    if (most > this.bytes.length) this.#grow(most * 2);
    const end = BODY_AT + encoder.encodeInto(json, this.#body).written;
    writeHex(this.#view, CHECKSUM_AT, checksum(this.#view, BODY_AT, end));
    this.#view.setUint8(end, NEWLINE);
    this.start = afterTorn ? 0 : CHECKSUM_AT;
    return end + 1 - this.start;
  }

  #grow(capacity: number): void {
    this.bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.bytes.buffer);
    this.#body = this.bytes.subarray(BODY_AT);
    this.#view.setUint8(0, NEWLINE);
    this.#view.setUint8(BODY_AT - 1, BLANK);
  }
}
