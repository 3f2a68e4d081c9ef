/**
 * Builds a lane's next batch from its files. It reads on from what the server has acknowledged, so nothing is kept in memory while the
 * server does not answer.
 */
import type { Batch } from "../../src/core/batch.ts";
import type { Op } from "../../src/core/wire.ts";
import { isAlteration } from "../../src/core/session/counts.ts";
import { MAX_BATCH_AGGREGATED, MAX_LABELS } from "../../src/core/limits.ts";
import { Cursor } from "../lanes/cursor.ts";
import type { Lane, Position } from "../lanes/lane.ts";
import { BATCH_BYTES, BATCH_OPS, EXPLAINED_WITHIN } from "../limits.ts";
import type { LocalMaps } from "../sourcemaps/local.ts";
import { Aggregate } from "./aggregate.ts";
import { checked } from "./check.ts";
import type { StateFilter } from "./filter.ts";

export type Built = {
  /** None if the records hold nothing to send. */
  batch: Batch | undefined;
  /** The lane's position once the batch is acknowledged. */
  end: Position;
  /** Records that it covers. */
  records: number;
  /** The last op that was read: the refused one, if the batch holds one record. */
  lastOp: Op | undefined;
  /** It ends with the lane's last record, and no record follows. */
  isLast: boolean;
};

export type BuildOptions = {
  maxBytes: number;
  maxRecords?: number;
  /** The record with this sequence is counted as refused instead of being sent. */
  refusedSeq?: number;
  leaseMs?: number;
  /** The writer joined the session, so its `end` does not end it. */
  isJoiner?: boolean;
  /** Removes state that does not change; shared sessions have none. */
  filter?: StateFilter;
  /** Source maps that lie beside programs. */
  maps?: LocalMaps;
  /** Tags of every session of this machine, after those of the program. */
  tags?: string[];
};

/** The lane's next batch, within the limits. */
export function build(lane: Lane, options: BuildOptions): Built {
  using cursor = new Cursor(lane, lane.position);
  const draft = new Draft(lane, options);
  let end: Position = lane.position;
  let isFull = false;
  const wasClosed = lane.isClosed;

  while (cursor.next()) {
    if (cursor.seq <= lane.skipTo) {
      end = cursor.position;
      continue;
    }
    if (draft.isFull(cursor)) {
      isFull = true;
      break;
    }
    draft.take(cursor);
    end = cursor.position;
  }

  if (!isFull) {
    // Damaged lines at the end are read again until a later record, or the lane's end, shows how many records they were.
    if (!cursor.endsDamaged || wasClosed) end = cursor.position;
    if (wasClosed) end = { ...end, seq: end.seq + draft.takeEnd(cursor) };
  }
  const first = Math.max(lane.position.seq, lane.skipTo) + 1;
  const last = Math.max(end.seq, first - 1);
  return {
    batch: last < first ? undefined : draft.batch(first, last),
    end: { ...end, seq: last },
    records: draft.records,
    lastOp: draft.lastOp,
    isLast: !isFull && wasClosed,
  };
}

/** A batch without ops, which extends the session's lease. */
export function keepalive(lane: Lane, leaseMs: number): Batch {
  const last = Math.max(lane.position.seq, lane.skipTo);
  return {
    session: lane.session,
    lane: lane.id,
    first: last + 1,
    last,
    ops: [],
    lease_ms: leaseMs,
  };
}

/** Of ops that the client did not try to write: no sequence is missing because of them. */
const NEVER_WRITTEN = new Set(["too_large", "not_finite", "series_limit"]);

class Draft {
  records = 0;
  lastOp: Op | undefined;
  readonly #lane: Lane;
  readonly #options: BuildOptions;
  readonly #maxBytes: number;
  readonly #ops: Op[] = [];
  readonly #aggregate = new Aggregate(this.#ops);
  readonly #dropped: Record<string, number> = {};
  /** Records that are left out because they change nothing. */
  #leftOut = 0;
  #bytes = 0;
  /** Missing records that no `dropped` op has explained yet, and after how many records they were found. */
  #gap = { size: 0, since: 0 };

  constructor(lane: Lane, options: BuildOptions) {
    this.#lane = lane;
    this.#options = options;
    this.#maxBytes = Math.min(options.maxBytes, BATCH_BYTES);
  }

