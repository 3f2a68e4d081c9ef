/** Sends what is due, one request at a time to each server, and acts on the answers. */
import { MAX_BATCHES } from "../../src/core/limits.ts";
import { serverUrl } from "../config.ts";
import type { Lane } from "../lanes/lane.ts";
import type { Growth } from "../lanes/tail.ts";
import {
  ISOLATED_STEP_MS,
  MAX_FILTERED_VALUES,
  MIN_REQUEST_BYTES,
  UNREADABLE_MS,
} from "../limits.ts";
import { reason } from "../log.ts";
import { LocalMaps } from "../sourcemaps/local.ts";
import {
  Outgoing,
  type OutgoingOptions,
  type Sent,
  type Totals,
  type Waiting,
} from "./outgoing.ts";
import * as pace from "./pace.ts";
import { inOrder } from "./schedule.ts";
import type { Answer, Uploader } from "./uploader.ts";

type SenderOptions = OutgoingOptions & {
  uploader: Uploader;
  /** The server of lanes whose header has none. */
  server: string;
  /** The time of day, for `sent_at` and the totals. */
  now: () => number;
  /** Called after each request whose answer moved a position. */
  acknowledged: () => void;
};

type Server = { isBusy: boolean; pace: pace.ServerPace; waiting?: Waiting };
type Waiter = { isDone: () => boolean; resolve: (isDone: boolean) => void };

export class Sender {
  readonly #options: SenderOptions;
  /** A lane's entry goes when the lane does. */
  readonly #outgoing = new WeakMap<Lane, Outgoing>();
  /** Until when a lane that could not be read is left out, by the monotonic clock. */
  readonly #unreadable = new WeakMap<Lane, number>();
  readonly #servers = new Map<string, Server>();
  readonly #waiters = new Set<Waiter>();
  readonly totals: Totals = {
    requests: 0,
    bytes: 0,
    batches: 0,
    ops: 0,
    refused: 0,
    lastOkAt: 0,
  };

  /** When a server last accepted a request, by the monotonic clock. */
  acceptedAt = Number.NEGATIVE_INFINITY;

  constructor(options: SenderOptions) {
    this.#options = { maps: new LocalMaps(options.monotonic), ...options };
  }

  serverOf(lane: Lane): string {
    return lane.header.server === "" ? this.#options.server : serverUrl(lane.header.server);
  }

  /** Whether a server answered the last request; undefined before the first. */
  isReachable(server: string): boolean | undefined {
    return this.#servers.get(server)?.pace.isReachable;
  }

