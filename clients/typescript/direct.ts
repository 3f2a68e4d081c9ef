/**
 * Direct mode: ops wait in memory and are sent to `POST /api/ingest` as a lane of their own, exactly once in effect. One
 * request at a time; a batch keeps its bounds until it is answered, so that sending it again is the same batch.
 */
import type { Writer } from "../../src/core/wire.ts";
import { newId } from "./id.ts";
import * as limits from "./limits.ts";
import { jsonOf } from "./plain.ts";
import { postTo, type Post, type Reply } from "./post.ts";
import type { Kind } from "./recorder.ts";
import { Session, type Outlet } from "./session.ts";
import type { OpenOptions } from "./settings.ts";

/** One op: its sequence in the lane, and its JSON. */
export type Entry = { sequence: number; kind: Kind; text: string };

/** All of a lane that waits; sequences that have no entry were dropped. */
export type Chunk = { lane: string; first: number; last: number; entries: Entry[] };

/** A memory that outlives this one: the browser's. It holds a lane's chunk as it was last. */
export type Keeper = {
  /** In place of what was kept of the lane before. */
  keep(chunk: Chunk): void;
  /** If the lane's chunk ends by here, it is not needed any more. */
  release(lane: string, upTo: number): void;
};

export type SenderOptions = {
  session: string;
  writer: Writer;
  post: Post;
  keeper?: Keeper | undefined;
  /** What an earlier page could not send, and how much of it had to be given up. */
  found?: (Chunk & { lost: number }) | undefined;
  random?: () => number;
};

export type Sender = Outlet & {
  /** Everything that fits into one last request, to be sent by means that outlive the page. */
  farewell(): string | undefined;
};

type Counts = { [cause: string]: number };

/** A batch on its way, and all that was lost until then. */
type Flight = { first: number; last: number; count: number; lost: Counts; text: string };

const URGENT: readonly Kind[] = ["start", "exception", "end"];
/** The ops themselves are at fault; every other error may pass. */
const FAULTY = ["invalid_body", "not_finite", "too_deep", "too_many_keys", "too_large"];

