/**
 * Direct mode: ops wait in memory and are sent to `POST /api/ingest` as a lane of their own, exactly once in effect. One
 * request at a time; a batch keeps its bounds until it is answered, so that sending it again is the same batch.
 */
import type { BatchResult, Writer } from "../../src/core/wire.ts";
import { jsonOf } from "./plain.ts";
import { newId } from "./id.ts";
import * as limits from "./limits.ts";
import { postTo, type Post, type Reply } from "./post.ts";
import { Recorder, type Kind, type Sink } from "./recorder.ts";
import { Session, type Outlet } from "./session.ts";
import type { Settings } from "./settings.ts";

/** One op: its sequence in the lane, and its JSON. */
export type Entry = { sequence: number; kind: Kind; text: string };

/** A memory that outlives this one, e.g. the browser's. */
export type Keeper = {
  /** New ops, and the sequences they cover (some were dropped). */
  keep(from: number, to: number, entries: readonly Entry[]): void;
  /** These are at the server. */
  release(upTo: number): void;
  /** The lane starts again under another id, or lost some of its ops. */
  reset(lane: string): void;
};

export type SenderOptions = {
  session: string;
  writer: Writer;
  post: Post;
  keeper?: Keeper | undefined;
  /** A lane found from before: its ops, and the first sequence that is not known to be at the server. */
  found?: { lane: string; first: number; last: number; entries: Entry[] };
  random?: () => number;
};

/** A batch on its way. */
type Flight = {
  first: number;
  last: number;
  count: number;
  lost: Map<string, number>;
  text: string;
};

const URGENT: readonly Kind[] = ["start", "exception", "end"];
/** What goes first when memory is full; the start goes never. */
const EXPENDABLE: readonly (readonly Kind[])[] = [
  ["metric"],
  ["heartbeat", "dropped"],
  ["state", "event", "exception"],
];

/** The ops themselves are at fault; everything else may pass. */
const SPLITTING = [
  "invalid_body",
  "invalid_json",
  "not_finite",
  "too_deep",
  "too_many_keys",
  "too_large",
];

