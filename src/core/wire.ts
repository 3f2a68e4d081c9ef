/**
 * The definition of ops: the format of lane files (clients/README.md), the daemon and `POST /api/ingest`; batches carry them (batch.ts).
 * JSON, snake_case, times in epoch milliseconds of the machine that recorded them.
 *
 * An absent key means no value; null occurs only inside free-form values (state, data, metadata). Unknown keys are
 * ignored, so that an older server accepts a newer client's ops.
 */
import * as v from "valibot";
import {
  MAX_ATTACHMENT_TYPE_LENGTH,
  MAX_BUCKETS,
  MAX_FRAME_LENGTH,
  MAX_LABEL_LENGTH,
  MAX_LABELS,
  MAX_STACK_THREADS,
  MAX_THREAD_FRAMES,
} from "./limits.ts";
import { MAX_EXCERPTS } from "./sourcemaps/limits.ts";
import { TestFact } from "./tests/fact.ts";
import { METRIC_TYPES } from "./vocabulary.ts";
import { count, finite, Id, losses, name, text, time } from "./wire-fields.ts";

/** A JSON value, and a JSON object. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** Each is `key:value` or a key (text/tag.ts). */
const tags = v.pipe(
  v.array(v.pipe(v.string(), v.maxLength(MAX_LABEL_LENGTH))),
  v.maxLength(MAX_LABELS),
);
/** A free-form JSON object. Its depth and size are limited where it is stored. */
const object = v.custom<JsonObject>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "must be an object",
);
const numbers = v.custom<number[]>(isNumbers, "must be a list of finite numbers");

/** A loop instead of a schema per element, because a batch contains thousands. */
function isNumbers(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  for (let i = 0; i < value.length; i++) if (!Number.isFinite(value[i])) return false;
  return true;
}

/** Opens the session. All fields are optional; a second `start` adds what the first did not give. */
export const Start = v.object({
  op: v.literal("start"),
  at: time,
  product: v.optional(name),
  version: v.optional(name),
  tags: v.optional(tags),
  /** The initial state: like a `state` op, but not counted as a change. */
  state: v.optional(object),
});

/** Adds tags to the session. It neither begins nor continues it, so any process that records into it may write one. */
const Tags = v.object({ op: v.literal("tags"), at: time, tags });

/** A merge patch of the session's state (RFC 7396, see core/state/merge.ts). */
const State = v.object({ op: v.literal("state"), at: time, patch: object });

const thrown = {
  exception_type: v.optional(text),
  exception_msg: v.optional(text),
  stacktrace: v.optional(v.array(text)), // one frame or line per entry, in the order that the language prints
};
const details = {
  attributes: v.optional(object), // what the exception itself holds, e.g. `errno`: plain values; `…` is the number of those left out
  notes: v.optional(v.array(text)), // Python's `__notes__`
};

/**
 * An exception that led to another one, or a member of a group of exceptions. Readers of 1.x's kind see a list of causes, the innermost last.
 */
const Cause = v.object({
  ...thrown,
  ...details,
  /** cause (the default): the program names it as the cause. context: it was being handled. member: of a group. */
  kind: v.optional(v.picklist(["cause", "context", "member"])),
  /** The exception that it belongs to: 0 is the event's own, n the nth of `causes`. Default: the one before it. */
  parent: v.optional(count),
});

/** Consecutive lines of a source file, around those that frames of the event name. */
const Excerpt = v.object({
  file: text, // as in the frame
  first: count, // number of the first line
  lines: v.array(text),
});

/** The stacks of an exception by source maps: what is shown and grouped in place of the recorded ones, which stay. */
const Resolved = v.object({
  stacktrace: v.optional(v.array(text)),
  causes: v.optional(v.array(v.array(text))), // of each cause, as many as `causes`
  sources: v.optional(v.array(Excerpt)),
});

