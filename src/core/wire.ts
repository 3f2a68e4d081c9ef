/**
 * The one definition of an op, and of the batches that carry ops to the server. Lane files (clients/README.md), the
 * daemon and `POST /api/ingest` all speak it. JSON, snake_case, times in epoch milliseconds of the machine that made them.
 *
 * Absent means "not said"; null appears only inside free-form values (state, data, metadata). Unknown keys are ignored,
 * so that an older server takes a newer client's ops.
 */
import * as v from "valibot";
import {
  MAX_BATCH_OPS,
  MAX_BATCHES,
  MAX_BUCKETS,
  MAX_ID_LENGTH,
  MAX_LABELS,
  MAX_LABEL_LENGTH,
  MAX_NAME_LENGTH,
  MAX_TIME,
} from "./limits.ts";
import { METRIC_TYPES } from "./vocabulary.ts";

/** A JSON value, and a JSON object. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

const time = v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(MAX_TIME));
const name = v.pipe(v.string(), v.maxLength(MAX_NAME_LENGTH));
const text = v.string();
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const finite = v.pipe(v.number(), v.finite());
const labels = v.pipe(
  v.array(v.pipe(v.string(), v.maxLength(MAX_LABEL_LENGTH))),
  v.maxLength(MAX_LABELS),
);
/** Free-form JSON object; depth and size are bounded where it is stored. */
const object = v.custom<JsonObject>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "must be an object",
);
const numbers = v.custom<number[]>(isNumbers, "must be a list of finite numbers");

/** A loop, since a batch brings thousands. */
function isNumbers(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  for (let i = 0; i < value.length; i++) if (!Number.isFinite(value[i])) return false;
  return true;
}

/** Session and lane ids: made by the client, so that opening a session needs no answer. */
export const Id = v.pipe(
  v.string(),
  v.maxLength(MAX_ID_LENGTH),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9._:-]*$/, "must be letters, digits and . _ : -"),
);

/** The session opens. Everything is optional; a second `start` fills in what the first left out. */
export const Start = v.object({
  op: v.literal("start"),
  at: time,
  product: v.optional(name),
  version: v.optional(name),
  tags: v.optional(labels),
  /** The state to begin with: exactly like a `state` op, but counted as no change. */
  state: v.optional(object),
});

/** A merge patch of the session's state (RFC 7396, see merge.ts). */
export const State = v.object({ op: v.literal("state"), at: time, patch: object });

/** The exception that led to another, innermost last. */
const Cause = v.object({
  exception_type: v.optional(text),
  exception_msg: v.optional(text),
  stacktrace: v.optional(v.array(text)),
});

/** Something that happened. With `exception_type` it is an exception. */
export const Event = v.object({
  op: v.literal("event"),
  at: time,
  name: name,
  category: v.optional(name), // default: "error" with an exception, else "info"
  group: v.optional(name), // e.g. the logger's name
  labels: v.optional(labels),
  message: v.optional(text),
  data: v.optional(object),
  exception_type: v.optional(text),
  exception_msg: v.optional(text),
  stacktrace: v.optional(v.array(text)), // one frame or line each, outermost first as its language prints it
  source_file: v.optional(text),
  source_line: v.optional(v.pipe(v.number(), v.integer())),
  source_function: v.optional(text),
  causes: v.optional(v.array(Cause)),
  handled: v.optional(v.boolean()), // false: it ended the program or its thread
});

const series = {
  name: name,
  unit: v.optional(name),
  tags: v.optional(labels),
  metadata: v.optional(object), // the first one said for a series is kept
};

/**
 * One measurement, as a program makes it.
 * gauge: `value`. counter: `delta` to add, or `value` as the new total. timer: `value` in `unit` (default seconds) and
 * `count` iterations. histogram: a sample `value` with optional upper bounds `buckets`; or, once aggregated, `bounds`
 * (ascending), `counts` (one per bound and one more above the last; per bucket, not cumulative), `sum`, `min`, `max`.
 */
export const Metric = v.object({
  op: v.literal("metric"),
  at: time,
  type: v.picklist(METRIC_TYPES),
  ...series,
  value: v.optional(finite),
  delta: v.optional(finite),
  count: v.optional(count),
  buckets: v.optional(v.pipe(numbers, v.maxLength(MAX_BUCKETS))),
  bounds: v.optional(v.pipe(numbers, v.maxLength(MAX_BUCKETS))),
  counts: v.optional(v.pipe(numbers, v.maxLength(MAX_BUCKETS + 1))),
  sum: v.optional(finite),
  min: v.optional(finite),
  max: v.optional(finite),
});

/**
 * Many measurements of one series in columns, as the daemon sends them: `dt` are the milliseconds since the point before
 * (the first since `at`), `values` as long as it. For a counter they are deltas. Times may go backwards.
 */
export const Points = v.object({
  op: v.literal("points"),
  at: time,
  type: v.picklist(["gauge", "counter", "timer"]),
  ...series,
  dt: numbers,
  values: numbers,
  counts: v.optional(numbers), // timers: iterations of each
});

/** The program is alive. The first one arms hang detection: the next is due within `timeout_ms` (default 60 s, or the last one said). */
export const Heartbeat = v.object({
  op: v.literal("heartbeat"),
  at: time,
  timeout_ms: v.optional(v.pipe(v.number(), v.minValue(1))),
});
/** No heartbeats for a while, on purpose (a debugger, a file dialog): until `resume` or the next heartbeat. */
export const Pause = v.object({ op: v.literal("pause"), at: time });
export const Resume = v.object({ op: v.literal("resume"), at: time });

