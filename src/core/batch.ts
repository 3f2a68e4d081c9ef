/** The batches that carry ops (wire.ts) to the server, and what it answers. They are JSON, as the ops are. */
import * as v from "valibot";
import { MAX_BATCH_AGGREGATED, MAX_BATCH_OPS, MAX_BATCHES, MAX_SEQUENCE } from "./limits.ts";
import { count, Id, losses, name, text, time } from "./wire-fields.ts";
import { Op } from "./wire.ts";

/** The process that writes a lane: in the lane's header, and in the lane's first batch to the server. */
export const Writer = v.object({
  program: v.optional(text), // its file name or command
  arguments: v.optional(v.array(text)),
  language: v.optional(name), // "python 3.13.0"
  client: v.optional(name), // "datacat-python 2.0.0"
  pid: v.optional(v.pipe(v.number(), v.integer())),
  pid_started: v.optional(text), // start time of the process in the system's format; only compared for equality
  parent_pid: v.optional(v.pipe(v.number(), v.integer())),
  thread: v.optional(v.pipe(v.number(), v.integer())), // a worker thread, by its number in /proc/PID/task
  machine_id: v.optional(name),
  boot_id: v.optional(name),
  hostname: v.optional(name),
  os: v.optional(name), // "linux x64"
  user: v.optional(name),
});

/**
 * Consecutive records of one lane. The object applies each sequence once: `first` must be the next expected sequence; a batch that
 * was already applied is answered as applied; any other is refused with the sequence applied so far. Records that the daemon
 * aggregated, filtered or lost keep their sequences, so there may be fewer `ops` than sequences, but none without an account of it:
 * the range is at most as long as the ops (each of the `points` counts), `dropped`, the `sequences` of `dropped` ops and
 * `aggregated` together. With `first` = `last` + 1 and no ops, a batch only renews the lease.
 */
export const Batch = v.object({
  session: Id,
  lane: Id,
  first: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_SEQUENCE)),
  last: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_SEQUENCE)),
  ops: v.pipe(v.array(Op), v.maxLength(MAX_BATCH_OPS)),
  /** Records in the range that were lost, by cause. */
  dropped: v.optional(v.record(name, losses)),
  /** Records in the range that have no op of their own, because they were aggregated with others or change nothing. */
  aggregated: v.optional(v.pipe(count, v.maxValue(MAX_BATCH_AGGREGATED))),
  writer: v.optional(Writer),
  /** The daemon's observations of the session's processes: completeness, which is about the program's ops, does not count them. */
  observed: v.optional(v.boolean()),
  /** The sender will make contact again within this time. Otherwise the session is suspended. */
  lease_ms: v.optional(v.pipe(v.number(), v.minValue(0))),
});

/** The body of `POST /api/ingest`. Batches are parsed one by one, so that an invalid one is refused alone. */
export const Ingest = v.object({
  /** The sender's clock, to compute its skew. */
  sent_at: v.optional(time),
  batches: v.pipe(v.array(v.unknown()), v.minLength(1), v.maxLength(MAX_BATCHES)),
});
export type Writer = v.InferOutput<typeof Writer>;
export type Batch = v.InferOutput<typeof Batch>;

/** The result of one batch. `applied` is the highest sequence of the lane that is stored. */
export type BatchResult = {
  session: string;
  lane: string;
  applied: number;
  /** A page of the session is open: send more often. */
  watched?: boolean;
  /** `retry_after`: with the code `too_many_requests`, the seconds to wait before the batch is sent again. */
  error?: { code: string; message: string; retry_after?: number };
};

export type IngestAnswer = {
  results: BatchResult[];
  /** Wait this long before the next request. */
  slow_down_ms?: number;
};