/** An event. With `exception_type` it is an exception. */
export const Event = v.object({
  op: v.literal("event"),
  at: time,
  name: name,
  category: v.optional(name), // default: "error" with an exception, else "info"
  group: v.optional(name), // e.g. the logger's name
  labels: v.optional(tags), // the tags of the event; 1.x named them so
  message: v.optional(text),
  data: v.optional(object),
  ...thrown,
  source_file: v.optional(text),
  source_line: v.optional(v.pipe(v.number(), v.integer())),
  source_function: v.optional(text),
  ...details,
  causes: v.optional(v.array(Cause)),
  causes_left_out: v.optional(count), // exceptions over the limits of the client; those that led to these are not counted
  sources: v.optional(v.array(Excerpt)),
  resolved: v.optional(Resolved), // by the sender; otherwise the server resolves if it has source maps of the product's version
  handled: v.optional(v.boolean()), // false: it ended the program or its thread
  fingerprint: v.optional(name), // exceptions with the same one are a group, whatever their type and stack (core/events/fingerprint.ts)
  test: v.optional(TestFact), // it is about a test of a test run
});

const series = {
  name: name,
  // 1.x: a type without a meaning, of a gauge, stored unchanged; "histogram": a single sample, which 1.x's routes return as it was sent.
  legacy_type: v.optional(name),
  unit: v.optional(name),
  tags: v.optional(tags),
  metadata: v.optional(object), // the first one of a series is kept
};

/**
 * One measurement.
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

/** A heartbeat. The first one starts hang detection: the next is due within `timeout_ms` (default: that of the last heartbeat, or 60 s). */
const Heartbeat = v.object({
  op: v.literal("heartbeat"),
  at: time,
  timeout_ms: v.optional(v.pipe(v.number(), v.minValue(1))),
});
/** Suspends hang detection (for a debugger, a file dialog) until `resume` or the next heartbeat. */
const Pause = v.object({ op: v.literal("pause"), at: time });
const Resume = v.object({ op: v.literal("resume"), at: time });

/** From the daemon: heartbeats stopped while the process still exists. */
const Hang = v.object({
  op: v.literal("hang"),
  at: time,
  last_heartbeat_at: v.optional(time),
  /** blocked: it waits and uses no CPU. spinning: it keeps a core busy. stopped: by a signal or a debugger. */
  process_state: v.optional(v.picklist(["blocked", "spinning", "stopped"])),
  cpu_percent: v.optional(finite),
});
/** Heartbeats continued after `duration_ms` without any. */
const Recovered = v.object({
  op: v.literal("recovered"),
  at: time,
  duration_ms: v.optional(v.pipe(finite, v.minValue(0))),
});
/** The machine slept for `duration_ms` until `at`: its clock continued, its processes did not. */
const Slept = v.object({
  op: v.literal("slept"),
  at: time,
  duration_ms: v.pipe(finite, v.minValue(0)),
});

/** One thread, or one of Go's goroutines. */
const Thread = v.object({
  name: v.optional(name), // "MainThread", "goroutine 7"
  state: v.optional(name), // as the runtime prints it: "chan receive, 2 minutes"
  /** It ran when the sample was taken; of a fatal error, it caused it. */
  current: v.optional(v.boolean()),
  /** The innermost first in every language; each a line of the language's stack traces, in Go two lines. */
  frames: v.pipe(
    v.array(v.pipe(v.string(), v.maxLength(MAX_FRAME_LENGTH))),
    v.maxLength(MAX_THREAD_FRAMES),
  ),
});

/**
 * The stacks of a program's threads at one time, which the program or its runtime wrote to a side file of its lane (clients/README.md). From
 * the daemon. The first thread is the one to look at: the main thread, or after a fatal error the one that caused it.
 */
export const Stacks = v.object({
  op: v.literal("stacks"),
  at: time,
  /** hung: while heartbeats were missing. recovered: the last sample before they continued. died: at the end of the process. */
  when: v.picklist(["hung", "recovered", "died"]),
  threads: v.pipe(v.array(Thread), v.maxLength(MAX_STACK_THREADS)),
  /** How many further threads the sample had. */
  left_out: v.optional(count),
  /** Frames are missing, or lines were cut. */
  cut: v.optional(v.boolean()),
  /** By source maps beside the program: what is shown in place of the recorded frames, which stay. */
  resolved: v.optional(
    v.object({
      threads: v.pipe(
        v.array(v.pipe(v.array(text), v.maxLength(MAX_THREAD_FRAMES))),
        v.maxLength(MAX_STACK_THREADS),
      ),
      sources: v.pipe(v.array(Excerpt), v.maxLength(MAX_EXCERPTS)),
    }),
  ),
});

