/**
 * Follows the end of a lane, however far behind the sending is: what must be known at once (it opened, ended, threw, beats) is
 * found without parsing the many lines that say nothing of the kind.
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import type { Op } from "../../src/core/wire.ts";
import type { LaneFiles } from "./cursor.ts";
import { isIntact, PREFIX } from "./frame.ts";
import { laneFile } from "./lane-file.ts";
import { READ_BYTES } from "../limits.ts";
import { Lines } from "./lines.ts";

export type News = {
  grew: boolean;
  /** Something that should not wait. */
  isUrgent: boolean;
  /** Starts, ends, crashes, heartbeats, pauses and unhandled exceptions, in order. */
  ops: Op[];
};

export class Tail {
  part: number;
  offset = 0;
  /** It begins without a `start`: its writer joined a session that another process opened and alone can end. */
  isJoiner = false;
  hasRecords = false;
  hasEnded = false;

  constructor(part: number) {
    this.part = part;
  }

  /** Reads what is new. */
  read(files: LaneFiles): News {
    const news: News = { grew: false, isUrgent: false, ops: [] };
    for (;;) {
      const path = join(files.folder, laneFile(files.lane, this.part));
      const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
      if (size > this.offset) this.#readPart(path, news);
      const following = files.parts.find((part) => part > this.part);
      if (following === undefined) return news;
      this.part = following;
      this.offset = 0;
    }
  }

  #readPart(path: string, news: News): void {
    using lines = new Lines(path, this.offset);
    while (lines.next()) {
      const isHeader = this.offset === 0;
      this.offset = lines.offset;
      if (isHeader) continue;
      news.grew = true;
      if (!this.hasRecords && this.part === 1) this.#judgeFirst(lines);
      this.hasRecords = true;
      const op = interesting(lines.bytes, lines.from, lines.to);
      if (op) this.#note(op, news);
    }
  }

  /** Only a whole first record that is something else says that this is no opener: a damaged one may have been the start. */
  #judgeFirst({ bytes, from, to }: Lines): void {
    const first = parse(bytes, from, to) as (Op & { seq?: number }) | undefined; // as it was written
    this.isJoiner = first?.seq === 1 && first.op !== "start";
  }

  #note(op: Op, news: News): void {
    news.ops.push(op);
    if (op.op === "end" || op.op === "crash") this.hasEnded = true;
    if (op.op !== "heartbeat" && op.op !== "pause" && op.op !== "resume") news.isUrgent = true;
  }
}

/** When the lane's last whole record was made, by the program's clock. */
export function lastRecordAt(files: LaneFiles): number | undefined {
  for (const part of files.parts.toReversed()) {
    const path = join(files.folder, laneFile(files.lane, part));
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    using lines = new Lines(path, Math.max(0, size - READ_BYTES));
    let at: number | undefined;
    while (lines.next()) at = parse(lines.bytes, lines.from, lines.to)?.at ?? at;
    // The header has a time too: that of the part's opening.
    if (at !== undefined) return at;
  }
  return undefined;
}

/** `{"seq":N,"at":N,"op":"`: every client writes these first, so the op's name is found without parsing. */
function interesting(bytes: Buffer, from: number, to: number): Op | undefined {
  let i = from + PREFIX + 7;
  while (i < to && bytes[i] !== COMMA) i++;
  i += 6;
  while (i < to && bytes[i] !== COMMA) i++;
  if (bytes[i + 2] === LETTER_O && bytes[i + 6] === QUOTE) {
    const first = bytes[i + 7];
    const second = bytes[i + 8];
    if (first === LETTER_M) return undefined; // metric
    if (first === LETTER_S && second === LETTER_T && bytes[i + 11] === LETTER_E) return undefined; // state
    if (first === LETTER_E && second === LETTER_V) {
      if (!bytes.subarray(i, to).includes('"exception_type"')) return undefined;
    }
  }
  const op = parse(bytes, from, to);
  switch (op?.op) {
    case "metric":
    case "points":
    case "state":
    case "dropped":
      return undefined;
    case "event":
      return op.exception_type === undefined ? undefined : op;
    default:
      return op;
  }
}

function parse(bytes: Buffer, from: number, to: number): Op | undefined {
  if (!isIntact(bytes, from, to)) return undefined;
  try {
    return JSON.parse(bytes.toString("utf8", from + PREFIX, to)) as Op; // used only by its name and time
  } catch {
    return undefined;
  }
}

const COMMA = 0x2c;
const QUOTE = 0x22;
const LETTER_E = 0x65;
const LETTER_M = 0x6d;
const LETTER_O = 0x6f;
const LETTER_S = 0x73;
const LETTER_T = 0x74;
const LETTER_V = 0x76;
