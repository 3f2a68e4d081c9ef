/**
 * Checks the ops of a lane or of the local API before they are sent: the server refuses a whole batch for one invalid op. Metrics are
 * checked by hand, because a schema is too slow for their number.
 */
import * as v from "valibot";
import { MAX_LABEL_LENGTH, MAX_LABELS, MAX_NAME_LENGTH } from "../../src/core/limits.ts";
import { checkDepth } from "../../src/core/state/merge.ts";
import { redactOp, Redactor } from "../../src/core/secrets/redact.ts";
import type { OwnRules } from "../../src/core/secrets/own.ts";
import { type JsonObject, type Metric, Op } from "../../src/core/wire.ts";

/** The op as it may be sent, with secrets redacted; undefined if the server would refuse it. */
export function checked(op: Op): Op | undefined {
  if (op.op === "metric" && isPlainMetric(op)) return op;
  const parsed = v.safeParse(Op, op);
  if (!parsed.success) return undefined;
  try {
    return clean(parsed.output);
  } catch {
    return undefined; // nested too deep
  }
}

/** Uses rules beside the built-in ones, from now on. */
export function useRules(rules: OwnRules): void {
  redactor = new Redactor(rules);
}

let redactor = new Redactor();

function clean(op: Op): Op {
  for (const value of valuesOf(op)) if (value !== undefined) checkDepth(value, "The value");
  return redactOp(op, redactor);
}

function valuesOf(op: Op): (JsonObject | undefined)[] {
  switch (op.op) {
    case "start":
      return [op.state];
    case "state":
      return [op.patch];
    case "event":
      return [op.data];
    case "metric":
    case "points":
      return [op.metadata];
    default:
      return [];
  }
}

/** True for common metrics; the schema decides about the others. */
function isPlainMetric(op: Metric): boolean {
  if (!isTime(op.at) || !isName(op.name)) return false;
  if (op.unit !== undefined && !isName(op.unit)) return false;
  if (op.legacy_type !== undefined && !isName(op.legacy_type)) return false;
  if (op.tags !== undefined && !areTags(op.tags)) return false;
  if (op.metadata !== undefined || op.buckets !== undefined || op.bounds !== undefined)
    return false;
  if (op.count !== undefined && !(Number.isInteger(op.count) && op.count >= 0)) return false;
  switch (op.type) {
    case "gauge":
    case "timer":
    case "histogram":
      return Number.isFinite(op.value) && op.delta === undefined;
    case "counter":
      return Number.isFinite(op.delta ?? op.value);
    default:
      return false;
  }
}

const isTime = (at: unknown): boolean => typeof at === "number" && at >= 0 && at <= 8.64e15;
const isName = (name: unknown): boolean =>
  typeof name === "string" && name.length <= MAX_NAME_LENGTH;
const areTags = (tags: unknown): boolean =>
  Array.isArray(tags) &&
  tags.length <= MAX_LABELS &&
  tags.every((tag) => typeof tag === "string" && tag.length <= MAX_LABEL_LENGTH);
