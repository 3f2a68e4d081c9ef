/**
 * One process's lane: an append-only file in parts, with one write per record. A written record survives the end of the program.
 * A write that fails loses that record only; a report of the lost records is written together with the next record that fits.
 */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { checksum, writeHex } from "./checksum.ts";
import { headerText, type Header } from "./header.ts";
import { isFileTooLarge, Losses } from "./losses.ts";
import { concat, Reserve } from "./reserve.ts";
import { markRunning, unmarkRunning } from "./running.ts";
import { CHECK_AFTER_MS, REOPEN_AFTER_MS } from "../limits.ts";
import type { Counts, Kind, Sink } from "../session/sink.ts";

const { O_WRONLY, O_CREAT, O_EXCL, O_APPEND } = constants;
const BLANK = 0x20;
const NEWLINE = 0x0a;
const CHECKSUM_AT = 1;
const BODY_AT = CHECKSUM_AT + 9;
const encoder = new TextEncoder();

type LaneOptions = {
  folder: string;
  header: Header;
  maxBytes: number;
  /** Another process opened the session: a file beside the lane is there until this one ends by itself. */
  isJoined?: boolean;
  /** Makes the folders where the lane may be, if its part cannot be made in `folder`: that one again, and the last resort. */
  folders?: () => string[];
};

export class LaneFile implements Sink {
  readonly #options: LaneOptions;
  /** Where its parts are; undefined while there is none. */
  #folder: string | undefined;
  #file: number | undefined;
  #part = 0;
  #bytes = 0;
  #headerBytes = 0;
  #hasRecords = false;
  #sequence = 0;
  #attachments = 0;
  /** The last attachment whose op is on the disk. */
  #attached = 0;
  /** The last line was cut short, so the next record starts with a line break. */
  #isTorn = false;
  readonly #losses = new Losses();
  #failure: unknown;
  /** When opening a part failed last, by the monotonic clock. */
  #failedAt = -Infinity;
  /** When the file was last found to exist, by the ops' times. */
  #checkedAt = 0;
  /** The session's `start` while it is not written: it is the one record that is written later. */
  #lateStart: { at: number; text: string } | undefined;
  /** Space for the last reports and the `end`. */
  #reserve: Reserve | undefined;
  #line = new LineBuffer(4_096);

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  write(kind: Kind, at: number, text: string): void {
    this.#sequence++;
    const isWritten =
      this.#losses.isEmpty && this.#lateStart === undefined
        ? this.#append(kind, at, text)
        : this.#appendWithReports(kind, at, text);
    if (kind === "end") this.#reserve?.remove();
    if (isWritten) {
      if (kind === "start") this.#reserveEnd();
      if (kind === "attachment") this.#attached = this.#attachments;
      return;
    }
    this.#lose(kind, at, text);
  }

  /** The path of a side file (clients/README.md, "Stacks and fatal errors"); undefined while the lane has no part. */
  sidePath(kind: "stacks" | "fatal" | "running"): string | undefined {
    return this.#folder && join(this.#folder, `${this.#options.header.lane}.${kind}`);
  }

