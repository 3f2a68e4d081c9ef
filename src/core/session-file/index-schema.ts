/**
 * The shape and the limits of a session's index (core/session/session-index.ts), for one that comes from a file. What is counted in it is
 * compared with the log (check.ts); what only the server that recorded it observed is taken as it is, within the limits of a sender.
 */
import * as v from "valibot";
import {
  MAX_CALLS_LENGTH,
  MAX_ALTERED_FIELDS,
  MAX_ATTACHMENT_FAILURES,
  MAX_BUCKETS,
  MAX_CLOCK_STEPS,
  MAX_DROP_CAUSES,
  MAX_EVENT_NAMES,
  MAX_EXCEPTION_LENGTH,
  MAX_FINGERPRINTS,
  MAX_HANG_SAMPLES,
  MAX_HEARTBEAT_TIMEOUT_MS,
  MAX_ID_LENGTH,
  MAX_LABEL_LENGTH,
  MAX_LABELS,
  MAX_LANES,
  MAX_LEASE_MS,
  MAX_LISTED_ATTACHMENTS,
  MAX_NAME_LENGTH,
  MAX_OUTPUT_LINE,
  MAX_PATH_VALUES,
  MAX_SEARCHED_DATA,
  MAX_SEARCHED_DATUM,
  MAX_SEARCHED_MESSAGE,
  MAX_SEARCHED_MESSAGES,
  MAX_SEARCHED_OUTPUT,
  MAX_REASON_LENGTH,
  MAX_REFUSED_ATTACHMENTS,
  MAX_SEQUENCE,
  MAX_SERIES,
  MAX_STATE_PATHS,
  MAX_TIME,
  MAX_TRANSITIONS,
  MAX_VALUE_LENGTH,
} from "../limits.ts";
import { REFUSAL_TEXTS } from "../attachments/attachments.ts";
import type { SessionIndex } from "../session/session-index.ts";
import {
  MAX_NAMED_FAILURES,
  MAX_REMEMBERED_TESTS,
  MAX_REPLACED_RECORDS,
  MAX_RUNNER_LENGTH,
  MAX_RUNNING_TESTS,
  MAX_TEST_ID_PARTS,
  MAX_TEST_PART_LENGTH,
  MAX_TEST_TEXT_LENGTH,
} from "../tests/limits.ts";
import { isScalar } from "../state/values.ts";
import { METRIC_TYPES, STATUSES } from "../vocabulary.ts";
import { Attachment, Crash, End, type Json, type JsonObject } from "../wire.ts";
import { Id } from "../wire-fields.ts";
import { Writer } from "../batch.ts";

const text = (most: number) => v.pipe(v.string(), v.maxLength(most));
const list = <Item extends v.GenericSchema>(item: Item, most: number) =>
  v.pipe(v.array(item), v.maxLength(most));
const name = text(MAX_NAME_LENGTH);
const tags = list(text(MAX_LABEL_LENGTH), MAX_LABELS);
const finite = v.pipe(v.number(), v.finite());
const whole = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_SEQUENCE * 1_000));
/** By the clock of a sender. */
const clockTime = v.pipe(finite, v.minValue(-MAX_TIME), v.maxValue(MAX_TIME));
const object = v.custom<JsonObject>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "must be an object",
);
/** Counts by a name that any sender may choose, also `constructor`, which valibot's record leaves out. */
const counts = v.custom<{ [name: string]: number }>(
  (value) =>
    v.is(object, value) &&
    Object.keys(value).length <= MAX_DROP_CAUSES + 1 &&
    Object.entries(value).every(([key, count]) => v.is(name, key) && v.is(whole, count)),
  "must be an object of counts",
);

/** A text of a state's value (core/state/values.ts), of which a long one is cut. */
const valueText = v.pipe(
  text(MAX_VALUE_LENGTH + 1),
  v.check((written) => {
    if (written.startsWith('"')) return true;
    try {
      return written.startsWith("=") && isScalar(JSON.parse(written.slice(1)) as Json);
    } catch {
      return false;
    }
  }, "must be a value of the state"),
);

/** `count`: of samples, of which each point of a histogram may have very many. */
const moments = {
  count: v.pipe(finite, v.minValue(0)),
  deviation: finite,
  sum: finite,
  low: finite,
  scale: finite,
};
const clock = {
  offsetMs: finite,
  lastAt: clockTime,
  isOwn: v.optional(v.boolean()),
  isFresh: v.optional(v.boolean()),
};

const place = v.object({
  name: text(MAX_REASON_LENGTH),
  file: v.optional(text(MAX_REASON_LENGTH)),
  line: v.optional(finite),
  source: v.optional(text(MAX_REASON_LENGTH)),
});

