/**
 * Direct mode: sends a queue to `POST /api/ingest`, exactly once in effect, one request at a time. `queue.ts` builds the batches and
 * decides when they are due, and `answer.ts` applies the server's answers; the clock, the timer and the request are here. The clock is the
 * monotonic one: if the time of day were set back, the next request would have to wait for it.
 */
import type { Writer } from "../../../src/core/batch.ts";
import { newId } from "../id.ts";
import type { Session } from "../session/session.ts";
import type { Sink } from "../session/sink.ts";
import type { OpenOptions } from "../settings.ts";
import { applyAnswer } from "./answer.ts";
import { LONGEST_DELAY_MS } from "../limits.ts";
import { FLUSH_TIMEOUT_MS } from "./limits.ts";
import { post } from "./post.ts";
import {
  append,
  newQueue,
  nextRequestAt,
  takeBatch,
  takeFinalBatches,
  waitingIn,
  type Queue,
} from "./queue.ts";

/** A store that outlives this program: the browser's. It holds the latest copy of each lane's queue. */
export type Keeper = {
  /** Replaces the lane's copy. */
  keep(queue: Queue): void;
  /** Removes the lane's copy if it ends at this sequence or before. */
  release(lane: string, upTo: number): void;
};

type Sender = Sink & {
  /** The body of one last request with everything that fits, to be sent by means that outlive the program; nothing if nothing waits. */
  finalBody(): string | undefined;
};

export function startSender(queue: Queue, key?: string, keeper?: Keeper): Sender {
  let isSending = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** Called when nothing waits any more. */
  const flushed: (() => void)[] = [];

  async function send(): Promise<void> {
    if (isSending) return;
    isSending = true;
    keep();
    do {
      const batch = takeBatch(queue, performance.now());
      if (!batch) break;
      const { lane, url } = queue;
      applyAnswer(
        queue,
        batch,
        await post(url, key, bodyOf(batch.text)),
        performance.now(),
        Math.random(),
      );
      keeper?.release(lane, lane === queue.lane ? queue.applied : Infinity);
    } while (nextRequestAt(queue) <= performance.now());
    isSending = false;
    if (waitingIn(queue) === 0) for (const done of flushed.splice(0)) done();
    arm();
  }

  /** Sets the timer for the next request, unless one is set for earlier. */
  function arm(): void {
    clearTimeout(timer);
    const at = nextRequestAt(queue);
    if (isSending || at === Infinity) return;
    const delayMs = Math.min(Math.max(at - performance.now(), 0), LONGEST_DELAY_MS);
    timer = setTimeout(send, delayMs); // never rejects
    // In Node a timer keeps the program running; this one must not. In browsers it is a number.
    timer.unref?.();
  }

  function keep(): void {
    // The copy does not renew the lease or end the session, because this program may continue the session.
    const { entries, lost } = queue;
    if (waitingIn(queue))
      keeper?.keep({
        ...queue,
        entries: [...entries],
        lost: { ...lost },
        resumeAt: 0,
        isClosed: true,
      });
  }

  return {
    write(kind, at, text) {
      append(queue, kind, at, text, performance.now());
      arm();
    },
    flush(timeoutMs = FLUSH_TIMEOUT_MS) {
      return new Promise((resolve) => {
        const timeout = setTimeout(resolve, timeoutMs);
        flushed.push(() => clearTimeout(timeout), resolve);
        queue.dueAt = 0;
        void send(); // never rejects
      });
    },
    close() {
      queue.isClosed = true;
    },
    waiting: () => waitingIn(queue),
    losses: () => queue.lost,
    finalBody() {
      keep();
      const batches = takeFinalBatches(queue);
      return batches && bodyOf(batches);
    },
  };
}

function bodyOf(batches: string): string {
  return `{"sent_at":${Date.now()},"batches":[${batches}]}`;
}

/** A session that sends its own ops, and its sender. */
export function openDirect<Opened extends Session>(
  Kind: new (...args: ConstructorParameters<typeof Session>) => Opened,
  options: OpenOptions & { url: string },
  writer: Writer,
): { session: Opened; sender: Sender } {
  const { url, key, session: joined } = options;
  const id = joined ?? newId();
  const sender = startSender(newQueue(id, url, writer), key);
  const session = new Kind(id, url, options, sender, joined !== undefined);
  session.key = key;
  return { session, sender };
}
