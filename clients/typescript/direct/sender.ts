/**
 * Direct mode: ops wait in memory and are sent to `POST /api/ingest` as a lane of their own, exactly once in effect. One
 * request at a time; a batch keeps its bounds until it is answered, so that sending it again is the same batch.
 */
import type { Writer } from "../../../src/core/wire.ts";
import { newId } from "../id.ts";
import * as limits from "../limits.ts";
import { jsonOf } from "../encode/values.ts";
import { add, type Counts, type Kind, type Outlet } from "../session/sink.ts";
import { post, type Reply } from "./post.ts";
import { Session } from "../session/session.ts";
import type { OpenOptions } from "../settings.ts";

/** One op: its sequence in the lane, and its JSON. */
export type Entry = { sequence: number; kind: Kind; text: string };

/** All of a lane that waits; sequences that have no entry were dropped, and `lost` counts those that the server was not told of. */
export type Chunk = {
  session: string;
  url: string;
  lane: string;
  first: number;
  last: number;
  entries: Entry[];
  lost: Counts;
};

/** A memory that outlives this one: the browser's. It holds a lane's chunk as it was last. */
export type Keeper = {
  /** In place of what was kept of the lane before. */
  keep(chunk: Chunk): void;
  /** If the lane's chunk ends by here, it is not needed any more. */
  release(lane: string, upTo: number): void;
};

/** A session of this page, or a chunk that an earlier page could not send. */
export type SenderOptions = (Pick<Chunk, "session" | "url"> & Partial<Chunk>) & {
  key?: string | undefined;
  writer: Writer;
  keeper?: Keeper | undefined;
  random?: () => number;
};

export type Sender = Outlet & {
  /** Everything that fits into one last request, to be sent by means that outlive the page. */
  farewell(): string | undefined;
};

/** A batch on its way, and all that was lost until then. */
type Flight = { first: number; last: number; count: number; lost: Counts; text: string };

const URGENT = /start|end|exception/;
/** The ops themselves are at fault; every other error may pass. */
const FAULTY = /400|413|invalid_body|not_finite|too_(deep|large|many_keys)/;

