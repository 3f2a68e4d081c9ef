/**
 * Sends what is due, one request at a time to each server, and draws the consequences of its answers. Nothing is kept that is not
 * in a lane: after any failure the same records are read again.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DAEMON_LEASE_MS, MAX_BATCH_BYTES, MAX_BATCHES } from "../../src/core/limits.ts";
import type { Batch, BatchResult } from "../../src/core/wire.ts";
import { build, type Built, keepalive } from "./batcher.ts";
import type { Lane, Lanes } from "../lanes/lanes.ts";
import {
  FAILURES_BEFORE_SMALLER,
  FIRST_REQUEST_BYTES,
  MAX_REQUEST_BYTES,
  MIN_REQUEST_BYTES,
} from "../limits.ts";
import { type Log, reason } from "../log.ts";
import { retryDelay } from "./retry.ts";
import { dueAt, keepaliveAt } from "./schedule.ts";
import type { Answer, Uploader } from "./uploader.ts";

export type SenderOptions = {
  lanes: Lanes;
  uploader: Uploader;
  log: Log;
  dead: string;
  /** Where lanes go that name no server. */
  server: string;
  calmMs: number;
  /** Waiting is by a clock that never jumps; only `sent_at` is the time of day. */
  monotonic: () => number;
  now: () => number;
  random: () => number;
  /** Something was acknowledged. */
  acknowledged: () => void;
};

/** What is known of one server. */
type Server = {
  isBusy: boolean;
  failures: number;
  notBefore: number;
  requestBytes: number;
  /** The last answer, if it was one; nothing before the first. */
  isReachable: boolean | undefined;
};

type Sent = { lane: Lane; built: Built | undefined; text: string };

export class Sender {
  readonly #options: SenderOptions;
  readonly #servers = new Map<string, Server>();
  readonly #waiting = new Set<{ isDone: () => boolean; resolve: (done: boolean) => void }>();
  /** Counts for `datacat daemon status`. */
  readonly totals = { requests: 0, bytes: 0, batches: 0, ops: 0, refused: 0, lastOkAt: 0 };

  /** When a server last took something. */
  acceptedAt = Number.NEGATIVE_INFINITY;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  serverOf(lane: Lane): string {
    return lane.header.server === ""
      ? this.#options.server
      : lane.header.server.replace(/\/+$/, "");
  }

  /** Whether a server took the last request; undefined if it was never asked. */
  isReachable(server: string): boolean | undefined {
    return this.#servers.get(server)?.isReachable;
  }