export class Sender implements Sink, Outlet {
  readonly #options: SenderOptions;
  #lane: string;
  #queue: Entry[];
  #bytes = 0;
  #sequence: number;
  #applied: number;
  #kept: number;
  #lost = new Map<string, number>();
  #totalLost = new Map<string, number>();
  #flight: Flight | undefined;
  #isSending = false;
  #isClosed = false;
  #most = limits.SEND_OPS;
  #failures = 0;
  #flushMs = limits.FLUSH_MS;
  #notBefore = 0;
  #heardAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Infinity;
  readonly #waiters = new Set<() => void>();

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#lane = options.found?.lane ?? newId(Date.now());
    this.#queue = options.found?.entries ?? [];
    this.#sequence = options.found?.last ?? 0;
    this.#kept = this.#sequence;
    this.#applied = (options.found?.first ?? 1) - 1;
  }

  get lane(): string {
    return this.#lane;
  }

  write(kind: Kind, at: number, text: string): void {
    const op = `{"at":${at},${text}`;
    this.#queue.push({ sequence: ++this.#sequence, kind, text: op });
    this.#bytes += op.length;
    if (this.#queue.length > limits.QUEUE_OPS || this.#bytes > limits.QUEUE_BYTES) this.#makeRoom();
    this.#schedule(URGENT.includes(kind) ? 0 : this.#flushMs);
  }

  /** Ops not known to be at the server; what was lost and not told yet counts as one. */
  waiting(): number {
    const isUntold = this.#lost.size > 0 || (this.#flight?.lost.size ?? 0) > 0;
    return this.#queue.length + Number(isUntold);
  }

  losses(): { [cause: string]: number } {
    return Object.fromEntries(this.#totalLost);
  }

  /** Tries at once, and waits until all is sent or the time is up. */
  flush(timeoutMs: number = limits.FLUSH_TIMEOUT_MS): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, timeoutMs);
      const waiters = this.#waiters;
      function done(): void {
        clearTimeout(timer);
        waiters.delete(done);
        resolve();
      }
      waiters.add(done);
      void this.#send(); // never rejects
    });
  }

  close(): void {
    this.#isClosed = true;
  }

  /** Everything that fits into one last request: as it stands, to be sent by means that outlive the page. */
  farewell(): string | undefined {
    this.#keep();
    const flight = (this.#flight ??= this.#board());
    if (flight === undefined || flight.text.length > limits.FAREWELL_BYTES)
      return flight && this.#body(flight.text);
    const rest = this.#board(flight, limits.FAREWELL_BYTES - flight.text.length);
    return this.#body(rest === undefined ? flight.text : `${flight.text},${rest.text}`);
  }

  async #send(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    this.#keep();
    try {
      while ((this.#flight ??= this.#board() ?? this.#keepAlive()) !== undefined) {
        const reply = await this.#options.post(this.#body(this.#flight.text));
        if (!this.#digest(this.#flight, reply)) break;
      }
    } catch {
      this.#retry(); // a fetch that throws instead of failing
    }
    this.#isSending = false;
    if (this.waiting() === 0) for (const done of this.#waiters) done();
    if (!this.#isClosed) this.#schedule(limits.DIRECT_LEASE_MS / 3);
  }

  /** The next batch: ops from the head of the queue, or only the news that some were lost. */
  #board(after?: Flight, maxBytes = limits.SEND_BYTES): Flight | undefined {
    const start = after?.count ?? 0;
    let bytes = 0;
    let end = start;
    for (const entry of this.#queue.slice(start, start + this.#most)) {
      if (end > start && bytes + entry.text.length > maxBytes) break;
      if (after !== undefined && bytes + entry.text.length > maxBytes) break;
      bytes += entry.text.length;
      end++;
    }
    const lost = after === undefined ? this.#lost : new Map<string, number>();
    if (end === start && lost.size === 0) return undefined;

    if (after === undefined) this.#lost = new Map();
    const first = (after?.last ?? this.#applied) + 1;
    const last =
      end === this.#queue.length ? this.#sequence : (this.#queue[end - 1]?.sequence ?? first);
    const ops = this.#queue.slice(start, end).map((entry) => entry.text);
    return { first, last, count: end - start, lost, text: this.#batch(first, last, ops, lost) };
  }

  /** A word from time to time, or the server takes the silence for absence. */
  #keepAlive(): Flight | undefined {
    if (this.#isClosed || this.#applied === 0) return undefined;
    if (Date.now() - this.#heardAt < limits.DIRECT_LEASE_MS / 3) return undefined;
    const first = this.#applied + 1;
    const lost = new Map<string, number>();
    return {
      first,
      last: this.#applied,
      count: 0,
      lost,
      text: this.#batch(first, this.#applied, [], lost),
    };
  }

  #batch(first: number, last: number, ops: string[], lost: Map<string, number>): string {
    const { session, writer } = this.#options;
    return (
      `{"session":${jsonOf(session)},"lane":${jsonOf(this.#lane)},"first":${first},"last":${last},"ops":[${ops.join(",")}]` +
      (lost.size > 0 ? `,"dropped":${JSON.stringify(Object.fromEntries(lost))}` : "") +
      (first === 1 ? `,"writer":${jsonOf(writer)}` : "") +
      `,"lease_ms":${limits.DIRECT_LEASE_MS}}`
    );
  }

  #body(batches: string): string {
    return `{"sent_at":${Date.now()},"batches":[${batches}]}`;
  }

  /** Says whether to go on at once. */
  #digest(flight: Flight, reply: Reply): boolean {
    const result = reply.answer?.results.find((each) => each.lane === this.#lane);
    if (reply.status !== 200 || result === undefined) {
      if (reply.status === 413 || reply.status === 400) return this.#split(flight);
      return this.#retry(reply.retryAfterMs);
    }

    this.#heardAt = Date.now();
    this.#notBefore = Date.now() + (reply.answer?.slow_down_ms ?? 0);
    this.#flushMs = result.watched ? limits.WATCHED_FLUSH_MS : limits.FLUSH_MS;
    if (result.error !== undefined) return this.#refused(flight, result, result.error.code);

    this.#arrived(Math.max(flight.last, result.applied));
    this.#failures = 0;
    this.#most = Math.min(this.#most * 2, limits.SEND_OPS);
    if (reply.answer?.slow_down_ms) this.#schedule(0);
    return !reply.answer?.slow_down_ms;
  }

  #refused(flight: Flight, result: BatchResult, code: string): boolean {
    switch (code) {
      case "lane_overlap": // sent before in other bounds, by a page that is gone
      case "lane_gap":
        if (result.applied >= flight.first) this.#arrived(result.applied);
        else this.#startLaneAgain(flight);
        return true;
      case "gone":
        this.#giveUp();
        return false;
      default:
        return SPLITTING.includes(code) ? this.#split(flight) : this.#retry();
    }
  }

  #arrived(upTo: number): void {
    const left = this.#queue.findIndex((entry) => entry.sequence > upTo);
    const gone = this.#queue.splice(0, left === -1 ? this.#queue.length : left);
    for (const entry of gone) this.#bytes -= entry.text.length;
    this.#applied = Math.min(upTo, this.#sequence);
    this.#flight = undefined;
    this.#options.keeper?.release(this.#applied);
  }

  /** The server knows less of the lane than it once confirmed (restored from a backup): what is left goes into a new one. */
  #startLaneAgain(flight: Flight): void {
    this.#unboard(flight);
    this.#lane = newId(Date.now());
    this.#queue.forEach((entry, index) => (entry.sequence = index + 1));
    this.#sequence = this.#queue.length;
    this.#applied = 0;
    this.#keepAgain();
  }

  /** Half of it, to come closer to the op that the server does not take; when it is alone, it is let go. */
  #split(flight: Flight): boolean {
    this.#unboard(flight);
    if (flight.count > 1) {
      this.#most = Math.ceil(flight.count / 2);
      return true;
    }
    const [refused] = this.#queue.splice(0, flight.count);
    if (refused === undefined) return this.#retry(limits.LONGEST_RETRY_MS);
    this.#bytes -= refused.text.length;
    this.#lose("refused", 1);
    return true;
  }

  #unboard(flight: Flight): void {
    this.#flight = undefined;
    for (const [cause, count] of flight.lost)
      this.#lost.set(cause, (this.#lost.get(cause) ?? 0) + count);
  }

  /** Waits twice as long each time, not all at the same moment, and not shorter than the server asks. */
  #retry(atLeastMs = 0): false {
    const most = Math.min(limits.RETRY_MS * 2 ** this.#failures++, limits.LONGEST_RETRY_MS);
    const random = this.#options.random ?? Math.random;
    const delay = Math.max(most / 2 + (most / 2) * random(), atLeastMs);
    this.#notBefore = Date.now() + delay;
    this.#schedule(delay);
    return false;
  }

  #giveUp(): void {
    this.#lose("refused", this.#queue.length);
    this.#arrived(this.#sequence);
    this.#lost.clear();
    this.#isClosed = true;
  }

  #schedule(delayMs: number): void {
    const at = Math.max(Date.now() + delayMs, this.#notBefore);
    if (at >= this.#timerAt) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => {
      this.#timerAt = Infinity;
      if (Date.now() < this.#notBefore) this.#schedule(0); // asked to wait meanwhile
      else void this.#send(); // never rejects
    }, at - Date.now());
    // In Node a timer keeps the program running; this one must not. In browsers it is a number.
    if (typeof this.#timer === "object") this.#timer.unref();
  }

  /** Frees a tenth, so that this is not done for each op of a long outage. */
  #makeRoom(): void {
    const onItsWay = this.#flight?.count ?? 0;
    const before = this.#queue.length;
    for (const kinds of EXPENDABLE) {
      let gone = 0;
      this.#queue = this.#queue.filter((entry, index) => {
        const isFull =
          this.#queue.length - gone > limits.QUEUE_OPS * 0.9 ||
          this.#bytes > limits.QUEUE_BYTES * 0.9;
        if (!isFull || index < onItsWay || !kinds.includes(entry.kind)) return true;
        this.#bytes -= entry.text.length;
        gone++;
        return false;
      });
    }
    this.#lose("queue_full", before - this.#queue.length);
    this.#keepAgain();
  }

  #lose(cause: string, count: number): void {
    for (const counts of [this.#lost, this.#totalLost])
      counts.set(cause, (counts.get(cause) ?? 0) + count);
  }

  #keep(): void {
    if (this.#kept >= this.#sequence || this.#options.keeper === undefined) return;
    const fresh = this.#queue.filter((entry) => entry.sequence > this.#kept);
    this.#options.keeper.keep(this.#kept + 1, this.#sequence, fresh);
    this.#kept = this.#sequence;
  }

  #keepAgain(): void {
    this.#options.keeper?.reset(this.#lane);
    this.#kept = this.#applied;
  }
}

/** A session that sends for itself. */
export function openDirect(settings: Settings, writer: Writer, keeper?: Keeper): Session {
  const id = settings.session ?? newId(Date.now());
  const sender = new Sender({
    session: id,
    writer,
    post: postTo(settings.url, settings.key),
    keeper,
  });
  const recorder = new Recorder(sender, Date.now, settings.session !== undefined);
  recorder.start(settings.start);
  return new Session(id, settings.url, recorder, sender);
}
