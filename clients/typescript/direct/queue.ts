/**
 * A lane in memory: ops with consecutive sequences that wait to be acknowledged, bounded in number and bytes, with the count of those
 * that were dropped, and the time at which the next request is due. Functions on plain data: they send nothing and have no clock.
 * Times are milliseconds of a monotonic clock, but an op's own time.
 */
import type { Writer } from "../../../src/core/batch.ts";
import { utf8Length } from "../encode/cut.ts";
import { jsonOf } from "../encode/values.ts";
import { newId } from "../id.ts";
import { add, type Counts, type Kind } from "../session/sink.ts";
import {
  BATCH_BYTES,
  BATCH_OPS,
  FINAL_OPS_BYTES,
  GATHER_MS,
  LEASE_MS,
  QUEUE_BYTES,
  QUEUE_FREED_PERCENT,
  QUEUE_OPS,
  URGENT_OPS,
  WATCHED_GATHER_MS,
} from "./limits.ts";

export type Queue = {
  session: string;
  url: string;
  lane: string;
  writer: Writer;
  /** The last sequence that the server has applied, and the last one used. A sequence between them without an entry was dropped. */
  applied: number;
  last: number;
  entries: Entry[];
  /** Of all entries. */
  bytes: number;
  /** Ops that were dropped, by cause, and of those the ones that were reported to the server. */
  lost: Counts;
  reported: Counts;
  /** Sent and not answered: it keeps its bounds, so that a repeated request is the same batch. */
  batch?: Batch | undefined;
  /** No op follows, so the lease is not renewed. */
  isClosed?: boolean;
  /** When the entries are sent (0: at once) or, without entries, the lease is renewed. */
  dueAt: number;
  /** Before this time only urgent ops are sent: the last request was sent GATHER_MS before it. 0: a page shows the session live. */
  gatherUntil: number;
  /** No request is sent before this time: the last one failed, or the server asked for a pause. */
  resumeAt: number;
  /** Requests that failed since the last answer. */
  failures: number;
};

/** One op: its sequence in the lane, and its JSON. */
type Entry = { sequence: number; kind: Kind; text: string; bytes: number };

/** Consecutive ops as the JSON of one batch, with all that was lost until then. */
export type Batch = { last: number; count: number; lost: Counts; text: string };

export function newQueue(session: string, url: string, writer: Writer): Queue {
  return {
    session,
    url,
    lane: newId(),
    writer,
    applied: 0,
    last: 0,
    entries: [],
    bytes: 0,
    lost: {},
    reported: {},
    dueAt: Infinity,
    gatherUntil: 0,
    resumeAt: 0,
    failures: 0,
  };
}

/** Adds an op, and drops others if there is no room for it. `at` is the op's own time. */
export function append(queue: Queue, kind: Kind, at: number, text: string, now: number): void {
  const op = `{"at":${at},${text}`;
  const bytes = utf8Length(op);
  const count = queue.entries.push({ sequence: ++queue.last, kind, text: op, bytes });
  queue.bytes += bytes;
  const isUrgent = URGENT_OPS.includes(kind) || count >= BATCH_OPS || queue.bytes >= BATCH_BYTES;
  // The first op after a rest waits for a short time only: its answer shows whether a page of the session has been opened meanwhile.
  const gatheredAt = Math.max(now + WATCHED_GATHER_MS, queue.gatherUntil);
  queue.dueAt = isUrgent ? 0 : Math.min(queue.dueAt, gatheredAt);
  if (count > QUEUE_OPS || queue.bytes > QUEUE_BYTES) makeRoom(queue);
}

/** Ops that the server has not acknowledged; unreported losses count as one. */
export function waitingIn({ entries, lost, reported }: Queue): number {
  return entries.length + Number(newLosses(lost, reported) !== undefined);
}

/** When the next request is due; Infinity: there is nothing to send. */
export function nextRequestAt({ dueAt, resumeAt }: Queue): number {
  return Math.max(dueAt, resumeAt);
}

