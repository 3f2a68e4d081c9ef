/**
 * datacat 1.x's request bodies as ops. 1.x decoded them in Go, so field names may have any case, null counts as absent,
 * unknown fields are ignored, and a wrong type is an error. Year 1 is how Go writes a time that is not set.
 */
import * as v from "valibot";
import { cutName } from "../../core/text/cut-names.ts";
import { checkDepth } from "../../core/state/merge.ts";
import { parse, parseJson } from "../../core/parse.ts";
import { Refusal } from "../../core/refusal.ts";
import { legacyTotals } from "../../core/metrics/histogram.ts";
import { METRIC_TYPES } from "../../core/vocabulary.ts";
import type { Json, JsonObject, Op } from "../../core/wire.ts";

const text = v.optional(v.string());
const texts = v.optional(
  v.array(
    v.pipe(
      v.nullable(v.string()),
      v.transform((item) => item ?? ""),
    ),
  ),
);
const object = v.optional(v.custom<JsonObject>(isObject, "must be an object"));
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:\d\d)$/;
const time = v.optional(
  v.pipe(
    v.string(),
    v.regex(RFC3339, "must be a time as in 2026-01-02T03:04:05Z"),
    v.transform((written) => Date.parse(written.replace(",", "."))),
    v.number("must be a time that exists"),
  ),
);

export const Create = v.object({ product: text, version: text, machine_id: text, hostname: text });

export const Event = v.object({
  timestamp: time,
  name: v.optional(v.string(), ""),
  /** Many programs of 1.x give the data in the place of the category. */
  category: v.optional(v.union([v.string(), v.custom<JsonObject>(isObject, "must be an object")])),
  /** Some versions of 1.x sent the category as `level`, and as `category` what is `group` now. */
  level: text,
  group: text,
  labels: texts,
  message: text,
  data: object,
  stacktrace: texts,
  exception_type: text,
  exception_msg: text,
  source_file: text,
  source_line: v.optional(v.pipe(v.number(), v.integer("must be a whole number"))),
  source_function: text,
});

export const Metric = v.object({
  timestamp: time,
  name: v.optional(v.string(), ""),
  type: text,
  value: v.optional(v.pipe(v.number(), v.finite("must be finite")), 0),
  count: v.optional(v.pipe(v.number(), v.integer("must be a whole number"))),
  unit: text,
  tags: texts,
  metadata: object,
});

export const Crash = v.object({ reason: v.optional(v.string(), "") });
const Stamp = v.object({ timestamp: time });

/** A session to open. 1.x required product and version; here both are optional, and so is the body. */
export function createBody(body: string, now: number) {
  const { product, version, machine_id, hostname } = parse(
    Create,
    fields(Create, body.trim() === "" ? "{}" : body),
    WHAT,
  );
  return {
    start: { op: "start" as const, at: now, product, version },
    writer: { machine_id: cutName(machine_id), hostname: cutName(hostname) },
  };
}

/** The state itself, or `{"state": {…}, "timestamp": …}`: it is the second if `state` holds an object. */
export function stateOp(body: string, now: number): Op {
  const whole = objectOf(body);
  const { timestamp } = parse(Stamp, fields(Stamp, body), WHAT);
  const at = timeOf(timestamp) ?? now;
  const wrapped = Object.entries(whole).findLast(([key]) => key.toLowerCase() === "state")?.[1];
  if (wrapped === undefined || wrapped === null) return { op: "state", at, patch: whole };
  if (!isObject(wrapped))
    throw new Refusal("invalid_body", "The body does not fit at state: it must be an object");
  return { op: "state", at, patch: wrapped };
}

export function eventOp(body: string, now: number): Op {
  const { timestamp, level, category: sent, ...event } = parse(Event, fields(Event, body), WHAT);
  const text = typeof sent === "string" ? sent : undefined;
  const category = level || text;
  const group = event.group || (level && text);
  const data = typeof sent === "object" ? { ...sent, ...event.data } : event.data;
  const { source_line, ...rest } = event;
  const isException = Boolean(rest.exception_type);
  return {
    op: "event",
    at: timeOf(timestamp) ?? now,
    ...rest,
    data,
    category:
      category && !(isException && category === "info") ? category : isException ? "error" : "info",
    group: group || undefined,
    exception_type: rest.exception_type || undefined,
    source_line: source_line || undefined,
  };
}

export function metricOp(body: string, now: number): Op {
  const { timestamp, type, ...metric } = parse(Metric, fields(Metric, body), WHAT);
  const known = METRIC_TYPES.find((each) => each === type);
  // 1.x's server answered a sample as it was sent. Only 1.x's daemon sent running totals.
  const isSample = known === "histogram" && !legacyTotals(metric.metadata);
  return {
    op: "metric",
    at: timeOf(timestamp) ?? now,
    // 1.x stored any type as it was; one without a meaning is shown as a gauge, as its own pages did.
    type: known ?? "gauge",
    legacy_type: known && !isSample ? undefined : type || undefined,
    ...metric,
  };
}

/** 1.x took any body, and none. */
export function crashOp(body: string, now: number): Op {
  let reason = "abnormal_termination";
  try {
    ({ reason } = parse(Crash, fields(Crash, body), WHAT));
  } catch {
    // A body that cannot be decoded counts as none.
  }
  return { op: "crash", at: now, reason };
}

const WHAT = "The body";

/** The time, if it is set: a time before 1970 is Go's zero time. */
function timeOf(timestamp: number | undefined): number | undefined {
  return timestamp !== undefined && timestamp >= 0 ? timestamp : undefined;
}

/** The fields that the schema knows, under its own names; the last of several spellings counts. */
function fields(
  schema: { entries: { [name: string]: unknown } },
  body: string,
): { [name: string]: Json } {
  const found: { [name: string]: Json } = {};
  for (const [key, value] of Object.entries(objectOf(body))) {
    const name = key.toLowerCase();
    if (!Object.hasOwn(schema.entries, name)) continue;
    if (value === null) delete found[name];
    else found[name] = value;
  }
  return found;
}

function objectOf(body: string): JsonObject {
  const value = parseJson(body, WHAT) ?? {};
  if (!isObject(value)) throw new Refusal("invalid_body", "The body must be a JSON object.");
  // Before any code recurses into it. The object checks the depth of states and data again, each from its own root.
  for (const item of Object.values(value)) checkDepth(item, WHAT);
  return value;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
