/**
 * Each log call as the text of its op, from `"op":` to the closing brace, keys in the order of core's wire. What stands
 * before (sequence and time) is the writer's.
 */
import {
  MAX_BUCKETS,
  MAX_EVENT_BYTES,
  MAX_LABELS,
  MAX_LABEL_LENGTH,
  MAX_NAME_LENGTH,
  MAX_STATE_BYTES,
} from "../../src/core/limits.ts";
import { EVENT_EXCEPTION, type MetricType } from "../../src/core/vocabulary.ts";
import { cutStrings, utf8Length } from "./cut.ts";
import { encodeObject, quote, quoteAll, type Loss } from "./encode.ts";

export type Start = {
  product?: string | undefined;
  version?: string | undefined;
  tags?: readonly string[] | undefined;
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

/** An exception in plain words; `causes` are those that led to it, innermost last. */
export type ExceptionFields = {
  exception_type?: string | undefined;
  exception_msg?: string | undefined;
  stacktrace?: readonly string[] | undefined;
  source_file?: string | undefined;
  source_line?: number | undefined;
  source_function?: string | undefined;
  causes?: readonly Cause[] | undefined;
  handled?: boolean | undefined;
};
export type Cause = Pick<ExceptionFields, "exception_type" | "exception_msg" | "stacktrace">;

export type MetricOptions = {
  unit?: string | undefined;
  tags?: readonly string[] | undefined;
  /** Said once for a series; the first is kept. */
  metadata?: object | undefined;
};

/** What a metric op measures, beside its name. */
export type Measure = {
  value?: unknown;
  delta?: unknown;
  count?: number | undefined;
  buckets?: readonly number[] | undefined;
};

export function startOp(start: Start, losses: Loss[]): string {
  const head =
    `"op":"start"` +
    nameField("start.product", "product", start.product, losses) +
    nameField("start.version", "version", start.version, losses) +
    labelsField("start.tags", "tags", start.tags, losses);
  const state = objectField("state", "state", start.state, losses);
  const bytes = bytesOf(state.slice(`,"state":`.length));
  if (bytes <= MAX_STATE_BYTES) return `${head}${state}}`;
  losses.push({ cause: "too_large", detail: `state: ${bytes} bytes` });
  return `${head}}`;
}

/** The sequence and time that stand before take some. */
const MAX_OP_BYTES = MAX_EVENT_BYTES - 64;

/** Nothing when the patch is over the limit: the server would refuse it, and everything beside it. */
export function stateOp(patch: unknown, losses: Loss[]): string | undefined {
  const text = encodeObject(patch, "state", losses);
  const bytes = bytesOf(text);
  if (bytes <= MAX_STATE_BYTES) return `"op":"state","patch":${text}}`;
  losses.push({ cause: "too_large", detail: `state: ${bytes} bytes` });
  return undefined;
}

export function eventOp(
  name: unknown,
  options: EventOptions & ExceptionFields,
  losses: Loss[],
): string {
  const text = eventText(name, options, losses);
  const bytes = bytesOf(text);
  if (bytes <= MAX_OP_BYTES) return text;
  losses.push({ cause: "too_large", detail: `${nameOf(name)}: ${bytes} bytes` });
  return cutStrings(text, MAX_OP_BYTES);
}

function eventText(name: unknown, options: EventOptions & ExceptionFields, losses: Loss[]): string {
  let text = `"op":"event","name":${nameText("event.name", name, losses)}`;
  if (options.category) text += nameField("event.category", "category", options.category, losses);
  if (options.group) text += nameField("event.group", "group", options.group, losses);
  if (options.labels) text += labelsField("event.labels", "labels", options.labels, losses);
  if (options.message) text += textField("message", options.message);
  if (options.data) text += objectField("data", "data", options.data, losses);
  text += exceptionText(options);
  if (options.source_file) text += textField("source_file", options.source_file);
  if (Number.isSafeInteger(options.source_line)) text += `,"source_line":${options.source_line}`;
  if (options.source_function) text += textField("source_function", options.source_function);
  if (options.causes && options.causes.length > 0) {
    const causes = options.causes.map((cause) => `{${exceptionText(cause).slice(1)}}`);
    text += `,"causes":[${causes.join(",")}]`;
  }
  if (options.handled !== undefined) text += `,"handled":${options.handled}`;
  return `${text}}`;
}

function exceptionText(fields: Cause): string {
  return (
    textField("exception_type", fields.exception_type) +
    textField("exception_msg", fields.exception_msg) +
    (fields.stacktrace && fields.stacktrace.length > 0
      ? `,"stacktrace":${quoteAll(fields.stacktrace)}`
      : "")
  );
}

export const EXCEPTION_NAME = EVENT_EXCEPTION;

/** Nothing when there is no finite number to record: `not_finite` is told instead. */
export function metricOp(
  type: MetricType,
  name: unknown,
  measure: Measure,
  options: MetricOptions,
  losses: Loss[],
): string | undefined {
  const key = "delta" in measure ? "delta" : "value";
  const value = numberOf(measure[key]);
  if (!Number.isFinite(value)) {
    losses.push({
      cause: "not_finite",
      detail: `${nameOf(name)}: ${typeof measure[key] === "number" ? value : typeof measure[key]}`,
    });
    return undefined;
  }

  let text = `"op":"metric","type":"${type}","name":${nameText("metric.name", name, losses)}`;
  if (options.unit) text += nameField("metric.unit", "unit", options.unit, losses);
  if (options.tags) text += labelsField("metric.tags", "tags", options.tags, losses);
  if (options.metadata) text += objectField("metadata", "metadata", options.metadata, losses);
  text += `,"${key}":${value}`;
  if (measure.count && Number.isSafeInteger(measure.count) && measure.count > 0)
    text += `,"count":${measure.count}`;
  if (measure.buckets) text += bucketsField(measure.buckets, losses);
  return `${text}}`;
}

/** A metric's op up to its number, when nothing but the name is said about it. */
export function metricHead(type: "gauge" | "counter", name: string): string {
  return `"op":"metric","type":"${type}","name":${quote(name)},"${type === "gauge" ? "value" : "delta"}":`;
}

/** A name that needs no cutting. */
export function isPlainName(name: unknown): boolean {
  return typeof name === "string" && name.length <= MAX_NAME_LENGTH;
}

function numberOf(value: unknown): number {
  return typeof value === "number" || typeof value === "bigint" ? Number(value) : Number.NaN;
}

/** Bounds that are not finite go: the last bucket has none in any case. */
function bucketsField(buckets: readonly number[], losses: Loss[]): string {
  const bounds = buckets.filter((bound) => Number.isFinite(bound));
  if (bounds.length === 0) return "";
  if (bounds.length > MAX_BUCKETS) losses.push({ cause: "too_large", detail: "metric.buckets" });
  return `,"buckets":[${bounds.slice(0, MAX_BUCKETS).map(String).join(",")}]`;
}

export function heartbeatOp(timeoutMs?: number): string {
  const said = timeoutMs !== undefined && Number.isFinite(timeoutMs) && timeoutMs >= 1;
  return said ? `"op":"heartbeat","timeout_ms":${timeoutMs}}` : `"op":"heartbeat"}`;
}

export function plainOp(op: "pause" | "resume"): string {
  return `"op":"${op}"}`;
}

export function endOp(end: {
  exit_code?: number | undefined;
  signal?: string | undefined;
}): string {
  return `"op":"end"${wholeField("exit_code", end.exit_code)}${textField("signal", end.signal)}}`;
}

export function crashOp(crash: {
  reason?: string | undefined;
  exit_code?: number | undefined;
}): string {
  return `"op":"crash"${textField("reason", crash.reason)}${wholeField("exit_code", crash.exit_code)}}`;
}

export function droppedOp(cause: string, count: number, detail?: string): string {
  return `"op":"dropped","cause":${quote(cause)},"count":${count}${textField("detail", detail)}}`;
}

/** Empty texts, lists and objects count as not given: that is all a Go program can say. */
function textField(key: string, value: string | undefined): string {
  return value === undefined || value === null || value === ""
    ? ""
    : `,"${key}":${quote(String(value))}`;
}

function wholeField(key: string, value: number | undefined): string {
  return Number.isSafeInteger(value) ? `,"${key}":${value}` : "";
}

function objectField(key: string, root: string, value: unknown, losses: Loss[]): string {
  if (value === undefined || value === null) return "";
  const text = encodeObject(value, root, losses);
  return text === "{}" ? "" : `,"${key}":${text}`;
}

function nameField(field: string, key: string, value: string | undefined, losses: Loss[]): string {
  if (value === undefined || value === null || value === "") return "";
  return `,"${key}":${nameText(field, value, losses)}`;
}

function nameText(field: string, value: unknown, losses: Loss[]): string {
  const name = nameOf(value);
  if (typeof value === "string" && value.length > name.length)
    losses.push({ cause: "too_large", detail: field });
  return quote(name);
}

/** Names are cut to what the server takes, at a whole character. */
function nameOf(value: unknown): string {
  const name = typeof value === "string" ? value : describe(value);
  return name.length <= MAX_NAME_LENGTH ? name : cutAt(name, MAX_NAME_LENGTH);
}

function describe(value: unknown): string {
  try {
    return String(value);
  } catch {
    return typeof value;
  }
}

function cutAt(text: string, units: number): string {
  const last = text.charCodeAt(units - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? units - 1 : units);
}

function labelsField(
  field: string,
  key: string,
  labels: readonly string[] | undefined,
  losses: Loss[],
): string {
  if (!Array.isArray(labels) || labels.length === 0) return "";
  const kept = labels.slice(0, MAX_LABELS).map((label) => {
    const text = describe(label);
    return text.length <= MAX_LABEL_LENGTH ? text : cutAt(text, MAX_LABEL_LENGTH);
  });
  if (
    labels.length > MAX_LABELS ||
    kept.some((label, i) => label.length < describe(labels[i]).length)
  )
    losses.push({ cause: "too_large", detail: field });
  return `,"${key}":${quoteAll(kept)}`;
}

/** UTF-8 bytes of a text, or any number below when it cannot be over a limit: counting is slow. */
function bytesOf(text: string): number {
  return text.length * 3 < MAX_OP_BYTES ? text.length : utf8Length(text);
}
