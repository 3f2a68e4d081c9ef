/**
 * One process's lane: an append-only file in parts, one write per record, after which the record outlives the program.
 * A write that fails costs its record and nothing else; how many were lost is written as soon as writing works again.
 */
import { closeSync, constants, openSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { checksum } from "./checksum.ts";
import { headerText, type Header } from "./frame.ts";
import { droppedOp } from "./ops.ts";
import type { Kind, Sink } from "./recorder.ts";
import type { Outlet } from "./session.ts";

const { O_WRONLY, O_CREAT, O_EXCL, O_APPEND } = constants;
/** "89abcdef " before each line's JSON. */
const CHECKSUM_BYTES = 9;
const BLANK = 0x20;
const NEWLINE = 0x0a;

export type LaneOptions = { folder: string; header: Header; maxBytes: number };

export class LaneFile implements Sink, Outlet {
  readonly #options: LaneOptions;
  #file: number | undefined;
  #part = 0;
  #bytes = 0;
  #hasRecords = false;
  #sequence = 0;
  /** The last line was cut short: the next one starts on a line of its own. */
  #isTorn = false;
  #lost = 0;
  #totalLost = 0;
  #buffer = Buffer.allocUnsafe(4_096);

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  write(_kind: Kind, at: number, text: string): void {
    if (this.#lost > 0) this.#tellLost(at);
    if (!this.#append(++this.#sequence, at, text)) {
      this.#lost++;
      this.#totalLost++;
    }
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
      // closed already, by a program that closes all its files
    }
    this.#file = undefined;
  }

  #tellLost(at: number): void {
    const before = this.#bytes;
    const isTold = this.#append(this.#sequence + 1, at, droppedOp("disk_full", this.#lost));
    if (isTold) this.#lost = 0;
    // A torn line may still turn out to be whole but for its end, so its number is not used again.
    if (isTold || this.#bytes > before) this.#sequence++;
  }

  #append(sequence: number, at: number, text: string): boolean {
    try {
      let length = this.#frame(`{"seq":${sequence},"at":${at},${text}`);
      if (
        this.#file === undefined ||
        (this.#hasRecords && this.#bytes + length > this.#options.maxBytes)
      ) {
        this.#openPart(sequence);
        length = this.#frame(`{"seq":${sequence},"at":${at},${text}`); // the header took the buffer
      }
      if (this.#file === undefined) return false;
      const written = writeSync(this.#file, this.#buffer, 0, length);
      this.#bytes += written;
      this.#hasRecords = true;
      this.#isTorn = written < length;
      return !this.#isTorn;
    } catch {
      return false;
    }
  }

  /** Goes on in the old part if no new one can be had. */
  #openPart(first: number): void {
    const { folder, header } = this.#options;
    const part = this.#part + 1;
    const path = join(folder, `${header.lane}.${String(part).padStart(6, "0")}.lane`);
    const wasTorn = this.#isTorn;
    this.#isTorn = false;
    try {
      const file = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0o600);
      const length = this.#frame(headerText(header, part, first));
      if (writeSync(file, this.#buffer, 0, length) < length) {
        closeSync(file);
        unlinkSync(path);
        throw new Error("no room for a header");
      }
      this.close();
      this.#file = file;
      this.#part = part;
      this.#bytes = length;
      this.#hasRecords = false;
    } catch {
      this.#isTorn = wasTorn;
    }
  }

  /** Puts one line into the buffer; answers its length. */
  #frame(json: string): number {
    const torn = this.#isTorn ? 1 : 0;
    const start = torn + CHECKSUM_BYTES;
    const most = start + json.length * 3 + 1;
    if (most > this.#buffer.length) this.#buffer = Buffer.allocUnsafe(most * 2);
    const buffer = this.#buffer;

    const end = start + buffer.write(json, start, "utf8");
    if (torn) buffer[0] = NEWLINE;
    buffer.write(checksum(buffer, start, end), torn, "latin1");
    buffer[start - 1] = BLANK;
    buffer[end] = NEWLINE;
    return end + 1;
  }
}