/** The unanswered batch, else the next one: ops, the counts of losses, or only the lease. Undefined if there is nothing to send. */
export function takeBatch(queue: Queue, now: number): Batch | undefined {
  const isRenewal = queue.dueAt > 0 && queue.dueAt <= now;
  const batch = (queue.batch ??= nextBatch(queue, BATCH_BYTES, BATCH_OPS, isRenewal));
  if (batch) queue.gatherUntil = now + GATHER_MS;
  if ((batch?.last ?? queue.last) === queue.last) queue.dueAt = Infinity;
  return batch;
}

/** Everything that fits into one last request, as the JSON of its batches: the unanswered batch, and one of what follows it. */
export function takeFinalBatches(queue: Queue): string | undefined {
  const batch = (queue.batch ??= nextBatch(queue, FINAL_OPS_BYTES));
  if (!batch) return undefined;
  const { text } = batch;
  const rest = nextBatch(queue, FINAL_OPS_BYTES - utf8Length(text), BATCH_OPS, false, batch);
  return rest?.count ? `${text},${rest.text}` : text;
}

/** The batch of what follows `before`, or of what is not acknowledged. */
export function nextBatch(
  queue: Queue,
  maxBytes: number,
  maxOps = BATCH_OPS,
  isRenewal = false,
  before?: Batch,
): Batch | undefined {
  const skipped = before?.count ?? 0;
  const first = (before?.last ?? queue.applied) + 1;
  const ops: string[] = [];
  let { last } = queue;
  for (const { sequence, text, bytes } of queue.entries.slice(skipped)) {
    maxBytes -= bytes;
    // An op that is longer than a batch is sent alone.
    if (ops.length === maxOps || (maxBytes < 0 && ops.length + skipped > 0)) {
      last = sequence - 1;
      break;
    }
    ops.push(text);
  }
  const reported = before?.lost ?? queue.reported;
  // The server refuses a batch whose sequences are not all accounted for, so each has the losses of its own range.
  const most = last === queue.last ? Infinity : last - first + 1 - ops.length;
  const dropped = newLosses(queue.lost, reported, most);
  if (last < first && !dropped && !isRenewal) return undefined;

  const bounds = jsonOf({
    session: queue.session,
    lane: queue.lane,
    first,
    last,
    writer: first > 1 ? undefined : queue.writer,
    dropped,
    lease_ms: queue.isClosed ? undefined : LEASE_MS,
  });
  const text = `${bounds.slice(0, -1)},"ops":[${ops.join()}]}`;
  const lost = { ...reported };
  for (const cause in dropped) add(lost, cause, dropped[cause] ?? 0);
  return { last, count: ops.length, lost, text };
}

/** The server has applied the lane up to this sequence. */
export function acknowledge(queue: Queue, applied: number): void {
  drop(queue, ({ sequence }) => sequence <= applied);
  queue.applied = Math.min(applied, queue.last);
  queue.batch = undefined;
}

/** Removes entries, oldest first; answers how many. */
export function drop(queue: Queue, isDropped: (entry: Entry, index: number) => boolean): number {
  const { length } = queue.entries;
  queue.entries = queue.entries.filter((entry, index) => {
    if (!isDropped(entry, index)) return true;
    queue.bytes -= entry.bytes;
    return false;
  });
  return length - queue.entries.length;
}

/**
 * Frees a share of a full queue, oldest ops first: metrics, then everything but the session's start and end. The unanswered batch stays
 * as it is.
 */
function makeRoom(queue: Queue): void {
  const unanswered = queue.batch?.count ?? 0;
  let excess = (queue.entries.length * QUEUE_FREED_PERCENT) / 100;
  for (const droppable of [/metric/, /^(?!start|end)/]) {
    const dropped = drop(
      queue,
      ({ kind }, index) =>
        index >= unanswered && droppable.test(kind) && (excess-- > 0 || queue.bytes > QUEUE_BYTES),
    );
    add(queue.lost, "queue_full", dropped);
  }
}

/** The losses that were not reported to the server yet, at most `most` of them. */
function newLosses(lost: Counts, reported: Counts, most = Infinity): Counts | undefined {
  let counts: Counts | undefined;
  for (const cause in lost) {
    const count = Math.min((lost[cause] ?? 0) - (reported[cause] ?? 0), most);
    if (count <= 0) continue;
    counts = { ...counts, [cause]: count };
    most -= count;
  }
  return counts;
}