  /** The id of the next attachment, and the path of its content: undefined if no part can be opened. */
  nextAttachment(): { id: string; path: string | undefined } {
    // A program that joined a session may have recorded nothing yet.
    if (this.#folder === undefined)
      this.#openPart(this.#lateStart ? 1 : this.#sequence + 1, "attachment");
    const id = `${this.#options.header.lane}.${++this.#attachments}`;
    return { id, path: this.#folder && join(this.#folder, `${id}.attachment`) };
  }

  /** Whether the op of the last attachment is on the disk. */
  get isAttached(): boolean {
    return this.#attached === this.#attachments;
  }

  /** Why the last write failed. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Counts an op that is not written because its content could not be. */
  lose(kind: Kind, at: number, failure: unknown): void {
    this.#sequence++;
    this.#failure = failure;
    this.#lose(kind, at, "");
  }

  #lose(kind: Kind, at: number, text: string): void {
    if (this.#losses.isEmpty && this.#lateStart === undefined) this.#markLoss();
    if (kind === "start") this.#lateStart = { at, text };
    else this.#losses.count(at, this.#failure);
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  waiting(): number {
    return 0;
  }

  losses(): Counts {
    return this.#lateStart === undefined
      ? this.#losses.totals
      : this.#losses.totalsWith(this.#failure);
  }

  close(): void {
    if (this.#options.isJoined) unmarkRunning(this.sidePath("running"));
    this.#closeFile();
  }

  #closeFile(): void {
    if (this.#file === undefined) return;
    try {
      closeSync(this.#file);
    } catch {
      // the program has closed it already
    }
    this.#file = undefined;
  }

  #append(kind: Kind, at: number, text: string): boolean {
    if (at - this.#checkedAt >= CHECK_AFTER_MS) this.#check(at);
    const json = `{"seq":${this.#sequence},"at":${at},${text}`;
    let length = this.#line.fill(json, this.#isTorn);
    if (this.#needsPart(length)) {
      if (!this.#openPart(this.#sequence, kind)) return false;
      length = this.#line.fill(json, this.#isTorn); // the header has overwritten the buffer
    }
    return (
      this.#write(this.#line.bytes, this.#line.start, length) ||
      this.#writeElsewhere(kind, [json], this.#sequence)
    );
  }

  /** A file that may not grow is followed by the next part; for the `end` there is reserved space. */
  #writeElsewhere(kind: Kind, lines: string[], first: number): boolean {
    if (isFileTooLarge(this.#failure) && this.#hasRecords && this.#openPart(first, "event")) {
      const block = this.#block(lines);
      if (this.#write(block, 0, block.length)) return true;
    }
    return kind === "end" && this.#useReserve(lines, first);
  }

  #reserveEnd(): void {
    if (this.#folder === undefined) return;
    const { header } = this.#options;
    this.#reserve = Reserve.make(join(this.#folder, `${header.lane}.reserve`), this.#headerBytes);
  }

  /** The reserved space becomes the lane's last part. */
  #useReserve(lines: string[], first: number): boolean {
    if (this.#reserve === undefined || this.#folder === undefined) return false;
    const { header } = this.#options;
    const part = this.#part + 1;
    this.#isTorn = false; // the part before
    const text = this.#block([headerText(header, part, first), ...lines]);
    return this.#reserve.become(join(this.#folder, nameOf(header, part)), text);
  }

  /** Writes a late start, the reports of losses and the record with one write: all of it or nothing. */
  #appendWithReports(kind: Kind, at: number, text: string): boolean {
    const start = this.#lateStart;
    let sequence = this.#sequence;
    const first = start ? 1 : sequence;
    const lines = start ? [`{"seq":1,"at":${start.at},${start.text}`] : [];
    for (const report of this.#losses.reports())
      lines.push(`{"seq":${sequence++},"at":${at},${report}`);
    lines.push(`{"seq":${sequence},"at":${at},${text}`);

    if (this.#needsPart(lines.join().length) && !this.#openPart(first, kind)) return false;
    const block = this.#block(lines);
    if (!this.#write(block, 0, block.length) && !this.#writeElsewhere(kind, lines, first))
      return false;
    this.#sequence = sequence;
    this.#losses.clear();
    this.#lateStart = undefined;
    if (start) this.#reserveEnd();
    return true;
  }

  #block(lines: string[]): Uint8Array {
    const parts = lines.map((json, index) => {
      const length = this.#line.fill(json, index === 0 && this.#isTorn);
      return this.#line.bytes.slice(this.#line.start, this.#line.start + length);
    });
    return concat(parts);
  }

  #write(bytes: Uint8Array, start: number, length: number): boolean {
    if (this.#file === undefined) return false;
    let written = 0;
    try {
      written = writeSync(this.#file, bytes, start, length);
      if (written < length - 1) {
        this.#failure = CUT_SHORT;
        // The system gives the reason with the second call.
        written += writeSync(this.#file, bytes, start + written, length - written);
      }
    } catch (thrown) {
      this.#failure = thrown;
    }
    // The next write adds a missing line break.
    if (written < length - 1) return this.#removeTorn(this.#file, written);
    this.#bytes += written;
    this.#hasRecords = true;
    this.#isTorn = written < length;
    return true;
  }

  /** An empty line at the end of a lane shows that records are missing there, should the program end before it can report them. */
  #markLoss(): void {
    if (this.#file === undefined) return;
    const mark = Uint8Array.of(NEWLINE, NEWLINE).subarray(this.#isTorn ? 0 : 1);
    try {
      const written = writeSync(this.#file, mark);
      this.#bytes += written;
      if (written > 0) this.#isTorn = false;
    } catch {
      // then nothing shows it
    }
  }

  /** After a short write: gives its space back, which the report needs. */
  #removeTorn(file: number, written: number): false {
    if (written === 0) return false;
    try {
      if (fstatSync(file).size === this.#bytes + written) {
        ftruncateSync(file, this.#bytes);
        return false;
      }
    } catch {
      // the line stays torn
    }
    this.#bytes += written;
    this.#hasRecords = true;
    this.#isTorn = true;
    return false;
  }

  /** Gives up a file that was deleted: what is written to it would be lost. */
  #check(at: number): void {
    this.#checkedAt = at;
    try {
      if (this.#file !== undefined && fstatSync(this.#file).nlink === 0) this.#closeFile();
    } catch {
      // the program has closed it; the write shows that
    }
  }

  #needsPart(length: number): boolean {
    return (
      this.#file === undefined ||
      (this.#hasRecords && this.#bytes + length > this.#options.maxBytes)
    );
  }

  /** Opens the next part. If that fails, the old part is used further. Returns whether there is one to write to. */
  #openPart(first: number, kind: Kind): boolean {
    const isOpen = this.#file !== undefined;
    const now = performance.now();
    // Each attempt makes a file. The first and the last record are tried in any case.
    if (kind !== "start" && kind !== "end" && now - this.#failedAt < REOPEN_AFTER_MS) return isOpen;
    const { folder, folders } = this.#options;
    if (this.#tryPart(this.#folder ?? folder, first)) return true;
    const failure = this.#failure;
    for (const other of folders?.() ?? []) {
      // A lane stays in one folder.
      if (this.#folder !== undefined && other !== this.#folder) continue;
      if (this.#tryPart(other, first)) return true;
    }
    this.#failure = failure;
    this.#failedAt = now;
    return isOpen;
  }

  #tryPart(folder: string, first: number): boolean {
    const { header } = this.#options;
    const part = this.#part + 1;
    const path = join(folder, nameOf(header, part));
    let file: number | undefined;
    try {
      file = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND, 0o600);
      const length = this.#line.fill(headerText(header, part, first), false);
      if (writeSync(file, this.#line.bytes, this.#line.start, length) < length) throw CUT_SHORT;
      this.#closeFile();
      this.#file = file;
      this.#folder = folder;
      this.#part = part;
      this.#bytes = this.#headerBytes = length;
      this.#hasRecords = false;
      this.#isTorn = false;
      if (part === 1 && this.#options.isJoined) markRunning(this.sidePath("running"));
      return true;
    } catch (thrown) {
      this.#failure = thrown;
      if (file !== undefined) this.#remove(file, path);
      return false;
    }
  }

  /** Removes a part without a whole header, which cannot be read. */
  #remove(file: number, path: string): void {
    try {
      closeSync(file);
      unlinkSync(path);
    } catch {
      this.#part++; // its name stays in use
    }
  }
}

/** A part's name. */
function nameOf({ lane }: Header, part: number): string {
  return `${lane}.${String(part).padStart(6, "0")}.lane`;
}

/** What a write that is cut short means: the system gives no error with it. */
const CUT_SHORT = Object.assign(new Error("ENOSPC: no space left on device, write"), {
  code: "ENOSPC",
});

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
