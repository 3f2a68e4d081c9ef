/**
 * Encodes each log call as the text of its op, from `"op":` to the closing brace, with the keys in the order of core's wire. The sink adds
 * sequence and time in front. JSON leaves out what is undefined here.
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
import { OP_PREFIX_BYTES } from "../limits.ts";
import type { Json } from "../../../src/core/wire.ts";
import { redactor } from "./redactor.ts";
import type { SourceExcerpt } from "./source.ts";
import { type Tags, tagTexts } from "../../../src/core/text/tag.ts";
import { type TestFact, testFact } from "./test-fact.ts";
import { jsonOf, plainObject, type Loss } from "./values.ts";

export type Start = {
  product?: string | undefined;
  version?: string | undefined;
  /** What sessions are found and grouped by: `{ branch: "main", nightly: true }`, or `["branch:main", "nightly"]`. */
  tags?: Tags | undefined;
  /** The initial state. */
  state?: object | undefined;
};

export type EventOptions = {
  /** Severity: debug, info (the default), warning, error, critical, or any other text. */
  category?: string | undefined;
  /** The source of the event, e.g. a logger's name. */
  group?: string | undefined;
  /** Tags of this event, beside those of the session. */
  tags?: Tags | undefined;
  message?: string | undefined;
  data?: object | undefined;
  /** The event is about a test of a test run. */
  test?: TestFact | undefined;
};

/** The fields of an exception in the order of core's wire, none of them empty. `causes` are the exceptions that led to it, innermost last. */
export type ExceptionFields = Cause & {
  source_file?: string | undefined;
  source_line?: number | undefined;
  source_function?: string | undefined;
  attributes?: Attributes | undefined;
  notes?: readonly string[] | undefined;
  causes?: readonly Cause[] | undefined;
  causes_left_out?: number | undefined;
  sources?: readonly SourceExcerpt[] | undefined;
  handled?: boolean | undefined;
  fingerprint?: string | undefined;
};
export type Cause = {
  exception_type?: string | undefined;
  exception_msg?: string | undefined;
  stacktrace?: readonly string[] | undefined;
  attributes?: Attributes | undefined;
  notes?: readonly string[] | undefined;
  kind?: "context" | "member" | "cause" | undefined;
  parent?: number | undefined;
};
/** The plain values that an exception holds. */
type Attributes = { [name: string]: string | number | boolean };

export type MetricOptions = {
  unit?: string | undefined;
  /** Distinguish the series of one name. */
  tags?: Tags | undefined;
  /** One object for the whole series: the first one is kept. */
  metadata?: object | undefined;
};

/** The numbers of a metric op. */
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
    tags: tags("start.tags", start.tags, losses)?.map((tag) => redactor.text(tag)),
    state: fitting(free("state", start.state, losses), losses),
  });
}

/** Undefined if there are none. */
export function tagsOp(added: Tags, losses: Loss[]): string | undefined {
  const texts = tags("tags.tags", added, losses)?.map((tag) => redactor.text(tag));
  return texts && textOf({ op: "tags", tags: texts });
}

/** Undefined if the patch is over the limit: the server would refuse the whole batch. */
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
    labels: tags("event.labels", options.tags, losses)?.map((tag) => redactor.text(tag)),
    message: secretless(text(options.message)),
    data: free("data", options.data, losses),
    ...(thrown && redactor.value(thrown as { [key: string]: Json }, "", MAX_EVENT_BYTES)), // as: texts and lists of texts
    fingerprint: name("event.fingerprint", thrown?.fingerprint, losses) || undefined,
    test: testFact(options.test),
  };
  const written = textOf(op);
  return isTooLarge(written, MAX_EVENT_BYTES - OP_PREFIX_BYTES, op.name, losses)
    ? cutStrings(op, textOf, MAX_EVENT_BYTES - OP_PREFIX_BYTES)
    : written;
}

