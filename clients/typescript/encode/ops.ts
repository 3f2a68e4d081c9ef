/**
 * Each log call as the text of its op, from `"op":` to the closing brace, keys in the order of core's wire. What stands
 * before (sequence and time) is the writer's. What is undefined here is left out by JSON.
 */
import {
  MAX_BUCKETS,
  MAX_EVENT_BYTES,
  MAX_LABELS,
  MAX_NAME_LENGTH,
  MAX_STATE_BYTES,
} from "../../../src/core/limits.ts";
import type { MetricType } from "../../../src/core/vocabulary.ts";
import { cutStrings, utf8Length } from "./cut.ts";
import { OP_HEAD_BYTES } from "../limits.ts";
import { jsonOf, plainObject, type Loss } from "./values.ts";

export type Start = {
  product?: string | undefined;
  version?: string | undefined;
  tags?: readonly string[] | undefined;
  /** The state to begin with. */
  state?: object | undefined;
};

export type EventOptions = {
  /** Severity: debug, info (the default), warning, error, critical, or any word of yours. */
  category?: string | undefined;
  /** Where it comes from, e.g. a logger's name. */
  group?: string | undefined;
  labels?: readonly string[] | undefined;
  message?: string | undefined;
  data?: object | undefined;
};

/** An exception in plain words, in the order of core's wire, nothing empty; `causes` are those that led to it, innermost last. */
export type ExceptionFields = Cause & {
  source_file?: string | undefined;
  source_line?: number | undefined;
  source_function?: string | undefined;
  causes?: readonly Cause[] | undefined;
  handled?: boolean | undefined;
};
export type Cause = {
  exception_type?: string | undefined;
  exception_msg?: string | undefined;
  stacktrace?: readonly string[] | undefined;
};

export type MetricOptions = {
  unit?: string | undefined;
  tags?: readonly string[] | undefined;
  /** Said once for a series; the first is kept. */
  metadata?: object | undefined;
};

/** What a metric op measures, beside its name. */
export type Measure = {
  value: unknown;
  count?: number | undefined;
  buckets?: readonly number[] | undefined;
};

export function startOp(start: Start, losses: Loss[]): string {
  return textOf({
    op: "start",
    product: name("start.product", start.product, losses),
    version: name("start.version", start.version, losses),
    tags: labels("start.tags", start.tags, losses),
    state: fitting(free("state", start.state, losses), losses),
  });
}

/** Nothing when the patch is over the limit: the server would refuse it, and everything beside it. */
export function stateOp(patch: unknown, losses: Loss[]): string | undefined {
  const fit = fitting(plainObject(patch, "state", losses), losses);
  return fit && textOf({ op: "state", patch: fit });
}

function fitting(state: object | undefined, losses: Loss[]): object | undefined {
  const json = jsonOf(state ?? {});
  return isTooLarge(json, MAX_STATE_BYTES, "state", losses) ? undefined : state;
}

export function eventOp(
  title: unknown,
  options: EventOptions,
  losses: Loss[],
  thrown?: ExceptionFields,
): string {
  const op = {
    op: "event",
    name: name("event.name", title, losses) ?? "",
    category: name("event.category", options.category, losses),
    group: name("event.group", options.group, losses),
    labels: labels("event.labels", options.labels, losses),
    message: text(options.message),
    data: free("data", options.data, losses),
    ...thrown,
  };
  const written = textOf(op);
  return isTooLarge(written, MAX_EVENT_BYTES - OP_HEAD_BYTES, op.name, losses)
    ? cutStrings(op, textOf, MAX_EVENT_BYTES - OP_HEAD_BYTES)
    : written;
}

