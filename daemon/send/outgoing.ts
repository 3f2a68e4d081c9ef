/** The sender's state of one lane: builds the next batch from the lane's files, and acts on each result. It keeps no ops. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DAEMON_LEASE_MS, MAX_BATCH_BYTES } from "../../src/core/limits.ts";
import type { Batch, BatchResult } from "../../src/core/batch.ts";
import type { Lane } from "../lanes/lane.ts";
import type { Lanes } from "../lanes/lanes.ts";
import type { Growth, Tail } from "../lanes/tail.ts";
import { MAX_IMMEDIATE_MOVES } from "../limits.ts";
import { type Log, reason } from "../log.ts";
import type { LocalMaps } from "../sourcemaps/local.ts";
import { build, type BuildOptions, type Built, keepalive } from "./batcher.ts";
import { StateFilter } from "./filter.ts";
import { narrowed, widened } from "./pace.ts";
import { retryDelay } from "./retry.ts";
import { dueAt, keepaliveAt } from "./schedule.ts";

/** Counts for `datacat daemon status`. */
export type Totals = {
  requests: number;
  bytes: number;
  batches: number;
  ops: number;
  /** Records that the server refused for good. */
  refused: number;
  lastOkAt: number;
};

export type OutgoingOptions = {
  lanes: Lanes;
  tail: Tail;
  log: Log;
  /** The folder for records that the server refuses for good. */
  rejected: string;
  batchMs: number;
  /** Whether a program may still write to a session. */
  isLive: (session: string) => boolean;
  /** A clock that is never set. */
  monotonic: () => number;
  random: () => number;
  /** Source maps that lie beside programs. */
  maps?: LocalMaps;
  /** Tags of every session of this machine. */
  tags?: string[];
};

/** One batch of a request; without `built` it is a keepalive. */
export type Sent = { outgoing: Outgoing; built: Built | undefined; text: string };

/** A pause that the server asked for, and why. `until`: by the monotonic clock. */
export type Waiting = { message: string; until: number };

export class Outgoing {
  readonly lane: Lane;
  readonly #options: OutgoingOptions;
  readonly #totals: Totals;
  readonly #filter = new StateFilter();
  /** Since when the lane has bytes that the server has not acknowledged. */
  #pendingSince: number | undefined;
  #lastBatchAt = Number.NEGATIVE_INFINITY;
  #isUrgent = false;
  /** The session's page is open in a browser. */
  #isWatched = false;
  #lastContactAt = Number.NEGATIVE_INFINITY;
  /** After a refusal batches get smaller, until the refused record is alone. */
  #maxRecords = Number.POSITIVE_INFINITY;
  /** The refused record: it is left out and counted. */
  #refusedSeq = 0;
  /** Failures in a row. */
  #failures = 0;
  #notBefore = 0;
  #waiting: Waiting | undefined;

  constructor(lane: Lane, options: OutgoingOptions, totals: Totals) {
    this.lane = lane;
    this.#options = options;
    this.#totals = totals;
  }

  get lastContactAt(): number {
    return this.#lastContactAt;
  }

  /** How many values the filter keeps in memory. */
  get filterSize(): number {
    return this.#filter.size;
  }

  /** When the next batch is due. */
  dueAt(): number {
    const { lane } = this;
    const { tail, isLive, batchMs } = this.#options;
    const due = {
      notBefore: this.#notBefore,
      isUnfinished: lane.isClosed && !lane.isSent,
      isPending: tail.isPending(lane),
      pendingSince: this.#pendingSince,
      unsentBytes: tail.unsentBytes(lane),
      isUrgent: this.#isUrgent,
      isWatched: this.#isWatched,
      isLive: !lane.isObservations && isLive(lane.session),
      lastContactAt: this.#lastContactAt,
      lastBatchAt: this.#lastBatchAt,
    };
    return dueAt(due, batchMs);
  }

  /** The lane grew. */
  note(growth: Growth): void {
    this.#pendingSince ??= this.#options.monotonic();
    if (growth.isUrgent) this.#isUrgent = true;
  }

  /** Sends what is unsent without gathering more. */
  hurry(): void {
    this.#isUrgent = true;
  }

  /** Contacts the server at once, because the session's lease may have run out. */
  renewContact(): void {
    this.#lastContactAt = Number.NEGATIVE_INFINITY;
  }

  delayUntil(at: number): void {
    this.#notBefore = at;
  }

  clearFilter(): void {
    this.#filter.clear();
  }

  /** The server has not stored the last batch: the same records are read again. */
  rollback(): void {
    this.#filter.rollback();
  }

  /** The next batch within `room` bytes; none if there is nothing to send yet, or the lane can't be read. */
  build(room: number): Sent | undefined {
    try {
      return this.#build(room);
    } catch (error) {
      this.#options.log.failed(`reading lane ${this.lane.id}`, reason(error));
      this.#filter.clear();
      this.#delay();
      return undefined;
    }
  }

