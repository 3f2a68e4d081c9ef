/**
 * Keeps the lanes within the disk budget while the server does not accept them. Removed first are the oldest attachments, then the
 * oldest metrics, then the oldest events and heartbeats, then state and exceptions; starts, ends and crashes stay. Parts that a
 * program still appends to are not rewritten. When a rewritten part is sent, the missing records are counted as lost.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { Op } from "../../src/core/wire.ts";
import { BUDGET_SHARE, PARTS_AT_ONCE, REJECTED_SHARE } from "../limits.ts";
import { type Log, reason } from "../log.ts";
import { type AttachmentFile, attachmentStatus } from "./attachment-file.ts";
import { frame, isIntact, PREFIX } from "./frame.ts";
import { type Header, parseFirstLine, parseRecord } from "./lane-file.ts";
import type { Lane } from "./lane.ts";
import type { Lanes } from "./lanes.ts";
import { Lines } from "./lines.ts";
import { SIDE_FILES, sideFileSize } from "./side-file.ts";

type BudgetOptions = {
  lanes: Lanes;
  rejected: string;
  maxBytes: number;
  log: Log;
  /** Removes the content of an attachment. */
  discard: (file: AttachmentFile, bytes: number) => void;
};

/** What each stage removes; they are applied in this order. */
export const STAGES: ((op: Op) => boolean)[] = [
  (op) => op.op === "metric" || op.op === "points",
  (op) => op.op === "heartbeat" || (op.op === "event" && op.exception_type === undefined),
  (op) => op.op === "state" || op.op === "event",
];

export type Part = {
  bytes: number;
  /** A program may still append to it. */
  isOpen: boolean;
  /** How many stages were applied to it. */
  stages: number;
};

/** Bytes to free: none within the budget; above it, down to BUDGET_SHARE of it. */
export function excessBytes(parts: { bytes: number }[], maxBytes: number): number {
  const used = sum(parts);
  return used <= maxBytes ? 0 : used - maxBytes * BUDGET_SHARE;
}

/** Which parts are rewritten, at which stage, in order: every closed part at one stage before any at the next. */
export function reductions<Candidate extends Part>(
  parts: Candidate[],
): { part: Candidate; stage: number }[] {
  return [...STAGES.keys()].flatMap((stage) =>
    parts.filter((part) => !part.isOpen && part.stages <= stage).map((part) => ({ part, stage })),
  );
}

type LanePart = Part & { lane: Lane; number: number };

export class Budget {
  readonly #options: BudgetOptions;
  /** Stages applied to a lane's parts, by part number. */
  readonly #stages = new WeakMap<Lane, Map<number, number>>();
  #isOver = false;

  constructor(options: BudgetOptions) {
    this.#options = options;
  }

  /** Frees disk space if the budget is exceeded, a few parts per call. */
  keep(): void {
    const { lanes, maxBytes, log } = this.#options;
    this.#boundRejected();
    const parts = [...lanes.all.values()].flatMap((lane) => this.#partsOf(lane));
    const attachments = attachmentsOf(lanes.all.values());
    const others = [...sideFilesOf(lanes.all.values()), ...attachments];
    let excess = excessBytes([...parts, ...others], maxBytes);
    if (excess === 0) {
      if (this.#isOver) log.worked("keeping the disk budget");
      this.#isOver = false;
      return;
    }
    this.#isOver = true;
    log.failed("keeping the disk budget", `lanes take more than ${maxBytes} bytes; reducing them`);
    for (const { file, bytes } of attachments) {
      if (excess <= 0) return;
      this.#options.discard(file, bytes);
      excess -= bytes;
    }
    let rewritten = 0;
    for (const { part, stage } of reductions(parts)) {
      if (excess <= 0 || rewritten >= PARTS_AT_ONCE) return;
      const freed = this.#reduce(part, stage);
      if (freed === undefined) continue;
      rewritten += 1;
      excess -= freed;
    }
  }

  #partsOf(lane: Lane): LanePart[] {
    const stages = this.#stages.get(lane);
    return lane.parts.map((number) => ({
      lane,
      number,
      bytes: statSync(lane.path(number), { throwIfNoEntry: false })?.size ?? 0,
      isOpen: !lane.isClosed && number === lane.parts.at(-1),
      stages: stages?.get(number) ?? 0,
    }));
  }

  /** Rewrites a part without the ops of a stage. Returns the bytes freed, or nothing if that failed. */
  #reduce(part: LanePart, stage: number): number | undefined {
    const { lane, number } = part;
    try {
      const left = rewrite(part, STAGES[stage] ?? (() => false));
      const freed = part.bytes - left;
      part.bytes = left;
      const stages = this.#stages.get(lane) ?? new Map<number, number>();
      this.#stages.set(lane, stages.set(number, stage + 1));
      lane.reduced.add(number);
      return freed;
    } catch (error) {
      this.#options.log.failed("reducing lanes", reason(error));
      return undefined;
    }
  }

  #boundRejected(): void {
    const { rejected, maxBytes } = this.#options;
    if (!existsSync(rejected)) return; // the home was removed
    const files = readdirSync(rejected, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => join(rejected, name))
      .toSorted()
      .map((path) => ({ path, bytes: statSync(path, { throwIfNoEntry: false })?.size ?? 0 }));
    let excess = sum(files) - maxBytes * REJECTED_SHARE;
    for (const file of files) {
      if (excess <= 0) return;
      rmSync(file.path, { force: true });
      excess -= file.bytes;
    }
  }
}

/** The oldest first. */
function attachmentsOf(
  lanes: Iterable<Lane>,
): { file: AttachmentFile; bytes: number; at: number }[] {
  return [...lanes]
    .flatMap((lane) => lane.attachments.map((number) => ({ lane, number })))
    .map((file) => {
      const status = attachmentStatus(file);
      return { file, bytes: status?.size ?? 0, at: status?.mtimeMs ?? 0 };
    })
    .sort((one, other) => one.at - other.at);
}

/** They are not reduced, since the daemon empties them or removes them with their lane. */
function sideFilesOf(lanes: Iterable<Lane>): { bytes: number }[] {
  return [...lanes].flatMap((lane) =>
    SIDE_FILES.map((kind) => ({ bytes: sideFileSize(lane, kind) })),
  );
}

function rewrite({ lane, number }: LanePart, isRemoved: (op: Op) => boolean): number {
  const path = lane.path(number);
  const temporary = `${path}.new`;
  const descriptor = openSync(temporary, "w", 0o600);
  let size = 0;
  const keep = (line: Buffer) => {
    size += writeSync(descriptor, line);
  };
  try {
    using lines = new Lines(path);
    while (lines.next()) {
      const { bytes, from, to } = lines;
      if (size === 0) {
        // A part whose own header is damaged gets its lane's.
        const own: Header | undefined = parseFirstLine(bytes, from, to).header;
        const header = own ?? { ...lane.header, part: number };
        keep(frame(JSON.stringify({ ...header, reduced: true })));
        continue;
      }
      // Damaged lines stay, and are counted when the part is sent.
      const record = isIntact(bytes, from, to) ? parseRecord(lines.text(from + PREFIX)) : undefined;
      const isAcknowledged = record !== undefined && record.seq <= lane.position.seq;
      if (isAcknowledged || (record && isRemoved(record.op))) continue;
      keep(bytes.subarray(from, to + 1));
    }
    fsyncSync(descriptor);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, path);
  return size;
}

function sum(sized: { bytes: number }[]): number {
  return sized.reduce((total, { bytes }) => total + bytes, 0);
}
