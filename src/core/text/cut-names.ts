/** Names of 1.x's programs, which had no limit, cut to the limits of the wire as the clients cut them. What is cut is counted and named. */
import { MAX_BUCKETS, MAX_LABEL_LENGTH, MAX_LABELS, MAX_NAME_LENGTH } from "../limits.ts";
import type { Op } from "../wire.ts";

/** The fields of each op that hold a name. */
const NAMES: { [op in Op["op"]]?: readonly string[] } = {
  start: ["product", "version"],
  event: ["name", "category", "group"],
  metric: ["name", "legacy_type", "unit"],
};

/** The fields that hold a list, by its longest length. */
const LISTS = { labels: MAX_LABELS, tags: MAX_LABELS, buckets: MAX_BUCKETS };

/** The op within the limits, followed by a report for each field that was cut. */
export function withNamesCut(op: Op): Op[] {
  const cut: { [field: string]: unknown } = {};
  for (const [field, value] of Object.entries(op)) {
    const kept = NAMES[op.op]?.includes(field)
      ? cutName(value, MAX_NAME_LENGTH)
      : Object.hasOwn(LISTS, field)
        ? cutList(value, LISTS[field as keyof typeof LISTS]) // as: just looked up
        : value;
    if (kept !== value) cut[field] = kept;
  }
  const reports = Object.keys(cut).map((field): Op => ({
    op: "dropped",
    at: op.at,
    cause: "too_large",
    count: 1,
    detail: `${op.op}.${field}`,
  }));
  return reports.length === 0 ? [op] : [{ ...op, ...cut } as Op, ...reports]; // as: values of the same types
}

/** Cut at a whole character. */
export function cutName<Value>(value: Value, longest = MAX_NAME_LENGTH): Value {
  if (typeof value !== "string" || value.length <= longest) return value;
  return value.slice(0, longest).replace(/[\ud800-\udbff]$/, "") as Value; // as: a string, as it was
}

/** The same list if nothing of it is cut. */
function cutList(value: unknown, longest: number): unknown {
  if (!Array.isArray(value)) return value;
  const kept = value.slice(0, longest).map((item: unknown) => cutName(item, MAX_LABEL_LENGTH));
  const isWhole = value.length <= longest && kept.every((item, index) => item === value[index]);
  return isWhole ? value : kept;
}