  /** Acts on the server's result for the lane's batch. */
  conclude(built: Built | undefined, result: BatchResult | undefined): void {
    if (!result) {
      this.#filter.rollback();
      this.#delay();
      return;
    }
    this.#isWatched = result.watched ?? false;
    if (result.error) {
      this.#filter.rollback();
      this.#refuse(built, result.applied, result.error);
      return;
    }
    const { monotonic, log } = this.#options;
    this.#lastContactAt = monotonic();
    if (this.#failures > 0) log.worked(`sending lane ${this.lane.id}`);
    this.#failures = 0;
    this.#notBefore = 0;
    this.#waiting = undefined;
    if (!built) return;
    this.#totals.batches += 1;
    this.#totals.ops += built.records;
    this.#maxRecords = widened(this.#maxRecords);
    this.#advance(built);
    if (result.applied > built.end.seq) this.#moveTo(result.applied);
  }

  /**
   * The server refuses a record of the batch for good. Batches halve until that record is alone; then it is kept as a file, and the rest
   * is sent.
   */
  narrow(built: Built, error: { code: string; message: string }): void {
    const { rejected, log } = this.#options;
    this.#isUrgent = true;
    if (built.records > 1) {
      this.#maxRecords = narrowed(built.records);
      return;
    }
    const { session, id } = this.lane;
    const { seq } = built.end;
    if (this.#refusedSeq === seq) return this.#delay(); // refused even without the record
    this.#refusedSeq = seq;
    this.#totals.refused += 1;
    const path = join(rejected, `${id}.${String(seq).padStart(9, "0")}.json`);
    const refused = { session, lane: id, seq, error, op: built.lastOp };
    try {
      writeFileSync(path, `${JSON.stringify(refused)}\n`, { mode: 0o600, flush: true });
      log.write(`${error.code}: ${error.message} The record is kept in ${path}`);
    } catch (failure) {
      // It is counted as refused all the same.
      log.write(`${error.code}: ${error.message} The record could not be kept: ${reason(failure)}`);
      rmSync(path, { force: true });
    }
  }

  #build(room: number): Sent | undefined {
    const { lane } = this;
    const { lanes, tail, isLive, monotonic, maps, tags } = this.#options;
    const leaseMs = isLive(lane.session) ? DAEMON_LEASE_MS : undefined;
    const options: BuildOptions = {
      maxBytes: room,
      maxRecords: this.#maxRecords,
      refusedSeq: this.#refusedSeq,
      leaseMs,
      isJoiner: tail.of(lane).isJoiner,
      maps,
      tags,
    };

    let built = build(lane, lane.isShared ? options : { ...options, filter: this.#filter });
    if (!lane.isShared) {
      // Another process may have joined the session meanwhile, and changed state that the filter relied on.
      lanes.scan(monotonic());
      if (lane.isShared) built = build(lane, options);
    }
    if (lane.isShared) this.#filter.clear();

    const { batch } = built;
    const isKeepaliveDue = keepaliveAt(this.#lastContactAt) <= monotonic();
    if (!batch) {
      this.#advance(built);
      if (leaseMs === undefined || !isKeepaliveDue) return undefined;
      return { outgoing: this, built: undefined, text: JSON.stringify(keepalive(lane, leaseMs)) };
    }
    if (isEmpty(batch) && !lane.isClosed && !this.#isUrgent && !isKeepaliveDue) {
      // The filter removed everything. The records are read again with those that follow.
      this.#filter.rollback();
      this.#pendingSince = this.#lastBatchAt = monotonic();
      return undefined;
    }
    const text = JSON.stringify(batch);
    if (built.records > 1 && isTooLong(text)) {
      this.#filter.rollback();
      this.#maxRecords = narrowed(built.records);
      return this.#build(room);
    }
    return { outgoing: this, built, text };
  }

  #refuse(
    built: Built | undefined,
    applied: number,
    error: { code: string; message: string; retry_after?: number },
  ): void {
    const { lane } = this;
    const { log, lanes } = this.#options;
    switch (error.code) {
      case "lane_gap":
      case "lane_overlap":
        this.#moveTo(applied);
        this.#isUrgent = true;
        // The same answer again and again would make requests without a pause.
        if (++this.#failures > MAX_IMMEDIATE_MOVES) this.#delay();
        return;
      case "gone":
        log.write(`session ${lane.session} was deleted on the server; lane ${lane.id} is deleted`);
        lanes.delete(lane);
        return;
      case "too_large":
      case "invalid_json":
      case "invalid_body":
      case "not_finite":
      case "too_deep":
      case "too_many_keys":
        if (built?.batch && built.records > 0) this.narrow(built, error);
        else this.#delay();
        return;
      default:
        this.delay(error.message, error.retry_after);
    }
  }

  /** The server asks for a pause of this lane alone. */
  delay(message: string, retryAfterS = 0): void {
    this.#options.log.failed(`sending lane ${this.lane.id}`, message);
    this.#delay(retryAfterS * 1_000);
    this.#waiting = { message, until: this.#notBefore };
  }

  /** Why the server asked for a pause of this lane that is not over; undefined: it did not. */
  waiting(): Waiting | undefined {
    const { tail, monotonic } = this.#options;
    return this.#waiting && this.#waiting.until > monotonic() && tail.isPending(this.lane)
      ? this.#waiting
      : undefined;
  }

  #delay(retryAfterMs = 0): void {
    const { monotonic, random } = this.#options;
    this.#failures += 1;
    this.#notBefore = monotonic() + retryDelay(this.#failures, random(), retryAfterMs);
  }

  #advance(built: Built): void {
    const { lane } = this;
    const { lanes, tail, monotonic } = this.#options;
    this.#filter.commit();
    lane.position = built.end;
    if (built.isLast) lane.isSent = true;
    const isPending = tail.isPending(lane);
    this.#lastBatchAt = monotonic();
    this.#pendingSince = isPending ? this.#lastBatchAt : undefined;
    if (!isPending) this.#isUrgent = false;
    lanes.trim(lane);
  }

  /** The server has other records than expected, so the filter does not know its state. */
  #moveTo(applied: number): void {
    this.lane.moveTo(applied);
    this.#filter.clear();
  }
}

function isEmpty(batch: Batch): boolean {
  return batch.ops.length === 0 && batch.dropped === undefined && batch.writer === undefined;
}

/** A character takes at most three bytes, so short texts need not be measured. */
function isTooLong(text: string): boolean {
  return text.length > MAX_BATCH_BYTES / 3 && Buffer.byteLength(text) > MAX_BATCH_BYTES;
}