const totals = v.object({
  tests: whole,
  subtests: whole,
  passed: whole,
  failed: whole,
  errors: whole,
  skipped: whole,
  expected_failures: whole,
  unexpected_passes: whole,
  flaky: whole,
  not_passed: whole,
  suites: whole,
});

/** What a session has, by kind. */
export const Counts = v.object({
  states: whole,
  events: whole,
  exceptions: whole,
  points: whole,
  heartbeats: whole,
});

/** A time by the server's clock, which has not passed `latest`. */
function timeUntil(latest: number) {
  return v.pipe(v.number(), v.minValue(0), v.maxValue(latest));
}
type Time = ReturnType<typeof timeUntil>;

function testsSchema(at: Time) {
  const test = v.object({
    key: text(MAX_ID_LENGTH),
    id: list(text(MAX_TEST_PART_LENGTH), MAX_TEST_ID_PARTS),
    file: v.optional(whole),
    at,
    seq: whole,
    text: text(MAX_TEST_TEXT_LENGTH),
    type: v.optional(text(MAX_TEST_TEXT_LENGTH)),
    place: v.optional(text(MAX_REASON_LENGTH)),
    phase: v.optional(name),
    isSuite: v.optional(v.literal(true)),
  });
  return v.object({
    totals,
    records: text((2 * MAX_REMEMBERED_TESTS + MAX_REPLACED_RECORDS) * 10),
    failures: list(test, MAX_NAMED_FAILURES),
    running: list(test, MAX_RUNNING_TESTS),
    runner: text(MAX_RUNNER_LENGTH),
    planned: v.nullable(whole),
    printed: v.nullable(counts),
  });
}

function observationsSchema(at: Time) {
  const span = v.object({ at, until: at });
  const sample = v.object({
    seq: whole,
    at,
    exact: text(MAX_NAME_LENGTH),
    own: v.optional(place),
    inner: v.optional(place),
    state: v.optional(name),
  });
  return v.object({
    startedAt: at,
    lastContactAt: at,
    leaseMs: v.pipe(finite, v.minValue(0), v.maxValue(MAX_LEASE_MS)),
    lastOpAt: at,
    lastHeartbeatAt: v.nullable(at),
    lastDaemonHeartbeatAt: v.optional(at),
    heartbeatTimeoutMs: v.pipe(finite, v.minValue(0), v.maxValue(MAX_HEARTBEAT_TIMEOUT_MS)),
    runningMs: v.pipe(finite, v.minValue(0)),
    paused: v.boolean(),
    hang: v.nullable(
      v.object({ at, processState: v.optional(name), cpuPercent: v.optional(finite) }),
    ),
    hangSamples: list(sample, MAX_HANG_SAMPLES),
    diedIn: v.optional(sample),
    everHung: v.boolean(),
    pastHang: v.optional(span),
    inferredHang: v.optional(v.object({ everHung: v.boolean(), pastHang: v.optional(span) })),
    slept: v.nullable(v.object({ at, durationMs: v.pipe(finite, v.minValue(0)) })),
    end: v.nullable(v.object({ ...v.omit(End, ["op"]).entries, at })),
    crash: v.nullable(v.object({ ...v.omit(Crash, ["op"]).entries, at })),
    exception: v.nullable(
      v.object({
        at,
        type: text(MAX_REASON_LENGTH),
        message: text(MAX_REASON_LENGTH),
        handled: v.boolean(),
        isFatal: v.optional(v.boolean()),
        isNotStarted: v.optional(v.boolean()),
        place: v.optional(text(MAX_REASON_LENGTH)),
      }),
    ),
    uncaught: whole,
    tests: v.optional(testsSchema(at)),
    clockSteps: list(v.object({ at: clockTime, by_ms: finite }), MAX_CLOCK_STEPS),
    transitions: list(
      v.object({ at, status: v.picklist(STATUSES), headline: text(4 * MAX_REASON_LENGTH) }),
      MAX_TRANSITIONS,
    ),
    transitionsLeftOut: v.optional(whole),
  });
}

function seriesSchema(at: Time) {
  return v.object({
    id: whole,
    name,
    type: v.picklist(METRIC_TYPES),
    legacyType: v.optional(name),
    unit: name,
    tags,
    metadata: v.nullable(object),
    bounds: list(finite, MAX_BUCKETS),
    points: whole,
    firstAt: at,
    lastAt: at,
    first: finite,
    last: finite,
    min: finite,
    max: finite,
    moments: v.object(moments),
    buckets: list(v.pipe(finite, v.minValue(0)), MAX_BUCKETS + 1),
    fromZero: v.optional(v.boolean()),
    lane: v.optional(whole),
    increase: v.optional(finite),
    largestStep: v.optional(finite),
  });
}

