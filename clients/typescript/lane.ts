/**
 * One process's lane: an append-only file in parts, one write per record, after which the record outlives the program.
 * A write that fails costs its record and nothing else; how many were lost is written as soon as writing works again.
 */
import { closeSync, constants, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { headerText, type Header } from "./frame.ts";
import { droppedOp } from "./ops.ts";
import type { Kind, Sink } from "./recorder.ts";

const { O_WRONLY, O_CREAT, O_EXCL, O_APPEND } = constants;
/** "89abcdef " before each record's JSON. */
const CHECKSUM_BYTES = 9;

export type LaneOptions = { folder: string; header: Header; maxBytes: number };

export class LaneFile implements Sink {
  readonly #options: LaneOptions;
  #file: number | undefined;
  #part = 0;
  #bytes = 0;
  #records = 0;
  #sequence = 0;
  #isTorn = false;
  #lost = 0;
  #buffer = Buffer.allocUnsafe(4_096);

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  write(_kind: Kind, at: number, text: string): void {
    if (this.#lost > 0 && !this.#tellLost(at)) {
      this.#sequence++;
      this.#lost++;
      return;
    }
    if (!this.#append(`{"seq":${++this.#sequence},"at":${at},${text}`)) this.#lost++;
  }

  close(): void {
    if (this.#file === undefined) return;
    try {
      closeSync(this.#file);
    } catch {
      // closed already by whoever owns the process's files
    }
    this.#file = undefined;
  }

  #tellLost(at: number): boolean {
    const lost = this.#lost;
    const record = `{"seq":${this.#sequence + 1},"at":${at},${droppedOp("disk_full", lost)}`;
    if (!this.#append(record)) return false;
    this.#sequence++;
    this.#lost = 0;
    return true;
  }

  #append(json: string): boolean {
    const length = this.#frame(json);
    try {
      if (
        this.#file === undefined ||
        (this.#records > 0 && this.#bytes + length > this.#options.maxBytes)
      )
        this.#openPart();
      if (this.#file === undefined) return false;
      this.#frame(json);
      const written = writeSync(this.#file, this.#buffer, 0, length);
      this.#bytes += written;
      this.#records++;
      this.#isTorn = written < length;
      return !this.#isTorn;
    } catch {
      return false;
    }
  }

  #openPart(): void {
    const { folder, header } = this.#options;
    const part = this.#part + 1;
    const name = `${header.lane}.${String(part).padStart(6, "0")}.lane`;
    const file = openSync(join(folder, name), O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0o600);
    this.close();
    this.#file = file;
    this.#part = part;
    this.#records = 0;
    const length = this.#frame(headerText(header, part, this.#sequence));
    this.#bytes = writeSync(file, this.#buffer, 0, length);
  }

  /** Puts one line into the buffer; answers its length. */
  #frame(json: string): number {
    const start = CHECKSUM_BYTES;
    if (start + json.length * 3 + 1 > this.#buffer.length)
      this.#buffer = Buffer.allocUnsafe((start + json.length * 3 + 1) * 2);
    const buffer = this.#buffer;
    const end = start + buffer.write(json, start, "utf8");
    buffer.write(crc32(buffer.subarray(start, end)).toString(16).padStart(8, "0"), 0, "latin1");
    buffer[start - 1] = 0x20;
    buffer[end] = 0x0a;
    return end + 1;
  }
}