/** Nothing when there is no finite number to record: `not_finite` is told instead. */
export function metricOp(
  type: MetricType,
  title: unknown,
  measure: Measure,
  options: MetricOptions,
  losses: Loss[],
): string | undefined {
  const given = measure.value;
  const value = typeof given === "bigint" ? Number(given) : given;
  if (!Number.isFinite(value)) {
    losses.push({
      cause: "not_finite",
      detail: `${name("", title, [])}: ${typeof given === "number" ? given : typeof given}`,
      isMissing: true,
    });
    return undefined;
  }

  return textOf({
    op: "metric",
    type,
    name: name("metric.name", title, losses) ?? "",
    unit: name("metric.unit", options.unit, losses),
    tags: labels("metric.tags", options.tags, losses),
    metadata: free("metadata", options.metadata, losses),
    [type === "counter" ? "delta" : "value"]: value,
    count: whole(measure.count) || undefined,
    // A bound that is infinite is the last bucket's, which has none in any case.
    buckets: list(measure.buckets?.filter(Number.isFinite).slice(0, MAX_BUCKETS)),
  });
}

/** A metric's op up to its number, when nothing but the name is said about it. */
export function metricHead(type: "gauge" | "counter", title: string): string {
  return `"op":"metric","type":"${type}","name":${jsonOf(title)},"${type === "gauge" ? "value" : "delta"}":`;
}

/** A name that needs no cutting. */
export function isPlainName(title: unknown): boolean {
  return typeof title === "string" && title.length <= MAX_NAME_LENGTH;
}

export function heartbeatOp(timeoutMs = 0): string {
  const isSaid = Number.isFinite(timeoutMs) && timeoutMs >= 1;
  return textOf({ op: "heartbeat", timeout_ms: isSaid ? timeoutMs : undefined });
}

export function plainOp(op: "pause" | "resume"): string {
  return textOf({ op });
}

export function endOp(end: {
  exit_code?: number | undefined;
  signal?: string | undefined;
}): string {
  return textOf({ op: "end", exit_code: whole(end.exit_code), signal: text(end.signal) });
}

export function crashOp(reason: string, exitCode?: number): string {
  return textOf({ op: "crash", reason, exit_code: whole(exitCode) });
}

export function droppedOp(cause: string, count: number, detail?: string): string {
  return textOf({ op: "dropped", cause, count, detail });
}

function textOf(op: object): string {
  return jsonOf(op).slice(1);
}

// Empty texts, lists and objects count as not given: that is all a Go program can say.

function text(value: unknown): string | undefined {
  const given: unknown = value ?? "";
  try {
    return String(given) || undefined;
  } catch {
    return typeof value;
  }
}

function list<Item>(items: Item[] | undefined): Item[] | undefined {
  return items?.length ? items : undefined;
}

function whole(value: unknown): number | undefined {
  return Number.isSafeInteger(value) ? Number(value) : undefined;
}

function free(root: string, value: unknown, losses: Loss[]): object | undefined {
  if (value === undefined || value === null) return undefined;
  const plain = plainObject(value, root, losses);
  for (const _ in plain) return plain;
  return undefined;
}

/** Names are cut to what the server takes, at a whole character. */
function name(field: string, value: unknown, losses: Loss[]): string | undefined {
  const whole = text(value);
  if (whole === undefined || whole.length <= MAX_NAME_LENGTH) return whole;
  losses.push({ cause: "too_large", detail: field });
  return whole.slice(0, MAX_NAME_LENGTH).replace(/[\ud800-\udbff]$/, "");
}

function labels(
  field: string,
  given: readonly string[] | undefined,
  losses: Loss[],
): string[] | undefined {
  if (!Array.isArray(given)) return undefined;
  const cut: Loss[] = [];
  const kept = given.slice(0, MAX_LABELS).map((label: unknown) => name(field, label, cut) ?? "");
  if (given.length > MAX_LABELS) cut.push({ cause: "too_large", detail: field });
  if (cut[0]) losses.push(cut[0]); // once for all
  return list(kept);
}

function isTooLarge(json: string, maxBytes: number, what: string, losses: Loss[]): boolean {
  // Counting is slow, and no character takes more than three bytes a unit.
  const bytes = json.length * 3 > maxBytes ? utf8Length(json) : 0;
  if (bytes <= maxBytes) return false;
  losses.push({ cause: "too_large", detail: `${what}: ${bytes} bytes`, isMissing: true });
  return true;
}