/** Undefined if the value is not a finite number: the loss `not_finite` is recorded instead. */
export function metricOp(
  type: MetricType,
  title: unknown,
  measure: Measure,
  options: MetricOptions,
  losses: Loss[],
): string | undefined {
  const raw = measure.value;
  const value = typeof raw === "bigint" ? Number(raw) : raw;
  if (!Number.isFinite(value)) {
    losses.push({
      cause: "not_finite",
      detail: `${name("", title, [])}: ${typeof raw === "number" ? raw : typeof raw}`,
      isMissing: true,
    });
    return undefined;
  }

  return textOf({
    op: "metric",
    type,
    name: name("metric.name", title, losses) ?? "",
    unit: name("metric.unit", options.unit, losses),
    tags: tags("metric.tags", options.tags, losses),
    metadata: free("metadata", options.metadata, losses),
    [type === "counter" ? "delta" : "value"]: value,
    count: whole(measure.count) || undefined,
    // The last bucket has no bound in any case, so an infinite one is left out.
    buckets: list(measure.buckets?.filter(Number.isFinite).slice(0, MAX_BUCKETS)),
  });
}

/** The text of a metric's op up to its number, for a metric without options. */
export function metricPrefix(type: "gauge" | "counter", title: string): string {
  return `"op":"metric","type":"${type}","name":${jsonOf(title)},"${type === "gauge" ? "value" : "delta"}":`;
}

/** Whether a name is short enough to be written whole. */
export function isPlainName(title: unknown): boolean {
  return typeof title === "string" && title.length <= MAX_NAME_LENGTH;
}

export function heartbeatOp(timeoutMs = 0): string {
  const isValid = Number.isFinite(timeoutMs) && timeoutMs >= 1;
  return textOf({ op: "heartbeat", timeout_ms: isValid ? timeoutMs : undefined });
}

/** Where the main thread was during a hang that has ended. */
export function stacksOp(frames: string[]): string {
  return textOf({ op: "stacks", when: "recovered", threads: [{ name: "main", frames }] });
}

export function plainOp(op: "pause" | "resume" | "start" | "end"): string {
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

export function droppedOp(loss: {
  cause: string;
  count: number;
  detail?: string;
  first_at?: number;
  last_at?: number;
}): string {
  return textOf({ op: "dropped", ...loss });
}

function textOf(op: object): string {
  return jsonOf(op).slice(1);
}

// Empty texts, lists and objects count as absent: a Go program has no difference between the two.

function text(value: unknown): string | undefined {
  const present: unknown = value ?? "";
  try {
    return String(present) || undefined;
  } catch {
    return typeof value;
  }
}

function secretless(message: string | undefined): string | undefined {
  return message === undefined || redactor.keeps(["message"])
    ? message
    : redactor.text(message, MAX_EVENT_BYTES);
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

/** Names are cut to the longest that the server accepts, at a whole character. */
export function name(field: string, value: unknown, losses: Loss[]): string | undefined {
  const whole = text(value);
  if (whole === undefined || whole.length <= MAX_NAME_LENGTH) return whole;
  losses.push({ cause: "too_large", detail: field });
  return whole.slice(0, MAX_NAME_LENGTH).replace(/[\ud800-\udbff]$/, "");
}

function tags(field: string, passed: Tags | undefined, losses: Loss[]): string[] | undefined {
  if (!passed) return undefined;
  const cut: Loss[] = [];
  const texts = tagTexts(passed);
  const kept = texts.slice(0, MAX_LABELS).map((text: unknown) => name(field, text, cut) ?? "");
  if (texts.length > MAX_LABELS) cut.push({ cause: "too_large", detail: field });
  if (cut[0]) losses.push(cut[0]); // one loss for the whole list
  return list(kept);
}

function isTooLarge(json: string, maxBytes: number, what: string, losses: Loss[]): boolean {
  // Encoding is slow, and no UTF-16 unit takes more than three bytes.
  const bytes = json.length * 3 > maxBytes ? utf8Length(json) : 0;
  if (bytes <= maxBytes) return false;
  losses.push({ cause: "too_large", detail: `${what}: ${bytes} bytes`, isMissing: true });
  return true;
}