  /** The first record always fits, or a large op could never be sent. */
  isFull(next: Cursor): boolean {
    if (this.records === 0) return false;
    // The records that explain a gap are in the batch that has it.
    if (this.#gap.size > 0 && next.op.op === "dropped") return false;
    if (this.records >= (this.#options.maxRecords ?? Infinity) || this.#ops.length >= BATCH_OPS)
      return true;
    if (this.#aggregated >= MAX_BATCH_AGGREGATED) return true;
    const size = next.op.op === "metric" ? 0 : next.bytes;
    return this.#bytes + size > this.#maxBytes;
  }

  /** Records without an op of their own. */
  get #aggregated(): number {
    return this.#leftOut + this.#aggregate.merged;
  }

  take(cursor: Cursor): void {
    this.records += 1;
    this.#countMissing(cursor);
    const { op } = cursor;
    this.lastOp = op;
    if (cursor.seq === this.#options.refusedSeq) return this.#lose("refused", 1);
    const good = checked(this.#resolved(op));
    if (good === undefined) return this.#lose("refused", 1);
    this.#add(good, cursor.bytes);
  }

  /** A program's own exception, or its stacks as observed here, by source maps. What was relayed names files of another machine. */
  #resolved(op: Op): Op {
    const { maps } = this.#options;
    const { role } = this.#lane.header;
    if (op.op === "event" && role === undefined) {
      const resolved = maps?.resolve(op);
      return resolved ? { ...op, resolved } : op;
    }
    if (op.op === "stacks" && role === "observations") {
      const resolved = maps?.resolveThreads(op);
      return resolved ? { ...op, resolved } : op;
    }
    return op;
  }

  /** Counts the damaged lines after the last record. Returns how many sequences they take. */
  takeEnd(cursor: Cursor): number {
    if (cursor.missingAtEnd > 0) this.#lose("damaged", cursor.missingAtEnd);
    return cursor.missingAtEnd;
  }

  batch(first: number, last: number): Batch {
    const { session, id, header, position } = this.#lane;
    if (this.#gap.size > 0) this.#lose("damaged", this.#gap.size);
    return {
      session,
      lane: id,
      first,
      last,
      ops: this.#ops,
      dropped: Object.keys(this.#dropped).length > 0 ? this.#dropped : undefined,
      aggregated: this.#aggregated || undefined,
      writer: position.seq < header.first ? header.writer : undefined,
      observed: this.#lane.isObservations || undefined,
      lease_ms: this.#options.leaseMs,
    };
  }

  #add(op: Op, bytes: number): void {
    switch (op.op) {
      case "metric":
        this.#bytes += this.#aggregate.add(op);
        return;
      case "start":
        // The filter takes its state in, but the op is sent whole: the server does more with a start than merge its state.
        if (op.state !== undefined) this.#options.filter?.filter(op.state);
        op = this.#tagged(op);
        break;
      case "state": {
        const { filter } = this.#options;
        const patch = filter ? filter.filter(op.patch) : op.patch;
        if (patch === undefined) return this.#leaveOut();
        op = patch === op.patch ? op : { ...op, patch };
        break;
      }
      case "dropped": {
        if (op.count === 0 && !op.at_least) return this.#leaveOut();
        // The op that was altered has a sequence of its own.
        if (isAlteration(op)) break;
        const sequences =
          op.sequences ?? (NEVER_WRITTEN.has(op.cause) ? 0 : this.#explain(op.count));
        op = { ...op, sequences: sequences || undefined }; // direct mode has no such field
        break;
      }
      case "end":
        // Another process opened the session, and only that one can end it.
        if (this.#lane.header.role === undefined && this.#options.isJoiner) return this.#leaveOut();
        break;
      default:
    }
    this.#ops.push(op);
    this.#bytes += bytes;
  }

  #tagged(op: Extract<Op, { op: "start" }>): Op {
    const { tags = [] } = this.#options;
    if (tags.length === 0) return op;
    const all = [...new Set([...(op.tags ?? []), ...tags])].slice(0, MAX_LABELS);
    this.#bytes += JSON.stringify(tags).length;
    return { ...op, tags: all };
  }

  #leaveOut(): void {
    this.#leftOut++;
  }

  #countMissing(cursor: Cursor): void {
    const missing = Math.min(cursor.missing, cursor.seq - 1 - this.#lane.skipTo);
    if (this.#gap.size > 0 && this.records - this.#gap.since > EXPLAINED_WITHIN) {
      this.#lose("damaged", this.#gap.size);
      this.#gap.size = 0;
    }
    if (missing <= 0) return;
    if (cursor.isReduced) return this.#lose("disk_budget", missing);
    // A client on another disk may leave sequences out, and counts them in a `dropped` op itself.
    if (this.#lane.header.role === "relay" && !cursor.isDamaged) return;
    this.#gap = { size: this.#gap.size + missing, since: this.records };
  }

  /** The client has counted these itself. Returns how many of them are missing from the lane's sequences. */
  #explain(count: number): number {
    const explained = Math.min(this.#gap.size, count);
    this.#gap.size -= explained;
    return explained;
  }

  #lose(cause: string, count: number): void {
    this.#dropped[cause] = (this.#dropped[cause] ?? 0) + count;
  }
}
