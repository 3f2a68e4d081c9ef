/** Lane files (clients/README.md): their names, headers and records, read one by one or written. */
import { closeSync, fstatSync, ftruncateSync, openSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { Id } from "../../src/core/wire-fields.ts";
import type { Op } from "../../src/core/wire.ts";
import { Writer } from "../../src/core/batch.ts";
import { frame, isIntact, laneJson, PREFIX, repair, salvage, type Span } from "./frame.ts";
import { makeFolder } from "../home.ts";
import { CHECK_FILE_MS, LANE_BYTES } from "../limits.ts";
import { Lines } from "./lines.ts";
import { listLanes } from "./listing.ts";
import { cutShort, isFileTooLarge, Losses } from "./losses.ts";

/**
 * Which lanes the daemon writes itself; a program's own has no role. `local`: for a program that uses 1.x's local API.
 * `relay`: for a client on another disk. `observations`: what the daemon observed of a session's processes.
 */
const ROLES = ["local", "relay", "observations"] as const;

const Header = v.object({
  lane: Id,
  format: v.literal(1),
  part: v.pipe(v.number(), v.integer(), v.minValue(1)),
  first: v.pipe(v.number(), v.integer(), v.minValue(1)),
  session: Id,
  server: v.string(),
  at: v.number(),
  monotonic_ms: v.optional(v.number()),
  writer: v.optional(Writer, {}),
  role: v.optional(v.picklist(ROLES)),
  /** Of a `local` lane: the user whose program registered the session, if not the daemon's own. */
  registrant: v.optional(v.union([v.number(), v.literal("elsewhere")])),
  /** The disk budget rewrote this part without some of its records. */
  reduced: v.optional(v.boolean()),
});
export type Header = v.InferOutput<typeof Header>;

export type Entry =
  | { kind: "header"; header: Header; offset: number }
  /** `op` is as it was written: only its checksum was checked. */
  | { kind: "record"; seq: number; op: Op; offset: number }
  | { kind: "damaged"; bytes: number; offset: number }
  /** A last line without its line break. */
  | { kind: "torn"; bytes: number; offset: number };

/** A lane file's name. */
export function laneFile(lane: string, part: number): string {
  return `${lane}.${String(part).padStart(6, "0")}.lane`;
}

/** A lane file's header, if its first line is intact or can be repaired. */
export function readHeader(path: string): Header | undefined {
  using lines = new Lines(path);
  return lines.next() ? parseFirstLine(lines.bytes, lines.from, lines.to).header : undefined;
}

/**
 * The header in a file's first line. A file without a header is lost, so one flipped bit is repaired. If the line break is
 * damaged, the records that follow on the same line are in `records`.
 */
export function parseFirstLine(
  bytes: Buffer,
  from: number,
  to: number,
): { header?: Header; records: Span[] } {
  if (isIntact(bytes, from, to)) return withHeader(bytes.toString("utf8", from + PREFIX, to), []);
  const [first, ...records] = salvage(bytes, from, to);
  if (first?.from === from) {
    return withHeader(bytes.toString("utf8", first.from + PREFIX, first.to), records);
  }
  const repaired = repair(bytes.subarray(from, to));
  return repaired ? withHeader(repaired.toString("utf8", PREFIX), []) : { records };
}

function withHeader(json: string, records: Span[]): { header?: Header; records: Span[] } {
  try {
    return { header: v.parse(Header, JSON.parse(json)), records };
  } catch {
    return { records }; // intact, but no header of this format
  }
}

/** Every line of one lane file, in order, for the `datacat queue` commands. The daemon reads with `Cursor`. */
export async function* readLane(path: string): AsyncGenerator<Entry> {
  using lines = new Lines(path);
  let count = 0;
  for (;;) {
    const offset = lines.offset;
    const whole = lines.next();
    if (!whole && !lines.rest()) return;
    const { bytes, from, to } = lines;
    let good: Span[];
    if (offset === 0) {
      const { header, records } = parseFirstLine(bytes, from, to);
      if (header) yield { kind: "header", header, offset };
      else yield { kind: "damaged", bytes: to - from, offset };
      good = records;
    } else {
      good = isIntact(bytes, from, to) ? [{ from, to }] : salvage(bytes, from, to);
    }
    for (const record of good) {
      const parsed = parseRecord(bytes.toString("utf8", record.from + PREFIX, record.to));
      const at = offset + record.from - from;
      if (parsed) yield { kind: "record", ...parsed, offset: at };
      else yield { kind: "damaged", bytes: record.to - record.from, offset: at };
    }
    if (good.length === 0 && offset > 0)
      yield { kind: whole ? "damaged" : "torn", bytes: to - from, offset };
    // Long lanes must not block the process's other work.
    if (++count % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A record's sequence and op, if it is one. */
export function parseRecord(json: string): { seq: number; op: Op } | undefined {
  const record: unknown = JSON.parse(json);
  if (typeof record !== "object" || record === null) return undefined;
  const { seq, ...op } = record as { seq?: unknown }; // any object, so far
  if (typeof seq !== "number" || !Number.isSafeInteger(seq) || seq < 1) return undefined;
  return { seq, op: op as Op }; // only its checksum was checked; the batcher validates it
}

type WriterOptions = {
  /** Rotates at this size. */
  maxBytes?: number;
  /** Sequence of the first record, for a lane whose earlier records are not on this disk. */
  first?: number;
  /** Where the lane begins if its first part can't be made in its folder. */
  spare?: () => string | undefined;
};

/**
 * Appends ops to a lane of its own, one `write()` each. A lane has one writer. A full disk throws nothing: `append` counts what it
 * could not write, and reports it with the next ops that fit.
 */
export class LaneWriter {
  readonly header: Header;
  /** The highest sequence used. */
  lastSeq: number;
  #folder: string;
  readonly #options: WriterOptions;
  #part: number;
  /** None while no part can be opened. */
  #descriptor: number | undefined;
  #bytes = 0;
  #headerBytes = 0;
  /** When the file was last found to exist, by the records' times. */
  #checkedAt = 0;
  #torn: boolean;
  #failure: unknown;
  readonly #losses = new Losses();
  /** The session's `start` while it is not written. It is written later, with its own sequence. */
  #lateStart: Op | undefined;

  /** Opens a new lane; if the disk is full, when there is room for its first op. */
  static create(
    folder: string,
    header: Omit<Header, "format" | "part" | "first">,
    options: WriterOptions = {},
  ): LaneWriter {
    const first = options.first ?? 1;
    const writer = new LaneWriter(folder, { ...header, format: 1, part: 1, first }, options);
    writer.#open(1, first);
    return writer;
  }

  /** Continues a lane that this program wrote before it was restarted. */
  static resume(folder: string, lane: string, options: WriterOptions = {}): LaneWriter {
    const part = listLanes(folder).get(lane)?.at(-1);
    if (part === undefined) throw new Error(`There is no lane ${lane} in ${folder}`);
    using lines = new Lines(join(folder, laneFile(lane, part)));
    const header = lines.next() && parseFirstLine(lines.bytes, lines.from, lines.to).header;
    if (!header) throw new Error(`The header of part ${part} of lane ${lane} is damaged`);
    const writer = new LaneWriter(folder, header, options);
    while (lines.next()) {
      if (!isIntact(lines.bytes, lines.from, lines.to)) continue;
      writer.lastSeq = parseRecord(lines.text(lines.from + PREFIX))?.seq ?? writer.lastSeq;
    }
    writer.#torn = lines.rest();
    writer.#descriptor = openSync(writer.path, "a", 0o600);
    writer.#bytes = fstatSync(writer.#descriptor).size;
    return writer;
  }

  private constructor(folder: string, header: Header, options: WriterOptions) {
    this.#folder = folder;
    this.#options = options;
    this.header = header;
    this.#part = header.part;
    this.lastSeq = header.first - 1;
    this.#torn = false;
  }

  /** Where its parts are. */
  get folder(): string {
    return this.#folder;
  }

  get path(): string {
    return join(this.#folder, laneFile(this.header.lane, this.#part));
  }

  /** Appends ops in one `write()`. False if that failed: they are lost, and a later append reports how many. */
  append(...ops: Op[]): boolean {
    const isFailing = !this.#losses.isEmpty || this.#lateStart !== undefined;
    if (isFailing ? this.#appendWithReports(ops) : this.tryAppend(...ops)) return true;
    if (!isFailing) this.#markLoss();
    this.lastSeq += ops.length;
    for (const op of ops) {
      if (op.op === "start" && this.lastSeq === 1) this.#lateStart = op;
      else this.#losses.count(op, this.#failure);
    }
    return false;
  }

  /** Appends ops or, if that fails, nothing: no sequence is used, and the caller may try again. */
  tryAppend(...ops: Op[]): boolean {
    return this.tryAppendAs(ops.map((op, index) => ({ seq: this.lastSeq + 1 + index, op })));
  }

  /** `tryAppend` with the records' own sequences: ascending, above `lastSeq`. */
  tryAppendAs(records: { seq: number; op: Op }[]): boolean {
    const last = records.at(-1);
    if (!last) return true;
    const lines = records.map(({ seq, op: { at, op, ...rest } }) =>
      frame(laneJson({ seq, at, op, ...rest })),
    );
    const first = records[0]?.seq ?? 1;
    const block = Buffer.concat(lines);
    this.#check(records[0]?.op.at ?? 0);
    if (!this.#makeRoom(first)) return false;
    if (!this.#write(block) && !(this.#openAfterLimit(first) && this.#write(block))) return false;
    this.lastSeq = last.seq;
    return true;
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  /** A late start, the reports and the ops in one write: all of it or nothing. */
  #appendWithReports(ops: Op[]): boolean {
    const start = this.#lateStart ? [{ seq: 1, op: this.#lateStart }] : [];
    const following = [...this.#losses.reports(ops[0]?.at ?? 0), ...ops];
    const records = following.map((op, index) => ({ seq: this.lastSeq + 1 + index, op }));
    if (!this.tryAppendAs([...start, ...records])) return false;
    this.#losses.clear();
    this.#lateStart = undefined;
    return true;
  }

  /** Gives up a file that was removed, perhaps with its home. The next part continues the lane. */
  #check(at: number): void {
    if (this.#descriptor === undefined || Math.abs(at - this.#checkedAt) < CHECK_FILE_MS) return;
    this.#checkedAt = at;
    if (fstatSync(this.#descriptor).nlink > 0) return;
    this.close();
    this.#part += 1;
    try {
      makeFolder(this.#folder);
    } catch {
      // opening the part fails as well, and is tried with each record
    }
  }

  /** Opens a part if there is none, or if this one is full; if that fails, this one is used further. */
  #makeRoom(first: number): boolean {
    if (this.#descriptor === undefined) return this.#open(this.#part, first);
    if (this.#bytes >= (this.#options.maxBytes ?? LANE_BYTES)) this.#open(this.#part + 1, first);
    return true;
  }

  /** A file that may not grow is followed by the next part, unless not even one record fits. */
  #openAfterLimit(first: number): boolean {
    const hasRecords = this.#bytes > this.#headerBytes;
    return hasRecords && isFileTooLarge(this.#failure) && this.#open(this.#part + 1, first);
  }

  #open(part: number, first: number): boolean {
    if (this.#openIn(this.#folder, part, first)) return true;
    const failure = this.#failure;
    const spare = this.#descriptor === undefined ? this.#options.spare?.() : undefined;
    if (spare !== undefined && this.#openIn(spare, part, first)) return true;
    this.#failure = failure;
    return false;
  }

  /** Makes a part with its header, or nothing. */
  #openIn(folder: string, part: number, first: number): boolean {
    const path = join(folder, laneFile(this.header.lane, part));
    const line = headerLine({ ...this.header, part, first });
    let descriptor: number | undefined;
    try {
      // O_EXCL: two writers would destroy a lane.
      descriptor = openSync(path, "ax", 0o600);
      if (writeSync(descriptor, line) < line.length) throw cutShort();
    } catch (error) {
      this.#failure = error;
      if (descriptor !== undefined) removeOpen(descriptor, path);
      return false;
    }
    this.close();
    this.#descriptor = descriptor;
    this.#folder = folder;
    this.#part = part;
    this.#bytes = this.#headerBytes = line.length;
    this.#torn = false;
    return true;
  }

  /** What a write that fails or is cut short has written is removed again. */
  #write(line: Buffer): boolean {
    if (this.#descriptor === undefined) return false;
    const bytes = this.#torn ? Buffer.concat([Buffer.from("\n"), line]) : line;
    let written = 0;
    try {
      written = writeSync(this.#descriptor, bytes);
      if (written < bytes.length) {
        this.#failure = cutShort();
        written += writeSync(this.#descriptor, bytes, written); // the system gives the reason with the second call
      }
    } catch (error) {
      this.#failure = error;
    }
    if (written < bytes.length) {
      if (written > 0) this.#removeTorn(this.#descriptor, written);
      return false;
    }
    this.#bytes += written;
    this.#torn = false;
    return true;
  }

  #removeTorn(descriptor: number, written: number): void {
    try {
      ftruncateSync(descriptor, this.#bytes);
    } catch {
      // The next line starts with a line break, so that only the cut line is damaged.
      this.#bytes += written;
      this.#torn = true;
    }
  }

  /** An empty line at the end of a lane shows that records are missing there. */
  #markLoss(): void {
    if (this.#descriptor !== undefined && !this.#torn) this.#write(Buffer.from("\n"));
  }
}

function removeOpen(descriptor: number, path: string): void {
  try {
    closeSync(descriptor);
    unlinkSync(path);
  } catch {
    // An empty file stays, which the daemon removes.
  }
}

/** Keys in the order that every client writes. */
function headerLine(header: Header): Buffer {
  const { lane, format, part, first, session, server, at, ...rest } = header;
  return frame(laneJson({ lane, format, part, first, session, server, at, ...rest }));
}