/** The daemon's word that heartbeats stopped while the program still exists. */
export const Hang = v.object({
  op: v.literal("hang"),
  at: time,
  last_heartbeat_at: v.optional(time),
  /** What the process is doing: waiting for something, using a core, or stopped by a signal or debugger. */
  process_state: v.optional(v.picklist(["blocked", "spinning", "stopped"])),
  cpu_percent: v.optional(finite),
});
/** Heartbeats came back after `duration_ms` without. */
export const Recovered = v.object({
  op: v.literal("recovered"),
  at: time,
  duration_ms: v.optional(v.pipe(finite, v.minValue(0))),
});
/** The machine was asleep (its clock went on, its processes did not) for `duration_ms` until `at`. */
export const Slept = v.object({
  op: v.literal("slept"),
  at: time,
  duration_ms: v.pipe(finite, v.minValue(0)),
});

/** So much was lost before it got here, and why: an entry of the session's loss ledger. */
export const Dropped = v.object({
  op: v.literal("dropped"),
  at: time,
  cause: name,
  count: count,
  detail: v.optional(text),
});

/** The program says goodbye. A signal here is one that asks (SIGTERM, SIGINT); one that kills makes a `crash`. */
export const End = v.object({
  op: v.literal("end"),
  at: time,
  exit_code: v.optional(v.pipe(v.number(), v.integer())),
  signal: v.optional(name),
});

/** The program is gone without goodbye. */
export const Crash = v.object({
  op: v.literal("crash"),
  at: time,
  reason: v.optional(text), // 1.x: parent_process_terminated, daemon_parent_process_exited…; ours: process_died, killed, rebooted, out_of_memory
  exit_code: v.optional(v.pipe(v.number(), v.integer())),
  signal: v.optional(name), // "SIGKILL"
  out_of_memory: v.optional(v.boolean()),
  rebooted: v.optional(v.boolean()), // the machine's boot id changed meanwhile
  message: v.optional(text), // what else is known, in words
});

/** The most frequent first: they are tried in this order. */
export const Op = v.variant("op", [
  Points,
  Metric,
  State,
  Event,
  Heartbeat,
  Start,
  End,
  Crash,
  Pause,
  Resume,
  Hang,
  Recovered,
  Slept,
  Dropped,
]);

/** Who writes a lane: said in its header, and to the server with the lane's first batch. */
export const Writer = v.object({
  program: v.optional(text), // its file name or command
  arguments: v.optional(v.array(text)),
  language: v.optional(name), // "python 3.13.0"
  client: v.optional(name), // "datacat-python 2.0.0"
  pid: v.optional(v.pipe(v.number(), v.integer())),
  pid_started: v.optional(text), // the system's own stamp of the process's start, only ever compared
  parent_pid: v.optional(v.pipe(v.number(), v.integer())),
  machine_id: v.optional(name),
  boot_id: v.optional(name),
  hostname: v.optional(name),
  os: v.optional(name), // "linux x64"
  user: v.optional(name),
});

/**
 * A run of one lane's records. The object applies each sequence once: `first` must be the next one it expects, a batch
 * that ends at or before what it has is answered as done, and anything else is refused with the sequence it has.
 * Records that the daemon aggregated, filtered or lost still take their numbers, so `ops` may be fewer than the range;
 * with `first` = `last` + 1 and no ops, a batch only says that its sender is alive.
 */
export const Batch = v.object({
  session: Id,
  lane: Id,
  first: v.pipe(v.number(), v.integer(), v.minValue(1)),
  last: v.pipe(v.number(), v.integer(), v.minValue(0)),
  ops: v.pipe(v.array(Op), v.maxLength(MAX_BATCH_OPS)),
  /** Records in the range that were lost, by cause. */
  dropped: v.optional(v.record(name, count)),
  writer: v.optional(Writer),
  /** The sender will be heard again within this time, or something happened to it. */
  lease_ms: v.optional(v.pipe(v.number(), v.minValue(0))),
});

/** `POST /api/ingest`. A batch whose shape is wrong is refused alone, so batches are parsed one by one. */
export const Ingest = v.object({
  /** The sender's clock, to show its skew. */
  sent_at: v.optional(time),
  batches: v.pipe(v.array(v.unknown()), v.minLength(1), v.maxLength(MAX_BATCHES)),
});

export type Op = v.InferOutput<typeof Op>;
export type Event = v.InferOutput<typeof Event>;
export type Metric = v.InferOutput<typeof Metric>;
export type Points = v.InferOutput<typeof Points>;
export type Crash = v.InferOutput<typeof Crash>;
export type End = v.InferOutput<typeof End>;
export type Writer = v.InferOutput<typeof Writer>;
export type Batch = v.InferOutput<typeof Batch>;

/** One batch's answer: `applied` is the highest sequence of the lane that is stored now. */
export type BatchResult = {
  session: string;
  lane: string;
  applied: number;
  /** Someone has the session's page open: send every 500 ms. */
  watched?: boolean;
  error?: { code: string; message: string };
};

export type IngestAnswer = {
  results: BatchResult[];
  /** Wait this long before the next request. */
  slow_down_ms?: number;
};
