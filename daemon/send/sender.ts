/**
 * Sends what is due, one request at a time to each server, and acts on the answers. It keeps no ops in memory: after a failure
 * the same records are read from the lane again.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DAEMON_LEASE_MS, MAX_BATCH_BYTES, MAX_BATCHES } from "../../src/core/limits.ts";
import type { Batch, BatchResult } from "../../src/core/wire.ts";
import { serverUrl } from "../config.ts";
import type { Lane } from "../lanes/lane.ts";
import type { Lanes } from "../lanes/lanes.ts";
import type { Growth, Tail } from "../lanes/tail.ts";
import {
  ISOLATED_STEP_MS,
  MAX_FILTERED_VALUES,
  MAX_IMMEDIATE_MOVES,
  MIN_REQUEST_BYTES,
} from "../limits.ts";
import { type Log, reason } from "../log.ts";
import { build, type BuildOptions, type Built, keepalive } from "./batcher.ts";
import { StateFilter } from "./filter.ts";
import * as pace from "./pace.ts";
import { retryDelay } from "./retry.ts";
import { type Due, dueAt, inOrder, keepaliveAt } from "./schedule.ts";
import type { Answer, Uploader } from "./uploader.ts";

type SenderOptions = {
  lanes: Lanes;
  tail: Tail;
  uploader: Uploader;
  log: Log;
  /** The folder for records that the server refuses for good. */
  rejected: string;
  /** The server of lanes whose header has none. */
  server: string;
  batchMs: number;
  /** Whether a program may still write to a session. */
  isLive: (session: string) => boolean;
  /** Waiting is by a clock that is never set; only `sent_at` is the time of day. */
  monotonic: () => number;
  now: () => number;
  random: () => number;
  /** Called after each request whose answer moved a position. */
  acknowledged: () => void;
};

/** What the sender keeps of one lane. Times are the monotonic clock's. */
type Sending = {
  filter: StateFilter;
  /** Since when the lane has bytes that the server has not acknowledged. */
  pendingSince: number | undefined;
  isUrgent: boolean;
  isWatched: boolean;
  lastContactAt: number;
  /** After a refusal batches get smaller, until the refused record is alone. */
  maxRecords: number;
  /** The refused record: it is left out and counted. */
  refusedSeq: number;
  /** Failures in a row. */
  failures: number;
  notBefore: number;
};

type Server = { isBusy: boolean; pace: pace.ServerPace };

/** One batch of a request; without `built` it is a keepalive. */
type Sent = { lane: Lane; built: Built | undefined; text: string };

type Waiter = { isDone: () => boolean; resolve: (isDone: boolean) => void };

export class Sender {
  readonly #options: SenderOptions;
  /** A lane's entry goes when the lane does. */
  readonly #lanes = new WeakMap<Lane, Sending>();
  readonly #servers = new Map<string, Server>();
  readonly #waiters = new Set<Waiter>();
  /** Counts for `datacat daemon status`. */
  readonly totals = { requests: 0, bytes: 0, batches: 0, ops: 0, refused: 0, lastOkAt: 0 };

  /** When a server last accepted a request, by the monotonic clock. */
  acceptedAt = Number.NEGATIVE_INFINITY;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  serverOf(lane: Lane): string {
    return lane.header.server === "" ? this.#options.server : serverUrl(lane.header.server);
  }

  /** Whether a server answered the last request; undefined before the first. */
  isReachable(server: string): boolean | undefined {
    return this.#servers.get(server)?.pace.isReachable;
  }

  /** A lane grew. */
  note(lane: Lane, growth: Growth): void {
    const sending = this.#of(lane);
    sending.pendingSince ??= this.#options.monotonic();
    if (growth.isUrgent) sending.isUrgent = true;
  }

  /** The writer's process is gone, so the rest of the lane is sent at once. */
  hurry(lane: Lane): void {
    this.#of(lane).isUrgent = true;
  }

  /** After a sleep every session's lease may have run out at the server, so each is contacted at once. */
  renewContact(): void {
    for (const lane of this.#options.lanes.all.values()) {
      this.#of(lane).lastContactAt = Number.NEGATIVE_INFINITY;
    }
  }