  /** Starts a request to every server that something is due for. */
  pump(): void {
    const byServer = Map.groupBy(this.#options.lanes.all.values(), (lane) => this.serverOf(lane));
    for (const [server, lanes] of byServer) {
      const state = this.#state(server);
      if (state.isBusy || state.notBefore > this.#options.monotonic()) continue;
      const sent = this.#assemble(lanes, state);
      if (sent.length === 0) continue;
      state.isBusy = true;
      void this.#send(server, state, sent); // never rejects
    }
  }

  /** When something will be due, for sleeping until then. */
  nextAt(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const lane of this.#options.lanes.all.values()) {
      const state = this.#state(this.serverOf(lane));
      if (!state.isBusy) next = Math.min(next, Math.max(state.notBefore, this.#dueAt(lane)));
    }
    return next;
  }

  /** Sends all there is of a session, or of every session, now. Answers whether the server has it, before the time is up. */
  flush(session: string | undefined, timeoutMs: number): Promise<boolean> {
    this.#options.lanes.scan(this.#options.monotonic());
    const goals = [...this.#options.lanes.all.values()]
      .filter((lane) => session === undefined || lane.session === session)
      .map((lane) => {
        lane.look(this.#options.monotonic());
        if (lane.isPending) lane.isUrgent = true;
        return { lane, part: lane.tail.part, offset: lane.tail.offset };
      });
    const isDone = () =>
      goals.every(({ lane, part, offset }) => {
        if (this.#options.lanes.all.get(lane.lane) !== lane) return true;
        const { position } = lane;
        return position.part > part || (position.part === part && position.offset >= offset);
      });
    if (isDone()) return Promise.resolve(true);
    for (const server of new Set(goals.map(({ lane }) => this.serverOf(lane)))) {
      // Someone is waiting for it, so one try more; but a server that answered and asked for patience gets it.
      const state = this.#state(server);
      if (state.isReachable === false) state.notBefore = 0;
    }
    this.pump();
    return new Promise((resolve) => {
      const waiter = {
        isDone,
        resolve: (done: boolean) => {
          clearTimeout(timer);
          this.#waiting.delete(waiter);
          resolve(done);
        },
      };
      const timer = setTimeout(() => waiter.resolve(isDone()), timeoutMs);
      this.#waiting.add(waiter);
    });
  }

  #state(server: string): Server {
    let state = this.#servers.get(server);
    if (!state) {
      state = {
        isBusy: false,
        failures: 0,
        notBefore: 0,
        requestBytes: FIRST_REQUEST_BYTES,
        isReachable: undefined,
      };
      this.#servers.set(server, state);
    }
    return state;
  }

  #dueAt(lane: Lane): number {
    const speaks = lane.header.role !== "facts" && this.#options.lanes.isLive(lane.session);
    return dueAt(lane, this.#options.calmMs, speaks);
  }

  /** The batches of one request: what is due, longest unheard first, and what would be due soon while there is room. */
  #assemble(lanes: Lane[], state: Server): Sent[] {
    const now = this.#options.monotonic();
    const due = lanes
      .map((lane) => ({ lane, at: this.#dueAt(lane) }))
      .filter(({ at }) => at <= now + this.#options.calmMs / 2)
      .toSorted(
        (a, b) =>
          order(a.lane) - order(b.lane) ||
          Number(a.at > now) - Number(b.at > now) ||
          a.lane.heardAt - b.lane.heardAt || // in turns: who always has much to say must not keep others from being heard
          a.at - b.at,
      );
    if (!due.some(({ at }) => at <= now)) return [];

    const sent: Sent[] = [];
    let room = state.requestBytes;
    for (const { lane } of due) {
      if (room <= 0 || sent.length >= MAX_BATCHES) break;
      const next = this.#tryBuild(lane, room);
      if (!next) continue;
      sent.push(next);
      room -= next.text.length;
    }
    return sent;
  }

  /** A lane that cannot be read must not keep the others from being sent. */
  #tryBuild(lane: Lane, room: number): Sent | undefined {
    try {
      return this.#build(lane, room);
    } catch (error) {
      this.#options.log.failed(`reading lane ${lane.lane}`, reason(error));
      lane.filter.forget();
      this.#delayLane(lane);
      return undefined;
    }
  }

  #build(lane: Lane, room: number): Sent | undefined {
    const { lanes, monotonic } = this.#options;
    const leaseMs = lanes.isLive(lane.session) ? DAEMON_LEASE_MS : undefined;
    let built = build(lane, { bytes: room, ...(leaseMs !== undefined && { leaseMs }) });
    if (!lane.isShared) {
      // A lane that another process has opened meanwhile may have changed the state before what was just read.
      lanes.scan(monotonic());
      if (lane.isShared) {
        lane.filter.forget();
        built = build(lane, { bytes: room, ...(leaseMs !== undefined && { leaseMs }) });
      }
    }
    const { batch } = built;
    if (!batch) {
      this.#advance(lane, built);
      if (leaseMs === undefined || keepaliveAt(lane) > monotonic()) return undefined;
      return { lane, built: undefined, text: JSON.stringify(keepalive(lane, leaseMs)) };
    }
    if (isQuiet(batch) && !lane.isOver && !lane.isUrgent && keepaliveAt(lane) > monotonic()) {
      // Nothing in it changed anything: it can wait for company, and is read again then.
      lane.filter.rollback();
      lane.pendingSince = monotonic();
      return undefined;
    }
    const text = JSON.stringify(batch);
    if (text.length > MAX_BATCH_BYTES / 3 && Buffer.byteLength(text) > MAX_BATCH_BYTES) {
      if (built.records > 1) {
        lane.filter.rollback();
        lane.maxRecords = Math.ceil(built.records / 2);
        return this.#build(lane, room);
      }
    }
    return { lane, built, text };
  }

  async #send(server: string, state: Server, sent: Sent[]): Promise<void> {
    const { uploader, now, log } = this.#options;
    const body = `{"sent_at":${now()},"batches":[${sent.map(({ text }) => text).join(",")}]}`;
    const answer = await uploader.ingest(server, body);
    try {
      this.totals.requests += 1;
      this.totals.bytes += body.length;
      this.#conclude(server, state, sent, answer, body.length);
      this.#options.acknowledged();
    } catch (error) {
      // A full disk, say. What was not noted will be sent again, and the server will know it.
      log.failed("noting what was sent", reason(error));
      this.#forget(sent);
      this.#delay(state, 0);
    } finally {
      state.isBusy = false;
    }
    for (const waiter of this.#waiting) {
      if (waiter.isDone()) waiter.resolve(true);
      else if (state.failures > 0) waiter.resolve(false);
    }
    this.pump();
  }

  #conclude(server: string, state: Server, sent: Sent[], answer: Answer, size: number): void {
    const { log, monotonic, now } = this.#options;
    if (answer.kind === "answered") {
      log.worked(`sending to ${server}`);
      state.isReachable = true;
      state.failures = 0;
      this.totals.lastOkAt = now();
      this.acceptedAt = monotonic();
      state.notBefore = monotonic() + (answer.answer.slow_down_ms ?? 0);
      if (size >= state.requestBytes / 2) {
        state.requestBytes = Math.min(state.requestBytes * 2, MAX_REQUEST_BYTES);
      }
      const results = new Map(answer.answer.results.map((result) => [result.lane, result]));
      for (const one of sent) this.#concludeBatch(one, results.get(one.lane.lane));
      return;
    }
    this.#forget(sent);
    log.failed(`sending to ${server}`, answer.message);
    if (answer.kind === "refused") {
      state.isReachable = true;
      if (answer.status === 413) return this.#shrink(state, sent, answer.message);
      // Only a Datacat server knows what is wrong with a body; a proxy's 400 says nothing about it.
      if (answer.status === 400 && answer.code !== undefined) {
        return this.#isolate(state, sent, answer.code, answer.message);
      }
    } else {
      state.isReachable = false;
    }
    this.#delay(state, answer.kind === "refused" ? (answer.retryAfterMs ?? 0) : 0);
    if (answer.kind === "refused" && state.failures >= FAILURES_BEFORE_SMALLER) {
      state.requestBytes = Math.max(MIN_REQUEST_BYTES, Math.floor(state.requestBytes / 2));
    }
  }

  #concludeBatch({ lane, built }: Sent, result: BatchResult | undefined): void {
    const { monotonic, log } = this.#options;
    if (!result) {
      lane.filter.rollback();
      this.#delayLane(lane);
      return;
    }
    lane.isWatched = result.watched ?? false;
    if (!result.error) {
      lane.heardAt = monotonic();
      if (lane.failures > 0) log.worked(`sending lane ${lane.lane}`);
      lane.failures = 0;
      lane.notBefore = 0;
      if (!built) return;
      this.totals.batches += 1;
      this.totals.ops += built.records;
      if (lane.maxRecords !== Number.POSITIVE_INFINITY) {
        lane.maxRecords =
          lane.maxRecords < 100_000 ? lane.maxRecords * 2 : Number.POSITIVE_INFINITY;
      }
      this.#advance(lane, built);
      if (result.applied > built.end.seq) lane.moveTo(result.applied);
      return;
    }
    lane.filter.rollback();
    this.#concludeError(lane, built, result.applied, result.error);
  }

  #concludeError(
    lane: Lane,
    built: Built | undefined,
    applied: number,
    error: { code: string; message: string },
  ): void {
    const { log, lanes } = this.#options;
    switch (error.code) {
      case "lane_gap":
      case "lane_overlap":
        lane.moveTo(applied);
        lane.isUrgent = true;
        // Told the same thing again and again, we would go in circles at full speed.
        if (++lane.failures > 3) this.#delayLane(lane);
        return;
      case "gone":
        log.write(
          `session ${lane.session} was deleted on the server: its lane ${lane.lane} is dropped`,
        );
        lanes.remove(lane);
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
        log.failed(`sending lane ${lane.lane}`, `${error.code}: ${error.message}`);
        this.#delayLane(lane);
    }
  }

  /** Halves the batch until what the server refuses stands alone; then parks it, and the rest goes on. */
  #narrow(lane: Lane, built: Built, error: { code: string; message: string }): void {
    lane.isUrgent = true;
    if (built.records > 1) {
      lane.maxRecords = Math.ceil(built.records / 2);
      return;
    }
    const seq = built.end.seq;
    if (lane.refusedSeq === seq) return this.#delayLane(lane); // it refuses even to hear that it was refused
    lane.refusedSeq = seq;
    this.totals.refused += 1;
    const letter = { session: lane.session, lane: lane.lane, seq, error, op: built.lastOp };
    const path = join(this.#options.dead, `${lane.lane}.${String(seq).padStart(9, "0")}.json`);
    writeFileSync(path, `${JSON.stringify(letter)}\n`, { mode: 0o600, flush: true });
    this.#options.log.write(`${error.code}: ${error.message} Parked in ${path}`);
  }

  /** The request was too large for something on the way. */
  #shrink(state: Server, sent: Sent[], message: string): void {
    const [only] = sent;
    if (state.requestBytes > MIN_REQUEST_BYTES || sent.length > 1) {
      state.requestBytes = Math.max(MIN_REQUEST_BYTES, Math.floor(state.requestBytes / 4));
      if (sent.length > 1) this.#delay(state, 0);
      return;
    }
    if (only?.built) this.#narrow(only.lane, only.built, { code: "too_large", message });
    else this.#delay(state, 0);
  }

  /** The server refuses the request as a whole: sent one by one, the batches show which it is. */
  #isolate(state: Server, sent: Sent[], code: string, message: string): void {
    const [only] = sent;
    if (sent.length === 1 && only?.built)
      return this.#narrow(only.lane, only.built, { code, message });
    state.requestBytes = MIN_REQUEST_BYTES;
    this.#delay(state, 0);
    // Lanes that wait for different times come in requests of their own.
    for (const [index, { lane }] of sent.entries()) lane.notBefore = state.notBefore + index * 50;
  }

  #forget(sent: Sent[]): void {
    for (const { lane } of sent) lane.filter.rollback();
  }

  #delay(state: Server, retryAfterMs: number): void {
    state.failures += 1;
    const { monotonic, random } = this.#options;
    state.notBefore = monotonic() + retryDelay(state.failures, random(), retryAfterMs);
  }

  #delayLane(lane: Lane): void {
    lane.failures += 1;
    const { monotonic, random } = this.#options;
    lane.notBefore = monotonic() + retryDelay(lane.failures, random());
  }

  #advance(lane: Lane, built: Built): void {
    lane.filter.commit();
    lane.position = built.end;
    if (built.isLast) lane.isRead = true;
    lane.pendingSince = lane.isPending ? this.#options.monotonic() : undefined;
    if (!lane.isPending) lane.isUrgent = false;
    this.#options.lanes.trim(lane);
  }
}

/** The daemon's own word comes after the program's, within a request as in time. */
function order(lane: Lane): number {
  return lane.header.role === "facts" ? 1 : 0;
}

function isQuiet(batch: Batch): boolean {
  return batch.ops.length === 0 && batch.dropped === undefined && batch.writer === undefined;
}