function attachmentSchema(at: Time) {
  return v.object({
    ...v.omit(Attachment, ["op", "type"]).entries,
    at,
    type: v.string(),
    seq: whole,
    complete: v.boolean(),
    refused: v.optional(v.picklist(Object.keys(REFUSAL_TEXTS) as (keyof typeof REFUSAL_TEXTS)[])), // its keys
    failures: v.optional(v.pipe(whole, v.maxValue(MAX_ATTACHMENT_FAILURES))),
  });
}

/** What happened, listed by its name. */
function listedSchemas(at: Time) {
  return {
    names: list(
      v.object({ name, category: name, count: whole, first_at: at, last_at: at }),
      MAX_EVENT_NAMES,
    ),
    exceptions: list(
      v.object({
        fingerprint: text(MAX_NAME_LENGTH),
        type: text(MAX_EXCEPTION_LENGTH),
        message: text(MAX_EXCEPTION_LENGTH),
        place: text(MAX_EXCEPTION_LENGTH),
        calls: text(MAX_CALLS_LENGTH),
        count: whole,
        unhandled: whole,
        firstAt: at,
        lastAt: at,
        firstSeq: whole,
      }),
      MAX_FINGERPRINTS,
    ),
    values: list(
      v.object({
        path: text(MAX_REASON_LENGTH),
        over: v.boolean(),
        values: list(
          v.object({ text: valueText, since: at, until: v.nullable(at) }),
          MAX_PATH_VALUES + 1,
        ),
        hasMembers: v.optional(v.literal(true)),
      }),
      MAX_STATE_PATHS,
    ),
  };
}

/** Each has at least one character, so their number is at most the length of all of one kind. */
function textsSchema(at: Time) {
  const one = (most: number) => v.object({ text: text(most), at, seq: whole });
  return v.object({
    messages: list(one(MAX_SEARCHED_MESSAGE), MAX_SEARCHED_MESSAGES),
    output: list(one(MAX_OUTPUT_LINE), MAX_SEARCHED_OUTPUT),
    data: list(
      v.object({ ...one(MAX_SEARCHED_DATUM).entries, name: text(MAX_NAME_LENGTH) }),
      MAX_SEARCHED_DATA,
    ),
    lengths: v.object({ messages: whole, output: whole, data: whole }),
    added: whole,
    leftOut: v.optional(v.literal(true)),
  });
}

/** `latest`: the latest time at which something can have happened, by the server's clock. */
export function indexSchema(latest: number) {
  const at = timeUntil(latest);
  return v.object({
    id: Id,
    opener: v.optional(text(0)), // no file has it
    product: name,
    version: name,
    tags,
    machineId: name,
    bootId: name,
    hostname: name,
    browser: name,
    createdAt: at,
    updatedAt: at,
    receivedAt: at,
    seq: v.pipe(whole, v.maxValue(MAX_SEQUENCE)),
    clockAt: at,
    clockSkewMs: finite,
    clockOffsetMs: finite,
    machineClocks: list(v.object({ machine: text(MAX_REASON_LENGTH), ...clock }), MAX_LANES),
    lanes: list(
      v.object({
        lane: Id,
        applied: v.pipe(whole, v.maxValue(MAX_SEQUENCE)),
        writer: Writer,
        clock_offset_ms: v.optional(finite),
        clock: v.optional(v.object(clock)),
        opener: v.optional(text(0)),
        newestAt: v.optional(at),
      }),
      MAX_LANES,
    ),
    counts: Counts,
    accepted: whole,
    dropped: counts,
    altered: counts,
    alteredFields: list(name, MAX_ALTERED_FIELDS),
    lossTimes: list(
      v.object({ cause: name, from: clockTime, to: clockTime, at_least: v.optional(v.boolean()) }),
      MAX_DROP_CAUSES,
    ),
    series: list(seriesSchema(at), MAX_SERIES),
    ...listedSchemas(at),
    attachments: list(attachmentSchema(at), MAX_LISTED_ATTACHMENTS + MAX_REFUSED_ATTACHMENTS),
    texts: textsSchema(at),
    observations: observationsSchema(at),
    gapsExpected: list(text(MAX_ID_LENGTH), MAX_LANES + 1),
    unclaimed: whole,
    leftOut: v.object({
      event_names: v.optional(whole),
      exceptions: v.optional(whole),
      state_paths: v.optional(whole),
      tags: v.optional(whole),
      attachments: v.optional(whole),
    }),
    rowsWritten: whole,
  });
}

type Deep<Value> = Value extends object ? { [Key in keyof Value]-?: Deep<Value[Key]> } : Value;
type Read = v.InferOutput<ReturnType<typeof indexSchema>>;
/** A member of the index that the schema lacks would be lost: this fails to compile then. */
const hasAllMembers: Deep<Read> extends Deep<SessionIndex> ? true : never = true;
void hasAllMembers;