  /** Starts a request to every server that something is due for. */
  pump(): void {
    const byServer = Map.groupBy(this.#options.lanes.all.values(), (lane) => this.serverOf(lane));
    for (const [url, lanes] of byServer) {
      const server = this.#server(url);
      if (server.isBusy || server.pace.notBefore > this.#options.monotonic()) continue;
      const sent = this.#assemble(lanes, server);
      if (sent.length === 0) continue;
      server.isBusy = true;
      void this.#send(url, server, sent); // never rejects
    }
  }

  /** When the next batch is due, so that the loop wakes up for it. */
  nextAt(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const lane of this.#options.lanes.all.values()) {
      const server = this.#server(this.serverOf(lane));
      if (server.isBusy) continue;
      next = Math.min(next, Math.max(server.pace.notBefore, this.#dueAt(lane)));
    }
    return next;
  }

  /** Sends all there is of a session, or of every session, now. Returns whether the server has it before the time is up. */
  flush(session: string | undefined, timeoutMs: number): Promise<boolean> {
    const { lanes, tail, monotonic } = this.#options;
    lanes.scan(monotonic());
    const goals = [...lanes.all.values()]
      .filter((lane) => session === undefined || lane.session === session)
      .map((lane) => {
        tail.read(lane);
        if (tail.isPending(lane)) this.#of(lane).isUrgent = true;
        const { part, offset } = tail.of(lane);
        return { lane, part, offset };
      });
    const isDone = () =>
      goals.every(({ lane, part, offset }) => {
        if (lanes.all.get(lane.id) !== lane) return true;
        const { position } = lane;
        return position.part > part || (position.part === part && position.offset >= offset);
      });
    if (isDone()) return Promise.resolve(true);
    for (const url of new Set(goals.map(({ lane }) => this.serverOf(lane)))) {
      // The caller waits, so an unreachable server is tried once more at once. One that answered with a delay is not.
      const server = this.#server(url);
      if (server.pace.isReachable === false) server.pace = { ...server.pace, notBefore: 0 };
    }
    this.pump();
    return new Promise((resolve) => {
      const waiter: Waiter = {
        isDone,
        resolve: (done) => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          resolve(done);
        },
      };
      const timer = setTimeout(() => waiter.resolve(isDone()), timeoutMs);
      this.#waiters.add(waiter);
    });
  }

  #of(lane: Lane): Sending {
    let sending = this.#lanes.get(lane);
    if (!sending) {
      sending = {
        filter: new StateFilter(),
        pendingSince: undefined,
        isUrgent: false,
        isWatched: false,
        lastContactAt: Number.NEGATIVE_INFINITY,
        maxRecords: Number.POSITIVE_INFINITY,
        refusedSeq: 0,
        failures: 0,
        notBefore: 0,
      };
      this.#lanes.set(lane, sending);
    }
    return sending;
  }

  #server(url: string): Server {
    let server = this.#servers.get(url);
    if (!server) {
      server = { isBusy: false, pace: pace.NEW_SERVER };
      this.#servers.set(url, server);
    }
    return server;
  }