export function startSender(options: SenderOptions): Sender {
  const { session, url, key, writer, keeper, random = Math.random } = options;
  const { first = 1, last = 0, entries = [], lost = {} } = options;
  let isClosed = options.lane !== undefined;
  // Of another page's session nothing is promised, nor taken back: that page may be open beside this one.
  const leaseMs = isClosed ? undefined : limits.DIRECT_LEASE_MS;
  let lane = options.lane ?? newId();
  let queue = entries;
  let count = queue.length;
  let bytes = queue.reduce((sum, { text }) => sum + text.length, 0);
  let sequence = last;
  let applied = first - 1;
  let kept = last;
  /** What of it the server knows. */
  let told: Counts = {};

  let flight: Flight | undefined;
  let isSending = false;
  let maxOps = limits.SEND_OPS;
  let failures = 0;
  let flushMs = limits.FLUSH_MS;
  let notBefore = 0;
  let heardAt = Infinity;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let timerAt = Infinity;
  const onIdle: (() => void)[] = [];

  async function send(): Promise<void> {
    if (isSending) return;
    isSending = true;
    keep();
    while ((flight ??= board()) && digest(flight, await post(url, key, bodyOf(flight.text))));
    isSending = false;
    if (waiting() === 0) {
      for (const done of onIdle.splice(0)) done();
    }
    if (!isClosed) schedule(limits.KEEP_ALIVE_MS);
  }

  /** The next batch: ops, or the news that some were lost, or from time to time only a word, lest silence be taken for absence. */
  function board(maxLength = limits.SEND_LENGTH, skip = 0, after = applied): Flight | undefined {
    const ops: string[] = [];
    let last = sequence;
    for (const entry of queue.slice(skip)) {
      maxLength -= entry.text.length;
      if (ops.length === maxOps || (maxLength < 0 && ops.length + skip > 0)) {
        last = entry.sequence - 1;
        break;
      }
      ops.push(entry.text);
    }
    const dropped = untold(flight?.lost);
    const isQuiet = isClosed || Date.now() - heardAt < limits.KEEP_ALIVE_MS;
    if (last <= after && !dropped && isQuiet) return undefined;

    const first = after + 1;
    const head = jsonOf({
      session,
      lane,
      first,
      last,
      writer: first > 1 ? undefined : writer,
      dropped,
      lease_ms: leaseMs,
    });
    const text = `${head.slice(0, -1)},"ops":[${ops.join()}]}`;
    return { text, first, last, count: ops.length, lost: { ...lost } };
  }

  /** Says whether to go on at once. */
  function digest(
    sent: Flight,
    { status, results, slow_down_ms = 0, retryAfterMs }: Reply,
  ): boolean {
    const result = results?.find((each) => each.lane === lane);
    const code = result ? (result.error?.code ?? "") : String(status);
    if (result && !code) {
      heardAt = Date.now();
      told = sent.lost;
      failures = 0;
      maxOps = limits.SEND_OPS;
      flushMs = result.watched ? limits.WATCHED_FLUSH_MS : limits.FLUSH_MS;
      arrived(result.applied);
      return slow_down_ms === 0 || hold(slow_down_ms);
    }
    if (code === "gone") {
      add(lost, "refused", count);
      told = lost;
      arrived(sequence);
      isClosed = true;
      return false;
    }
    if (result && code.startsWith("lane_")) {
      // Sent before in other bounds, by a page that is gone; or the server was restored from before we began.
      if (result.applied >= sent.first) arrived(result.applied);
      else startAgain();
      return true;
    }
    return FAULTY.test(code) ? split(sent) : retry(retryAfterMs);
  }

  function arrived(upTo: number): void {
    drop((entry) => entry.sequence <= upTo);
    applied = Math.min(upTo, sequence);
    flight = undefined;
    keeper?.release(lane, applied);
  }

  /** What the server has no place for goes into a new lane. */
  function startAgain(): void {
    keeper?.release(lane, Infinity);
    lane = newId();
    queue.forEach((entry, index) => (entry.sequence = index + 1));
    sequence = count;
    applied = kept = 0;
    flight = undefined;
  }

  /** Half of it, to come closer to the op that the server does not take; when that is alone, it is let go. */
  function split({ count }: Flight): boolean {
    if (count === 0) return retry(limits.LONGEST_RETRY_MS);
    flight = undefined;
    maxOps = Math.ceil(count / 2);
    if (count === 1)
      add(
        lost,
        "refused",
        drop((_, index) => index === 0),
      );
    return true;
  }

  /** Waits twice as long each time, not all at the same moment, and not shorter than the server asks. */
  function retry(atLeastMs = 0): false {
    const most = Math.min(limits.RETRY_MS * 2 ** failures++, limits.LONGEST_RETRY_MS);
    return hold(Math.max((most / 2) * (1 + random()), atLeastMs));
  }

  function hold(delayMs: number): false {
    notBefore = Date.now() + delayMs;
    timerAt = Infinity; // an earlier one gives way
    schedule(0);
    return false;
  }

  function schedule(delayMs: number): void {
    const now = Date.now();
    const at = Math.max(now + delayMs, notBefore);
    if (at >= timerAt) return;
    clearTimeout(timer);
    timerAt = at;
    timer = setTimeout(() => {
      timerAt = Infinity;
      void send(); // never rejects
    }, at - now);
    // In Node a timer keeps the program running; this one must not. In browsers it is a number.
    timer.unref?.();
  }

  /** Frees a tenth, oldest metrics first, so that this is not done for each op of a long outage. */
  function makeRoom(): void {
    const onItsWay = flight?.count ?? 0;
    for (const expendable of [/metric/, /^(?!start|end)/])
      add(
        lost,
        "queue_full",
        drop(({ kind }, index) => index >= onItsWay && expendable.test(kind) && isFull(0.9)),
      );
  }

  function isFull(share: number): boolean {
    return count > limits.QUEUE_OPS * share || bytes > limits.QUEUE_BYTES * share;
  }

  /** Takes entries off the queue, oldest first; answers how many. */
  function drop(isDropped: (entry: Entry, index: number) => boolean): number {
    const before = count;
    queue = queue.filter((entry, index) => {
      if (!isDropped(entry, index)) return true;
      bytes -= entry.text.length;
      count--;
      return false;
    });
    return before - count;
  }

  function untold(known = told): Counts | undefined {
    let counts: Counts | undefined;
    for (const cause of Object.keys(lost)) {
      const news = (lost[cause] ?? 0) - (known[cause] ?? 0);
      if (news > 0) counts = { ...counts, [cause]: news };
    }
    return counts;
  }

  function keep(): void {
    if (kept === sequence) return;
    keeper?.keep({
      session,
      url,
      lane,
      first: applied + 1,
      last: sequence,
      entries: [...queue],
      lost: { ...untold() },
    });
    kept = sequence;
  }

  /** Ops not known to be at the server; losses not told yet count as one. */
  function waiting(): number {
    return count + Number(untold() !== undefined);
  }

  return {
    write(kind, at, text) {
      const op = `{"at":${at},${text}`;
      queue.push({ sequence: ++sequence, kind, text: op });
      bytes += op.length;
      count++;
      if (isFull(1)) makeRoom();
      schedule(URGENT.test(kind) ? 0 : flushMs);
    },
    flush(timeoutMs = limits.FLUSH_TIMEOUT_MS) {
      return new Promise((resolve) => {
        const giveUp = setTimeout(resolve, timeoutMs);
        onIdle.push(() => clearTimeout(giveUp), resolve);
        void send(); // never rejects
      });
    },
    close() {
      isClosed = true;
    },
    waiting,
    losses: () => lost,
    farewell() {
      keep();
      flight ??= board(limits.FAREWELL_LENGTH);
      if (!flight) return undefined;
      hold(limits.RETRY_MS); // should the page go on after all
      const { count, last, text } = flight;
      const rest = board(limits.FAREWELL_LENGTH - text.length, count, last);
      return bodyOf(rest?.count ? `${text},${rest.text}` : text);
    },
  };
}

function bodyOf(batches: string): string {
  return `{"sent_at":${Date.now()},"batches":[${batches}]}`;
}

/** A session that sends for itself, and how to have its last words when there is no time to send them. */
export function openDirect(
  options: OpenOptions & { url: string },
  writer: Writer,
): { session: Session; sender: Sender } {
  const { url, key, session: joined } = options;
  const id = joined ?? newId();
  const sender = startSender({ session: id, url, key, writer });
  return { session: new Session(id, url, options, sender, joined !== undefined), sender };
}