  /** Whether no batch is due or on its way to a server, and it did not ask for a pause. */
  isIdle(url: string): boolean {
    const now = this.#options.monotonic();
    const { isBusy, pace } = this.#server(url);
    if (isBusy || pace.notBefore > now) return false;
    for (const lane of this.#options.lanes.all.values())
      if (this.serverOf(lane) === url && !this.#isUnreadable(lane) && this.#of(lane).dueAt() <= now)
        return false;
    return true;
  }

  /** The pause that the server asked for, of all lanes or, if some have one of their own, of the one whose pause ends first. */
  waitingFor(url: string): { message: string; ms: number } | undefined {
    const now = this.#options.monotonic();
    const lanes = [...this.#options.lanes.all.values()].filter(
      (lane) => this.serverOf(lane) === url,
    );
    const server = this.#servers.get(url)?.waiting;
    const [next] = [server, ...lanes.map((lane) => this.#of(lane).waiting())]
      .filter((each) => each !== undefined && each.until > now)
      .sort((one, other) => (one?.until ?? 0) - (other?.until ?? 0));
    return next && { message: next.message, ms: next.until - now };
  }

  /** A lane grew. */
  note(lane: Lane, growth: Growth): void {
    this.#of(lane).note(growth);
  }

  /** The writer's process is gone, so the rest of the lane is sent at once. */
  hurry(lane: Lane): void {
    this.#of(lane).hurry();
  }

  /** After a sleep every session's lease may have run out at the server, so each is contacted at once. */
  renewContact(): void {
    for (const lane of this.#options.lanes.all.values()) this.#of(lane).renewContact();
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
      if (server.isBusy || this.#isUnreadable(lane)) continue;
      next = Math.min(next, Math.max(server.pace.notBefore, this.#of(lane).dueAt()));
    }
    return next;
  }

  /** Sends all unsent records of one session, or of every session, now. Returns whether the server acknowledged them in time. */
  flush(session: string | undefined, timeoutMs: number): Promise<boolean> {
    const { lanes, tail, monotonic } = this.#options;
    lanes.scan(monotonic());
    const goals = [...lanes.all.values()]
      .filter((lane) => session === undefined || lane.session === session)
      .map((lane) => {
        this.#readEnd(lane);
        if (tail.isPending(lane)) this.#of(lane).hurry();
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

  #readEnd(lane: Lane): void {
    try {
      this.#options.tail.read(lane);
    } catch (error) {
      this.#options.log.failed(`reading lane ${lane.id}`, reason(error));
    }
  }

  #of(lane: Lane): Outgoing {
    let outgoing = this.#outgoing.get(lane);
    if (!outgoing) {
      outgoing = new Outgoing(lane, this.#options, this.totals);
      this.#outgoing.set(lane, outgoing);
    }
    return outgoing;
  }

  #server(url: string): Server {
    let server = this.#servers.get(url);
    if (!server) {
      server = { isBusy: false, pace: pace.NEW_SERVER };
      this.#servers.set(url, server);
    }
    return server;
  }

  /** The batches of one request. */
  #assemble(lanes: Lane[], server: Server): Sent[] {
    const { monotonic, batchMs } = this.#options;
    const candidates = lanes.flatMap((lane) => {
      if (this.#isUnreadable(lane)) return [];
      const outgoing = this.#of(lane);
      const { lastContactAt } = outgoing;
      const { isObservations } = lane;
      return [{ lane, outgoing, at: outgoing.dueAt(), lastContactAt, isObservations }];
    });
    const sent: Sent[] = [];
    let room = server.pace.requestBytes;
    for (const { lane, outgoing } of inOrder(candidates, monotonic(), batchMs)) {
      if (room <= 0 || sent.length >= MAX_BATCHES) break;
      const next = this.#tryBuild(lane, outgoing, room);
      if (!next) continue;
      sent.push(next);
      room -= next.text.length;
    }
    return sent;
  }

  /** A lane that can't be read is left for a while, so that the others are sent. */
  #tryBuild(lane: Lane, outgoing: Outgoing, room: number): Sent | undefined {
    try {
      return outgoing.build(room);
    } catch (error) {
      this.#unreadable.set(lane, this.#options.monotonic() + UNREADABLE_MS);
      this.#options.log.failed(`reading lane ${lane.id}`, reason(error));
      return undefined;
    }
  }

  #isUnreadable(lane: Lane): boolean {
    return (this.#unreadable.get(lane) ?? 0) > this.#options.monotonic();
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
    server.waiting = undefined;
    this.totals.lastOkAt = now();
    this.acceptedAt = monotonic();
    server.pace = pace.afterAccepted(server.pace, bytes, monotonic(), answer.slow_down_ms);
    const results = new Map(answer.results.map((result) => [result.lane, result]));
    for (const { outgoing, built } of sent) {
      outgoing.conclude(built, results.get(outgoing.lane.id));
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
    if (answer.kind === "refused" && answer.budget === "sessions_per_day") {
      // Only new sessions have to wait. Those that the server has go on.
      server.pace = { ...server.pace, isReachable: true };
      for (const { outgoing } of sent)
        outgoing.delay(answer.message, (answer.retryAfterMs ?? 0) / 1_000);
      return;
    }
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
        if (only.built) only.outgoing.narrow(only.built, { code: "too_large", message });
        else this.#delay(server);
        return;
      }
      server.pace = pace.afterTooLarge(server.pace, sent.length, now, random);
      return;
    }
    // Only a Datacat server judges the body: the 400 of a proxy has none of our codes.
    if (status === 400 && code !== undefined) {
      if (only?.built) {
        server.pace = { ...server.pace, isReachable: true };
        only.outgoing.narrow(only.built, { code, message });
        return;
      }
      server.pace = pace.afterBadBody(server.pace, now, random);
      // Lanes that are due at different times go in requests of their own, which show which batch is refused.
      for (const [index, { outgoing }] of sent.entries()) {
        outgoing.delayUntil(server.pace.notBefore + index * ISOLATED_STEP_MS);
      }
      return;
    }
    server.pace = pace.afterRefused(server.pace, now, random, retryAfterMs);
    server.waiting = status === 429 ? { message, until: server.pace.notBefore } : undefined;
  }

  #rollback(sent: Sent[]): void {
    for (const { outgoing } of sent) outgoing.rollback();
  }

  #delay(server: Server): void {
    const { monotonic, random } = this.#options;
    server.pace = pace.delayed(server.pace, monotonic(), random());
  }

  /** Bounds the memory of all filters together: the largest are cleared first. */
  #boundFilters(): void {
    const outgoing = [...this.#options.lanes.all.values()].map((lane) => this.#of(lane));
    let sum = outgoing.reduce((total, { filterSize }) => total + filterSize, 0);
    if (sum <= MAX_FILTERED_VALUES) return;
    for (const one of outgoing.toSorted((a, b) => b.filterSize - a.filterSize)) {
      if (sum <= MAX_FILTERED_VALUES) return;
      sum -= one.filterSize;
      one.clearFilter();
    }
  }
}