/**
 * Announces a file. Its content is sent in chunks after this op was applied (`/api/sessions/:session/attachments`), and is complete when its
 * SHA-256 matches.
 */
export const Attachment = v.object({
  op: v.literal("attachment"),
  at: time,
  id: Id, // unique in the session
  name: name, // free text, as a file's name
  type: v.optional(v.pipe(v.string(), v.maxLength(MAX_ATTACHMENT_TYPE_LENGTH))), // a media type; default: application/octet-stream
  size: v.pipe(count, v.maxValue(Number.MAX_SAFE_INTEGER)), // bytes
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "must be 64 lower-case hexadecimal digits")),
  group: v.optional(name),
});

/** A loss before the server: its cause and the number of lost ops. */
const Dropped = v.object({
  op: v.literal("dropped"),
  at: time,
  cause: name,
  count: losses,
  detail: v.optional(text),
  /** When the first and the last of them were lost. */
  first_at: v.optional(time),
  last_at: v.optional(time),
  /** More may be lost: the program ended before it could record its count. From the daemon. */
  at_least: v.optional(v.boolean()),
  /** How many of them used a sequence of their lane; the others were lost before they got one. From the daemon. */
  sequences: v.optional(losses),
});

/** The program ended the session. A `signal` here is a request to end (SIGTERM, SIGINT); one that kills makes a `crash`. */
export const End = v.object({
  op: v.literal("end"),
  at: time,
  exit_code: v.optional(v.pipe(v.number(), v.integer())),
  signal: v.optional(name),
  thread_ended: v.optional(v.boolean()), // the daemon's: the thread that wrote is gone, and its process runs on
});

/** A process and its machine in the last seconds before its end. Bytes are of resident memory. */
const LastSeen = v.object({
  memory_from: v.optional(count),
  memory_to: v.optional(count),
  /** The time between these two. */
  memory_ms: v.optional(v.pipe(finite, v.minValue(0))),
  process_state: v.optional(v.picklist(["blocked", "spinning", "stopped"])),
  cpu_percent: v.optional(finite),
  /** Of the machine. */
  available_bytes: v.optional(count),
  total_bytes: v.optional(count),
});

/** The process ended without an `end` op, or by an error. */
export const Crash = v.object({
  op: v.literal("crash"),
  at: time,
  reason: v.optional(text), // 1.x: parent_process_terminated, daemon_parent_process_exited…; ours: process_died, killed, rebooted, out_of_memory
  exit_code: v.optional(v.pipe(v.number(), v.integer())),
  signal: v.optional(name), // "SIGKILL"
  out_of_memory: v.optional(v.boolean()),
  rebooted: v.optional(v.boolean()), // the machine's boot id changed meanwhile
  message: v.optional(text), // further details as a sentence
  /** What the daemon observed of the process before its end. */
  last: v.optional(LastSeen),
  /** How many other recorded programs of this machine ended in the same second. */
  also_ended: v.optional(count),
});

/** In order of frequency, because parsing tries them in this order. */
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
  Stacks,
  Attachment,
  Tags,
  Dropped,
]);

export type Op = v.InferOutput<typeof Op>;
export type Event = v.InferOutput<typeof Event>;
export type Cause = v.InferOutput<typeof Cause>;
export type Excerpt = v.InferOutput<typeof Excerpt>;
export type Resolved = v.InferOutput<typeof Resolved>;
export type Metric = v.InferOutput<typeof Metric>;
export type Points = v.InferOutput<typeof Points>;
export type Stacks = v.InferOutput<typeof Stacks>;
export type AttachmentOp = v.InferOutput<typeof Attachment>;
export type Dropped = v.InferOutput<typeof Dropped>;
export type Crash = v.InferOutput<typeof Crash>;
export type End = v.InferOutput<typeof End>;
