/** What the server's answer to a batch changes in its queue. Pure. */
import { newId } from "../id.ts";
import { add } from "../session/sink.ts";
import {
  BATCH_BYTES,
  LEASE_RENEWAL_MS,
  REFUSED_PAUSE_MS,
  RETRY_FIRST_MS,
  RETRY_JITTER_PERCENT,
  RETRY_LONGEST_MS,
  WATCHED_GATHER_MS,
} from "./limits.ts";
import type { Reply } from "./post.ts";
import { acknowledge, drop, nextBatch, type Batch, type Queue } from "./queue.ts";

/** HTTP statuses and error codes of errors in the ops themselves. After any other error the same ops are sent again. */
const REFUSED = /400|413|invalid_body|not_finite|too_(deep|large|many_keys)/;

/** `random` (0 to 1) shortens a pause, so that many programs do not return at the same moment. */
export function applyAnswer(
  queue: Queue,
  { count, lost }: Batch,
  { status, results, slow_down_ms = 0, retryAfterMs = 0 }: Reply,
  now: number,
  random: number,
): void {
  const result = results?.[0];
  const { applied = 0, watched, error } = result ?? { error: { code: `${status}` } };
  if (!error) {
    queue.failures = 0;
    if (watched) {
      queue.gatherUntil = 0;
      if (queue.entries.length > count)
        queue.dueAt = Math.min(queue.dueAt, now + WATCHED_GATHER_MS);
    }
    if (!queue.isClosed) queue.dueAt = Math.min(queue.dueAt, now + LEASE_RENEWAL_MS);
    queue.resumeAt = now + slow_down_ms;
    queue.reported = lost;
    return acknowledge(queue, applied);
  }

  const { code } = error;
  queue.dueAt = 0;
  if (code === "gone") {
    // The server will accept nothing of this session again.
    add(queue.lost, "refused", queue.entries.length);
    queue.reported = queue.lost;
    acknowledge(queue, queue.last);
  } else if (code.startsWith("lane_")) {
    // An earlier page sent a part of it in another batch, and the server has applied that.
    if (applied > queue.applied) return acknowledge(queue, applied);
    // The server's storage was restored to a time before this lane, so the remaining ops continue in a new lane.
    queue.lane = newId();
    queue.last = 0;
    for (const entry of queue.entries) entry.sequence = ++queue.last;
    acknowledge(queue, 0);
  } else if (REFUSED.test(code) && count > 0) {
    // Halves the batch until the refused op is alone, then drops it.
    queue.resumeAt = now + REFUSED_PAUSE_MS;
    if (count === 1)
      add(
        queue.lost,
        "refused",
        drop(queue, (_, index) => index === 0),
      );
    queue.batch = nextBatch(queue, BATCH_BYTES, Math.ceil(count / 2));
  } else {
    const longestMs = Math.min(RETRY_FIRST_MS * 2 ** queue.failures++, RETRY_LONGEST_MS);
    const pauseMs = longestMs * (1 - (random * RETRY_JITTER_PERCENT) / 100);
    queue.resumeAt = now + Math.max(pauseMs, retryAfterMs);
  }
}
