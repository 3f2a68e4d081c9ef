/** Builds a lane's next batch from its file: reads on from what is acknowledged, so nothing is kept while the server is away. */
import type { Batch, Op } from "../../src/core/wire.ts";
import { Aggregate } from "./aggregate.ts";
import { checked } from "./check.ts";
import { Cursor, type Position } from "../lanes/cursor.ts";
import type { Lane } from "../lanes/lanes.ts";
import { BATCH_BYTES, BATCH_OPS } from "../limits.ts";

export type Built = {
  /** Nothing if there was only reading to be done. */
  batch: Batch | undefined;
  /** Where the lane stands once the batch is acknowledged. */
  end: Position;
  /** Records that it covers. */
  records: number;
  /** The last op that was looked at, for the dead letters when it stands alone. */
  lastOp: Op | undefined;
  /** The batch reaches what was written last. */
  isWhole: boolean;
  /** Nothing will ever follow it. */
  isLast: boolean;
};

export type Limits = { bytes: number; leaseMs?: number };

/** The next batch of a lane, at most so long. */
export function build(lane: Lane, limits: Limits): Built {
  using cursor = new Cursor(lane, lane.position);
  const draft = new Draft(lane, Math.min(limits.bytes, BATCH_BYTES));
  let end: Position = lane.position;
  let isWhole = true;
  const wasOver = lane.isOver;

  while (cursor.next()) {
    if (cursor.seq <= lane.skipTo) {
      end = cursor.position;
      continue;
    }
    if (draft.isFull(cursor)) {
      isWhole = false;
      break;
    }
    draft.take(cursor);
    end = cursor.position;
  }

  if (isWhole) {
    if (!cursor.endsBroken || wasOver) end = cursor.position;
    if (wasOver) {
      end = { ...end, seq: end.seq + draft.takeEnd(cursor) };
    }
  }
  const first = Math.max(lane.position.seq, lane.skipTo) + 1;
  const last = Math.max(end.seq, first - 1);
  return {
    batch: last < first ? undefined : draft.batch(first, last, limits.leaseMs),
    end: { ...end, seq: last },
    records: draft.records,
    lastOp: draft.lastOp,
    isWhole,
    isLast: isWhole && wasOver,
  };
}

/** A batch that only says that its sender is alive. */
export function keepalive(lane: Lane, leaseMs: number): Batch {
  const last = Math.max(lane.position.seq, lane.skipTo);
  return {
    session: lane.session,
    lane: lane.lane,
    first: last + 1,
    last,
    ops: [],
    lease_ms: leaseMs,
  };
}

/** Records after a hole that may say what the hole was: the client tells of its losses as soon as it can write again. */
const EXPLAINED_WITHIN = 2;

class Draft {
  records = 0;
  lastOp: Op | undefined;
  readonly #lane: Lane;
  readonly #maxBytes: number;
  readonly #ops: Op[] = [];
  readonly #aggregate = new Aggregate(this.#ops);
  readonly #dropped: Record<string, number> = {};
  #bytes = 0;
  /** Records missing that nothing has explained yet, and when they were met. */
  #hole = { size: 0, since: 0 };

  constructor(lane: Lane, maxBytes: number) {
    this.#lane = lane;
    this.#maxBytes = maxBytes;
  }

  /** Anything may be the first, or a large op could never be sent. */
  isFull(next: Cursor): boolean {
    if (this.records === 0) return false;
    if (this.records >= this.#lane.maxRecords || this.#ops.length >= BATCH_OPS) return true;
    const size = next.op.op === "metric" ? 0 : next.bytes;
    return this.#bytes + size > this.#maxBytes;
  }

  take(cursor: Cursor): void {
    this.records += 1;
    this.#noteHole(cursor);
    const { op } = cursor;
    this.lastOp = op;
    if (cursor.seq === this.#lane.refusedSeq) return this.#lose("refused", 1);
    const good = checked(op);
    if (good === undefined) return this.#lose("refused", 1);
    this.#add(good, cursor.bytes);
  }

  /** What is missing behind the last record; answers how many sequences that takes. */
  takeEnd(cursor: Cursor): number {
    if (cursor.missingAtEnd > 0) this.#lose("damaged", cursor.missingAtEnd);
    return cursor.missingAtEnd;
  }

  batch(first: number, last: number, leaseMs: number | undefined): Batch {
    const { session, lane, header } = this.#lane;
    if (this.#hole.size > 0) this.#lose("damaged", this.#hole.size);
    return {
      session,
      lane,
      first,
      last,
      ops: this.#ops,
      ...(Object.keys(this.#dropped).length > 0 && { dropped: this.#dropped }),
      ...(this.#lane.position.seq < header.first && { writer: header.writer }),
      ...(leaseMs !== undefined && { lease_ms: leaseMs }),
    };
  }

  #add(op: Op, bytes: number): void {
    switch (op.op) {
      case "metric":
        this.#bytes += this.#aggregate.add(op);
        return;
      case "start":
        // Learnt, but sent as it is: the server does more with a start than merge its state.
        if (op.state !== undefined && !this.#lane.isShared) this.#lane.filter.strip(op.state);
        break;
      case "state": {
        const patch = this.#lane.isShared ? op.patch : this.#lane.filter.strip(op.patch);
        if (patch === undefined) return;
        op = patch === op.patch ? op : { ...op, patch };
        break;
      }
      case "dropped":
        if (op.count === 0) return; // only there to carry a number (relay.ts)
        this.#explain(op.count);
        break;
      case "end":
        // Another process opened the session, and it alone can end it.
        if (this.#lane.header.role === undefined && this.#lane.tail.isJoiner) return;
        break;
      default:
    }
    this.#ops.push(op);
    this.#bytes += bytes;
  }

  #noteHole(cursor: Cursor): void {
    const missing = Math.min(cursor.missing, cursor.seq - 1 - this.#lane.skipTo);
    if (this.#hole.size > 0 && this.records - this.#hole.since > EXPLAINED_WITHIN) {
      this.#lose("damaged", this.#hole.size);
      this.#hole.size = 0;
    }
    if (missing <= 0) return;
    if (cursor.madeRoom) return this.#lose("disk_budget", missing);
    // What a client without a disk sends may skip numbers for reasons of its own, which it tells.
    if (this.#lane.header.role === "relay" && !cursor.damaged) return;
    this.#hole = { size: this.#hole.size + missing, since: this.records };
  }

  /** The client has counted these itself. */
  #explain(count: number): void {
    this.#hole.size = Math.max(0, this.#hole.size - count);
  }

  #lose(cause: string, count: number): void {
    this.#dropped[cause] = (this.#dropped[cause] ?? 0) + count;
  }
}