export function startSender(options: SenderOptions): Sender {
  const { session, writer, post, keeper, found, random = Math.random } = options;
  let lane = found?.lane ?? newId(Date.now());
  let queue = found?.entries ?? [];
  let bytes = queue.reduce((sum, { text }) => sum + text.length, 0);
  let sequence = found?.last ?? 0;
  let applied = (found?.first ?? 1) - 1;
  let kept = sequence;
  const lost: Counts = found?.lost ? { queue_full: found.lost } : {};
  /** What of it the server knows. */
  let told: Counts = {};

  let flight: Flight | undefined;
  let isSending = false;
  let isClosed = found !== undefined;
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
    while ((flight ??= board()) && digest(flight, await post(bodyOf(flight.text))));
    isSending = false;
    if (waiting() === 0) {
      for (const done of onIdle.splice(0)) done();
    }
    if (!isClosed) schedule(limits.KEEP_ALIVE_MS);
  }

  /** The next batch: ops, or the news that some were lost, or from time to time only a word, lest silence be taken for absence. */
  function board(skip = 0, after = applied, maxBytes = limits.SEND_BYTES): Flight | undefined {
    const ops: string[] = [];
    let last = sequence;
    for (const entry of queue.slice(skip)) {
      maxBytes -= entry.text.length;
      if (ops.length === maxOps || (maxBytes < 0 && ops.length + skip > 0)) {
        last = entry.sequence - 1;
        break;
      }
      ops.push(entry.text);
    }
    const dropped = untold(flight?.lost);
    const isDue = !isClosed && Date.now() - heardAt >= limits.KEEP_ALIVE_MS;
    if (last <= after && !dropped && !isDue) return undefined;

    const first = after + 1;
    const head = jsonOf({
      session,
      lane,
      first,
      last,
      writer: first > 1 ? undefined : writer,
      dropped,
      lease_ms: found ? 0 : limits.DIRECT_LEASE_MS, // nobody speaks for a page that is gone
    });
    const text = `${head.slice(0, -1)},"ops":[${ops.join()}]}`;
    return { first, last, count: ops.length, lost: { ...lost }, text };
  }

  /** Says whether to go on at once. */
  function digest(
    sent: Flight,
    { status, results, slow_down_ms = 0, retryAfterMs }: Reply,
  ): boolean {
    const result = results?.find((each) => each.lane === lane);
    if (!result) return status === 413 || status === 400 ? split(sent) : retry(retryAfterMs);

    const code = result.error?.code ?? "";
    heardAt = Date.now();
    if (!code) {
      told = sent.lost;
      failures = 0;
      maxOps = limits.SEND_OPS;
      flushMs = result.watched ? limits.WATCHED_FLUSH_MS : limits.FLUSH_MS;
      arrived(Math.max(sent.last, result.applied));
      notBefore = heardAt + slow_down_ms;
      if (slow_down_ms > 0 && waiting() > 0) schedule(0);
      return slow_down_ms === 0;
    }
    if (code === "gone") {
      lose("refused", queue.length);
      told = lost;
      arrived(sequence);
      isClosed = true;
      return false;
    }
    if (code.startsWith("lane_")) {
      // Sent before in other bounds, by a page that is gone; or the server was restored from before we began.
      if (result.applied >= sent.first) arrived(result.applied);
      else startAgain();
      return true;
    }
    return FAULTY.includes(code) ? split(sent) : retry();
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
    lane = newId(Date.now());
    queue.forEach((entry, index) => (entry.sequence = index + 1));
    sequence = queue.length;
    applied = kept = 0;
    flight = undefined;
  }

  /** Half of it, to come closer to the op that the server does not take; when that is alone, it is let go. */
  function split({ count }: Flight): boolean {
    if (count === 0) return retry(limits.LONGEST_RETRY_MS);
    flight = undefined;
    maxOps = Math.ceil(count / 2);
    if (count === 1)
      lose(
        "refused",
        drop((_, index) => index === 0),
      );
    return true;
  }

  /** Waits twice as long each time, not all at the same moment, and not shorter than the server asks. */
  function retry(atLeastMs = 0): false {
    const most = Math.min(limits.RETRY_MS * 2 ** failures++, limits.LONGEST_RETRY_MS);
    notBefore = Date.now() + Math.max((most / 2) * (1 + random()), atLeastMs);
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
      if (Date.now() < notBefore) schedule(0); // asked to wait meanwhile
      else void send(); // never rejects
    }, at - now);
    // In Node a timer keeps the program running; this one must not. In browsers it is a number.
    timer.unref?.();
  }

  /** Frees a tenth, oldest metrics first, so that this is not done for each op of a long outage. */
  function makeRoom(): void {
    const onItsWay = flight?.count ?? 0;
    let left = queue.length;
    const giveUp = (isExpendable: (kind: Kind) => boolean) =>
      drop(({ kind }, index) => {
        const isFull = left > limits.QUEUE_OPS * 0.9 || bytes > limits.QUEUE_BYTES * 0.9;
        const goes = isFull && index >= onItsWay && isExpendable(kind);
        if (goes) left--;
        return goes;
      });
    const metrics = giveUp((kind) => kind === "metric");
    lose("queue_full", metrics + giveUp((kind) => kind !== "start" && kind !== "end"));
  }

  /** Takes entries off the queue, oldest first; answers how many. */
  function drop(isDropped: (entry: Entry, index: number) => boolean): number {
    const before = queue.length;
    queue = queue.filter((entry, index) => {
      const goes = isDropped(entry, index);
      if (goes) bytes -= entry.text.length;
      return !goes;
    });
    return before - queue.length;
  }

  function lose(cause: string, count: number): void {
    lost[cause] = (lost[cause] ?? 0) + count;
  }

  function untold(known = told): Counts | undefined {
    let counts: Counts | undefined;
    for (const [cause, count] of Object.entries(lost)) {
      const news = count - (known[cause] ?? 0);
      if (news > 0) counts = { ...counts, [cause]: news };
    }
    return counts;
  }

  function keep(): void {
    if (kept === sequence) return;
    keeper?.keep({ lane, first: applied + 1, last: sequence, entries: [...queue] });
    kept = sequence;
  }

  /** Ops not known to be at the server; losses not told yet count as one. */
  function waiting(): number {
    return queue.length + Number(untold() !== undefined);
  }

  return {
    write(kind, at, text) {
      const op = `{"at":${at},${text}`;
      queue.push({ sequence: ++sequence, kind, text: op });
      bytes += op.length;
      if (queue.length > limits.QUEUE_OPS || bytes > limits.QUEUE_BYTES) makeRoom();
      schedule(URGENT.includes(kind) ? 0 : flushMs);
    },
    flush(timeoutMs = limits.FLUSH_TIMEOUT_MS) {
      return new Promise((resolve) => {
        const giveUp = setTimeout(resolve, timeoutMs);
        onIdle.push(() => {
          clearTimeout(giveUp);
          resolve();
        });
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
      flight ??= board();
      if (!flight) return undefined;
      const { count, last, text } = flight;
      const rest = board(count, last, limits.FAREWELL_BYTES - text.length);
      return bodyOf(rest?.count ? `${text},${rest.text}` : text);
    },
  };
}

function bodyOf(batches: string): string {
  return `{"sent_at":${Date.now()},"batches":[${batches}]}`;
}

/** A session that sends for itself. */
export function openDirect(options: OpenOptions & { url: string }, writer: Writer): Session {
  const { url, key, session: joined } = options;
  const session = joined ?? newId(Date.now());
  const sender = startSender({ session, writer, post: postTo(url, key) });
  return new Session(session, url, options, sender, joined !== undefined);
}
