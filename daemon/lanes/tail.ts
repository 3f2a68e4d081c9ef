/**
 * Follows the end of each lane, however far behind the sender is. Ops that other parts must know at once (start, end, exceptions,
 * heartbeats) are found without parsing the many lines that hold none of them.
 */
import { statSync } from "node:fs";
import type { Op } from "../../src/core/wire.ts";
import { READ_BYTES } from "../limits.ts";
import { isIntact, PREFIX } from "./frame.ts";
import type { Lane } from "./lane.ts";
import type { Lanes } from "./lanes.ts";
import { Lines } from "./lines.ts";

/** What was read of one lane. */
type End = {
  part: number;
  offset: number;
  /** The lane begins without a `start`: its writer joined a session that another process opened, and only that one can end it. */
  isJoiner: boolean;
  hasRecords: boolean;
  /** An `end` or a `crash` was read. */
  hasEnded: boolean;
  /** By the monotonic clock. */
  grewAt: number;
};

export type Growth = {
  /** Parts that were read, from the first to the last. */
  parts: { first: number; last: number };
  /** It holds an op that is sent without waiting. */
  isUrgent: boolean;
  /** Starts, ends, crashes, heartbeats, pauses and exceptions, in order. */
  ops: Op[];
};

type TailOptions = {
  lanes: Lanes;
  monotonic: () => number;
  /** Called after each read that found new records. */
  grew: (lane: Lane, growth: Growth) => void;
};

export class Tail {
  readonly #options: TailOptions;
  /** A lane's entry goes when the lane does. */
  readonly #ends = new WeakMap<Lane, End>();

  constructor(options: TailOptions) {
    this.#options = options;
  }

  /** Reads what a lane's writer has appended since the last call. */
  read(lane: Lane): void {
    const end = this.of(lane);
    const growth: Growth & { grew: boolean } = {
      parts: { first: end.part, last: end.part },
      grew: false,
      isUrgent: false,
      ops: [],
    };
    for (;;) {
      const path = lane.path(end.part);
      const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
      if (size > end.offset) readPart(lane, end, growth);
      const following = lane.parts.find((part) => part > end.part);
      if (following === undefined) break;
      end.part = following;
      end.offset = 0;
    }
    if (!growth.grew) return;
    growth.parts.last = end.part;
    end.grewAt = this.#options.monotonic();
    // The daemon's observations of a session are complete only once the session's other lanes are.
    if (end.hasEnded && !lane.isObservations) lane.isClosed = true;
    this.#options.grew(lane, growth);
  }

  of(lane: Lane): End {
    let end = this.#ends.get(lane);
    if (!end) {
      end = {
        part: lane.parts.find((part) => part >= lane.position.part) ?? lane.parts[0] ?? 1,
        offset: 0,
        isJoiner: this.#options.lanes.checkpointed(lane)?.isJoiner ?? false,
        hasRecords: false,
        hasEnded: false,
        grewAt: this.#options.monotonic(),
      };
      this.#ends.set(lane, end);
    }
    return end;
  }

  /** Whether there are bytes that the server has not acknowledged. */
  isPending(lane: Lane): boolean {
    const { part, offset } = this.of(lane);
    return part !== lane.position.part || offset > lane.position.offset;
  }

  /** Infinity over several parts, whose sizes would have to be asked for. */
  unsentBytes(lane: Lane): number {
    const { part, offset } = this.of(lane);
    return part === lane.position.part ? offset - lane.position.offset : Number.POSITIVE_INFINITY;
  }

  /** The server has all of it, and nothing more follows; nor does an attachment. */
  isDone(lane: Lane): boolean {
    return lane.isSent && !this.isPending(lane) && lane.attachments.length === 0;
  }
}

function readPart(lane: Lane, end: End, growth: Growth & { grew: boolean }): void {
  using lines = new Lines(lane.path(end.part), end.offset);
  while (lines.next()) {
    const isHeader = end.offset === 0;
    end.offset = lines.offset;
    if (isHeader) continue;
    growth.grew = true;
    if (!end.hasRecords && end.part === 1) end.isJoiner = isJoinersFirst(lane, lines);
    end.hasRecords = true;
    const op = notable(lines.bytes, lines.from, lines.to);
    if (!op) continue;
    growth.ops.push(op);
    if (op.op === "end" || op.op === "crash") end.hasEnded = true;
    if (op.op !== "heartbeat" && op.op !== "pause" && op.op !== "resume") growth.isUrgent = true;
  }
}

/**
 * Only an intact first record that is no `start` shows a joiner: a damaged one may have been the `start`. A lane whose first records a
 * full disk cost begins with its `start` all the same, if it has one.
 */
function isJoinersFirst({ header }: Lane, { bytes, from, to }: Lines): boolean {
  const first = parse(bytes, from, to) as (Op & { seq?: number }) | undefined; // as it was written
  const isFirst = first?.seq === 1 || (header.part === 1 && first?.seq === header.first);
  return isFirst && first?.op !== "start";
}

/** When the lane's last intact record was made, by the program's clock. */
export function lastRecordAt(lane: Lane): number | undefined {
  for (const part of lane.parts.toReversed()) {
    const path = lane.path(part);
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    using lines = new Lines(path, Math.max(0, size - READ_BYTES));
    let at: number | undefined;
    while (lines.next()) at = parse(lines.bytes, lines.from, lines.to)?.at ?? at;
    // A part with nothing but its header: the header's time is that of its opening, not of a record.
    if (at !== undefined) return at;
  }
  return undefined;
}

/** Whether the lane ends with an empty line, which its writer leaves when writing fails (clients/README.md, "Writing"). */
export function endsWithLoss(lane: Lane): boolean {
  const path = lane.path(lane.parts.at(-1) ?? 1);
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size < 2) return false;
  using lines = new Lines(path, size - 2);
  return lines.next() && lines.to === lines.from && lines.next() && lines.to === lines.from;
}

/** `{"seq":N,"at":N,"op":"`: every client writes these first, so the op's name is found without parsing. */
function notable(bytes: Buffer, from: number, to: number): Op | undefined {
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
    return JSON.parse(bytes.toString("utf8", from + PREFIX, to)) as Op; // only its name and time are used
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