  #dueAt(lane: Lane): number {
    const { tail, isLive, batchMs } = this.#options;
    const { notBefore, pendingSince, isUrgent, isWatched, lastContactAt } = this.#of(lane);
    const due: Due = {
      notBefore,
      pendingSince,
      isUrgent,
      isWatched,
      lastContactAt,
      isUnfinished: lane.isClosed && !lane.isSent,
      isPending: tail.isPending(lane),
      unsentBytes: tail.unsentBytes(lane),
      isLive: !lane.isObservations && isLive(lane.session),
    };
    return dueAt(due, batchMs);
  }

  /** The batches of one request. */
  #assemble(lanes: Lane[], server: Server): Sent[] {
    const candidates = lanes.map((lane) => ({
      lane,
      at: this.#dueAt(lane),
      lastContactAt: this.#of(lane).lastContactAt,
      isObservations: lane.isObservations,
    }));
    const sent: Sent[] = [];
    let room = server.pace.requestBytes;
    for (const { lane } of inOrder(candidates, this.#options.monotonic(), this.#options.batchMs)) {
      if (room <= 0 || sent.length >= MAX_BATCHES) break;
      const next = this.#tryBuild(lane, room);
      if (!next) continue;
      sent.push(next);
      room -= next.text.length;
    }
    return sent;
  }

  /** A lane that can't be read does not keep the others from being sent. */
  #tryBuild(lane: Lane, room: number): Sent | undefined {
    try {
      return this.#build(lane, room);
    } catch (error) {
      this.#options.log.failed(`reading lane ${lane.id}`, reason(error));
      this.#of(lane).filter.clear();
      this.#delayLane(lane);
      return undefined;
    }
  }

  #build(lane: Lane, room: number): Sent | undefined {
    const { lanes, tail, isLive, monotonic } = this.#options;
    const sending = this.#of(lane);
    const { filter, maxRecords, refusedSeq } = sending;
    const leaseMs = isLive(lane.session) ? DAEMON_LEASE_MS : undefined;
    const { isJoiner } = tail.of(lane);
    const options: BuildOptions = { maxBytes: room, maxRecords, refusedSeq, leaseMs, isJoiner };

    let built = build(lane, lane.isShared ? options : { ...options, filter });
    if (!lane.isShared) {
      // Another process may have joined the session meanwhile, and changed state that the filter relied on.
      lanes.scan(monotonic());
      if (lane.isShared) built = build(lane, options);
    }
    if (lane.isShared) filter.clear();

    const { batch } = built;
    const isKeepaliveDue = keepaliveAt(sending.lastContactAt) <= monotonic();
    if (!batch) {
      this.#advance(lane, built);
      if (leaseMs === undefined || !isKeepaliveDue) return undefined;
      return { lane, built: undefined, text: JSON.stringify(keepalive(lane, leaseMs)) };
    }
    if (isEmpty(batch) && !lane.isClosed && !sending.isUrgent && !isKeepaliveDue) {
      // The filter removed everything. The records are read again with those that follow.
      filter.rollback();
      sending.pendingSince = monotonic();
      return undefined;
    }
    const text = JSON.stringify(batch);
    if (built.records > 1 && isTooLong(text)) {
      filter.rollback();
      sending.maxRecords = pace.narrowed(built.records);
      return this.#build(lane, room);
    }
    return { lane, built, text };
  }

  async #send(url: string, server: Server, sent: Sent[]): Promise<void> {
    const { uploader, now, log } = this.#options;
    const body = `{"sent_at":${now()},"batches":[${sent.map(({ text }) => text).join(",")}]}`;
    const answer = await uploader.ingest(url, body);
    try {
      this.totals.requests += 1;
      this.totals.bytes += body.length;
      if (answer.kind === "answered") this.#accept(url, server, sent, answer, body.length);
      else this.#fail(url, server, sent, answer);
      this.#boundFilters();
      this.#options.acknowledged();
    } catch (error) {
      // A full disk, for example. What was not recorded as acknowledged is sent again, and the server ignores it.
      log.failed("recording what was sent", reason(error));
      this.#rollback(sent);
      this.#delay(server);
    } finally {
      server.isBusy = false;
    }
    for (const waiter of this.#waiters) {
      if (waiter.isDone()) waiter.resolve(true);
      else if (server.pace.failures > 0) waiter.resolve(false);
    }
    this.pump();
  }

  #accept(
    url: string,
    server: Server,
    sent: Sent[],
    { answer }: Extract<Answer, { kind: "answered" }>,
    bytes: number,
  ): void {
    const { log, monotonic, now } = this.#options;
    log.worked(`sending to ${url}`);
    this.totals.lastOkAt = now();
    this.acceptedAt = monotonic();
    server.pace = pace.afterAccepted(server.pace, bytes, monotonic(), answer.slow_down_ms);
    const results = new Map(answer.results.map((result) => [result.lane, result]));
    for (const one of sent) this.#acceptBatch(one, results.get(one.lane.id));
  }

  #acceptBatch({ lane, built }: Sent, result: BatchResult | undefined): void {
    const { monotonic, log } = this.#options;
    const sending = this.#of(lane);
    if (!result) {
      sending.filter.rollback();
      this.#delayLane(lane);
      return;
    }
    sending.isWatched = result.watched ?? false;
    if (result.error) {
      sending.filter.rollback();
      this.#refuseBatch(lane, built, result.applied, result.error);
      return;
    }
    sending.lastContactAt = monotonic();
    if (sending.failures > 0) log.worked(`sending lane ${lane.id}`);
    sending.failures = 0;
    sending.notBefore = 0;
    if (!built) return;
    this.totals.batches += 1;
    this.totals.ops += built.records;
    sending.maxRecords = pace.widened(sending.maxRecords);
    this.#advance(lane, built);
    if (result.applied > built.end.seq) this.#moveTo(lane, result.applied);
  }

  #refuseBatch(
    lane: Lane,
    built: Built | undefined,
    applied: number,
    error: { code: string; message: string },
  ): void {
    const { log, lanes } = this.#options;
    const sending = this.#of(lane);
    switch (error.code) {
      case "lane_gap":
      case "lane_overlap":
        this.#moveTo(lane, applied);
        sending.isUrgent = true;
        // The same answer again and again would make requests without a pause.
        if (++sending.failures > MAX_IMMEDIATE_MOVES) this.#delayLane(lane);
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
        if (built?.batch && built.records > 0) this.#narrow(lane, built, error);
        else this.#delayLane(lane);
        return;
      default:
        log.failed(`sending lane ${lane.id}`, `${error.code}: ${error.message}`);
        this.#delayLane(lane);
    }
  }

  /** No answer, or one to the request as a whole. */
  #fail(
    url: string,
    server: Server,
    sent: Sent[],
    answer: Exclude<Answer, { kind: "answered" }>,
  ): void {
    const now = this.#options.monotonic();
    const random = this.#options.random();
    this.#rollback(sent);
    this.#options.log.failed(`sending to ${url}`, answer.message);
    if (answer.kind === "unreachable") {
      server.pace = pace.afterUnreachable(server.pace, now, random);
      return;
    }
    const { status, code, message, retryAfterMs } = answer;
    const [first] = sent;
    const only = sent.length === 1 ? first : undefined;
    if (status === 413) {
      if (only && server.pace.requestBytes <= MIN_REQUEST_BYTES) {
        server.pace = { ...server.pace, isReachable: true };
        if (only.built) this.#narrow(only.lane, only.built, { code: "too_large", message });
        else this.#delay(server);
        return;
      }
      server.pace = pace.afterTooLarge(server.pace, sent.length, now, random);
      return;
    }
    // Only a Datacat server knows what is wrong with a body; a proxy's 400 has no code of ours.
    if (status === 400 && code !== undefined) {
      if (only?.built) {
        server.pace = { ...server.pace, isReachable: true };
        this.#narrow(only.lane, only.built, { code, message });
        return;
      }
      server.pace = pace.afterBadBody(server.pace, now, random);
      // Lanes that are due at different times go in requests of their own, which show which batch is refused.
      for (const [index, { lane }] of sent.entries()) {
        this.#of(lane).notBefore = server.pace.notBefore + index * ISOLATED_STEP_MS;
      }
      return;
    }
    server.pace = pace.afterRefused(server.pace, now, random, retryAfterMs);
  }

  /** Halves the batch until the refused record is alone; then keeps that one as a file, and sends the rest. */
  #narrow(lane: Lane, built: Built, error: { code: string; message: string }): void {
    const sending = this.#of(lane);
    sending.isUrgent = true;
    if (built.records > 1) {
      sending.maxRecords = pace.narrowed(built.records);
      return;
    }
    const { seq } = built.end;
    if (sending.refusedSeq === seq) return this.#delayLane(lane); // refused even without the record
    sending.refusedSeq = seq;
    this.totals.refused += 1;
    const refused = { session: lane.session, lane: lane.id, seq, error, op: built.lastOp };
    const name = `${lane.id}.${String(seq).padStart(9, "0")}.json`;
    const path = join(this.#options.rejected, name);
    writeFileSync(path, `${JSON.stringify(refused)}\n`, { mode: 0o600, flush: true });
    this.#options.log.write(`${error.code}: ${error.message} The record is kept in ${path}`);
  }

  #rollback(sent: Sent[]): void {
    for (const { lane } of sent) this.#of(lane).filter.rollback();
  }

  #delay(server: Server): void {
    const { monotonic, random } = this.#options;
    server.pace = pace.delayed(server.pace, monotonic(), random());
  }

  #delayLane(lane: Lane): void {
    const { monotonic, random } = this.#options;
    const sending = this.#of(lane);
    sending.failures += 1;
    sending.notBefore = monotonic() + retryDelay(sending.failures, random());
  }

  #advance(lane: Lane, built: Built): void {
    const { lanes, tail, monotonic } = this.#options;
    const sending = this.#of(lane);
    sending.filter.commit();
    lane.position = built.end;
    if (built.isLast) lane.isSent = true;
    const isPending = tail.isPending(lane);
    sending.pendingSince = isPending ? monotonic() : undefined;
    if (!isPending) sending.isUrgent = false;
    lanes.trim(lane);
  }

  /** The server has other records than expected, so its state is unknown to the filter. */
  #moveTo(lane: Lane, applied: number): void {
    lane.moveTo(applied);
    this.#of(lane).filter.clear();
  }

  /** Bounds the memory of all filters together: the largest are cleared first. */
  #boundFilters(): void {
    const filters = [...this.#options.lanes.all.values()].map((lane) => this.#of(lane).filter);
    let sum = filters.reduce((total, filter) => total + filter.size, 0);
    if (sum <= MAX_FILTERED_VALUES) return;
    for (const filter of filters.toSorted((a, b) => b.size - a.size)) {
      if (sum <= MAX_FILTERED_VALUES) return;
      sum -= filter.size;
      filter.clear();
    }
  }
}

function isEmpty(batch: Batch): boolean {
  return batch.ops.length === 0 && batch.dropped === undefined && batch.writer === undefined;
}

/** A character takes at most three bytes, so short texts need not be measured. */
function isTooLong(text: string): boolean {
  return text.length > MAX_BATCH_BYTES / 3 && Buffer.byteLength(text) > MAX_BATCH_BYTES;
}
