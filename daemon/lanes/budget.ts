/**
 * Keeps the lanes within their share of the disk while the server is away. What goes first is what is least missed: the oldest
 * metrics, then the oldest events and heartbeats, then state and exceptions; starts, ends and crashes stay. Parts that a program
 * still writes to are left alone. What is missing from a thinned part is counted when it is sent.
 */
import {
  closeSync,
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
import { frame, isIntact, PREFIX } from "./frame.ts";
import { type Header, laneFile, parseFirstLine, parseRecord } from "./lane-file.ts";
import type { Lane, Lanes } from "./lanes.ts";
import { BUDGET_SHARE, DEAD_SHARE, PARTS_AT_ONCE } from "../limits.ts";
import { Lines } from "./lines.ts";
import { type Log, reason } from "../log.ts";

export type BudgetOptions = { lanes: Lanes; dead: string; maxBytes: number; log: Log };

/** In the order in which they are given up. */
const STAGES: ((op: Op) => boolean)[] = [
  (op) => op.op === "metric" || op.op === "points",
  (op) => op.op === "heartbeat" || (op.op === "event" && op.exception_type === undefined),
  (op) => op.op === "state" || op.op === "event",
];

type Part = { lane: Lane; part: number; bytes: number };

export class Budget {
  readonly #options: BudgetOptions;
  /** How many stages a part went through, by its path. */
  readonly #thinned = new Map<string, number>();
  #isOver = false;

  constructor(options: BudgetOptions) {
    this.#options = options;
  }

  /** Makes room if need be; not all of it at once. */
  keep(): void {
    const { lanes, maxBytes, log } = this.#options;
    this.#boundDead();
    const parts = [...lanes.all.values()].flatMap(partsOf);
    let excess = sum(parts) - maxBytes;
    if (excess <= 0) {
      if (this.#isOver) log.worked("keeping the disk budget");
      this.#isOver = false;
      return;
    }
    this.#isOver = true;
    log.failed("keeping the disk budget", `lanes take more than ${maxBytes} bytes; making room`);
    excess += maxBytes * (1 - BUDGET_SHARE);
    let rewritten = 0;
    for (const stage of STAGES.keys()) {
      for (const part of parts.filter(isClosed)) {
        if (excess <= 0 || rewritten >= PARTS_AT_ONCE) return;
        const freed = this.#thin(part, stage);
        if (freed === undefined) continue;
        rewritten += 1;
        excess -= freed;
      }
    }
  }

  /** Writes a part anew without the ops of a stage; answers how many bytes that freed, or nothing if it was done before. */
  #thin({ lane, part, bytes }: Part, stage: number): number | undefined {
    const path = lane.path(part);
    if ((this.#thinned.get(path) ?? 0) > stage) return undefined;
    try {
      const left = rewrite(path, lane, STAGES[stage] ?? (() => false));
      this.#thinned.set(path, stage + 1);
      lane.thinned.add(part);
      return bytes - left;
    } catch (error) {
      this.#options.log.failed("making room", reason(error));
      return undefined;
    }
  }

  #boundDead(): void {
    const { dead, maxBytes } = this.#options;
    const letters = readdirSync(dead)
      .toSorted()
      .map((name) => ({ path: join(dead, name), bytes: statSync(join(dead, name)).size }));
    let excess = sum(letters) - maxBytes * DEAD_SHARE;
    for (const letter of letters) {
      if (excess <= 0) return;
      rmSync(letter.path, { force: true });
      excess -= letter.bytes;
    }
  }
}

function partsOf(lane: Lane): Part[] {
  return lane.parts.map((part) => ({
    lane,
    part,
    bytes: statSync(lane.path(part), { throwIfNoEntry: false })?.size ?? 0,
  }));
}

/** Nobody writes to it any more. */
function isClosed({ lane, part }: Part): boolean {
  return lane.isOver || part !== lane.parts.at(-1);
}

function rewrite(path: string, lane: Lane, isGivenUp: (op: Op) => boolean): number {
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
        const { header } = parseFirstLine(bytes, from, to);
        keep(frame(JSON.stringify({ ...(header ?? headerOf(lane, path)), thinned: true })));
        continue;
      }
      // What is damaged stays, to be counted as that.
      const record = isIntact(bytes, from, to) ? parseRecord(lines.text(from + PREFIX)) : undefined;
      const isSent = record !== undefined && record.seq <= lane.position.seq;
      if (isSent || (record && isGivenUp(record.op))) continue;
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

/** A part whose own header is damaged gets its lane's. */
function headerOf(lane: Lane, path: string): Header {
  const part = lane.parts.find((number) => path.endsWith(laneFile(lane.lane, number))) ?? 1;
  return { ...lane.header, part };
}

function sum(sized: { bytes: number }[]): number {
  return sized.reduce((total, { bytes }) => total + bytes, 0);
}
