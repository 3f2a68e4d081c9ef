/** Lane files (clients/README.md): their names, headers and records, read one by one or written. */
import { closeSync, fstatSync, openSync, readdirSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { Id, type Op, Writer } from "../../src/core/wire.ts";
import { frame, isIntact, laneJson, PREFIX, repair, salvage, type Span } from "./frame.ts";
import { LANE_BYTES } from "../limits.ts";
import { Lines } from "./lines.ts";

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

function parseLaneFile(name: string): { lane: string; part: number } | undefined {
  const [, lane, part] = /^([A-Za-z0-9][A-Za-z0-9._:-]*)\.(\d{6})\.lane$/.exec(name) ?? [];
  return lane !== undefined && part !== undefined ? { lane, part: Number(part) } : undefined;
}

/** Every lane in a folder with the numbers of its parts, oldest lane first. Folders, pipes and links with such names are no lanes. */
export function listLanes(folder: string): Map<string, number[]> {
  const lanes = new Map<string, number[]>();
  const entries = readdirSync(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  for (const name of names.toSorted()) {
    const file = parseLaneFile(name);
    if (!file) continue;
    const parts = lanes.get(file.lane);
    if (parts) parts.push(file.part);
    else lanes.set(file.lane, [file.part]);
  }
  return lanes;
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
};

/**
 * Appends ops to a lane of its own, one `write()` each. A lane has one writer. A full disk throws nothing: `append` counts what it
 * could not write, and records the count in the lane once it can.
 */
export class LaneWriter {
  readonly header: Header;
  /** The highest sequence used. */
  lastSeq: number;
  readonly #folder: string;
  readonly #maxBytes: number;
  #part: number;
  #descriptor: number;
  #bytes: number;
  #torn: boolean;
  #lost = 0;
  #lostCause = "disk_full";

  /** Opens a new lane. */
  static create(
    folder: string,
    header: Omit<Header, "format" | "part" | "first">,
    options: WriterOptions = {},
  ): LaneWriter {
    const first = options.first ?? 1;
    return new LaneWriter(folder, { ...header, format: 1, part: 1, first }, options);
  }

  /** Continues a lane that this program wrote before it was restarted. */
  static resume(folder: string, lane: string, options: WriterOptions = {}): LaneWriter {
    const part = listLanes(folder).get(lane)?.at(-1);
    if (part === undefined) throw new Error(`There is no lane ${lane} in ${folder}`);
    using lines = new Lines(join(folder, laneFile(lane, part)));
    const header = lines.next() && parseFirstLine(lines.bytes, lines.from, lines.to).header;
    if (!header) throw new Error(`The header of part ${part} of lane ${lane} is damaged`);
    let lastSeq = header.first - 1;
    while (lines.next()) {
      if (!isIntact(lines.bytes, lines.from, lines.to)) continue;
      lastSeq = parseRecord(lines.text(lines.from + PREFIX))?.seq ?? lastSeq;
    }
    return new LaneWriter(folder, header, options, { lastSeq, torn: lines.rest() });
  }

  private constructor(
    folder: string,
    header: Header,
    options: WriterOptions,
    resumed?: { lastSeq: number; torn: boolean },
  ) {
    this.#folder = folder;
    this.#maxBytes = options.maxBytes ?? LANE_BYTES;
    this.header = header;
    this.#part = header.part;
    this.lastSeq = resumed?.lastSeq ?? header.first - 1;
    this.#torn = resumed?.torn ?? false;
    // O_EXCL for a new lane: two writers would destroy it.
    this.#descriptor = openSync(this.path, resumed ? "a" : "ax", 0o600);
    this.#bytes = fstatSync(this.#descriptor).size;
    if (!resumed) this.#write(headerLine(header));
  }

  get path(): string {
    return join(this.#folder, laneFile(this.header.lane, this.#part));
  }

  /** Appends ops in one `write()`. False if that failed: they are lost, and a later append records how many. */
  append(...ops: Op[]): boolean {
    if (this.#announceLoss(ops[0]?.at ?? 0) && this.tryAppend(...ops)) return true;
    this.#lost += ops.length;
    this.lastSeq += ops.length;
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
    try {
      if (this.#bytes >= this.#maxBytes) this.#rotate();
      this.#write(Buffer.concat(lines));
    } catch (error) {
      this.#lostCause = causeOf(error);
      return false;
    }
    this.lastSeq = last.seq;
    return true;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #announceLoss(at: number): boolean {
    if (this.#lost === 0) return true;
    if (!this.tryAppend({ at, op: "dropped", cause: this.#lostCause, count: this.#lost }))
      return false;
    this.#lost = 0;
    return true;
  }

  /** Continues in a new part; if that can't be created, in the old one. */
  #rotate(): void {
    const part = this.#part + 1;
    const path = join(this.#folder, laneFile(this.header.lane, part));
    const descriptor = openSync(path, "ax", 0o600);
    const line = headerLine({ ...this.header, part, first: this.lastSeq + 1 });
    try {
      if (writeSync(descriptor, line) < line.length) throw diskFull();
    } catch (error) {
      closeSync(descriptor);
      unlinkSync(path);
      throw error;
    }
    closeSync(this.#descriptor);
    this.#descriptor = descriptor;
    this.#part = part;
    this.#bytes = line.length;
    this.#torn = false;
  }

  /** After a partial write, the next line starts with a line break, so that only the partial line is lost. */
  #write(line: Buffer): void {
    const bytes = this.#torn ? Buffer.concat([Buffer.from("\n"), line]) : line;
    const written = writeSync(this.#descriptor, bytes);
    this.#bytes += written;
    if (written > 0) this.#torn = written < bytes.length;
    if (written < bytes.length) throw diskFull();
  }
}

/** Keys in the order that every client writes. */
function headerLine(header: Header): Buffer {
  const { lane, format, part, first, session, server, at, ...rest } = header;
  return frame(laneJson({ lane, format, part, first, session, server, at, ...rest }));
}

function diskFull(): Error {
  return Object.assign(new Error("The disk is full"), { code: "ENOSPC" });
}

function causeOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOSPC" || code === "EDQUOT" ? "disk_full" : "write_failed";
}
