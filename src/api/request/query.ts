/** Query parameters, parsed once: what a route does not know is ignored, what it cannot take is refused. */
import * as v from "valibot";
import { nameAsked, type SessionFilter, STATUS_KINDS } from "../../catalog/filter.ts";
import { GROUPINGS } from "../../catalog/comparison.ts";
import { GROUP_SORTS } from "../../catalog/exceptions.ts";
import { SESSION_SORTS } from "../../catalog/sessions.ts";
import { MAX_PAGE, MAX_POINTS } from "../../core/limits.ts";
import { Refusal } from "../../core/refusal.ts";
import { GROUP_STATUSES, METRIC_TYPES } from "../../core/vocabulary.ts";

const number = v.pipe(
  v.string(),
  v.regex(/^-?\d+(\.\d+)?$/, "must be a number"),
  v.transform(Number),
);
export const whole = (min: number, max: number) =>
  v.optional(v.pipe(number, v.integer("must be a whole number"), v.minValue(min), v.maxValue(max)));
/** Epoch milliseconds. */
export const time = v.optional(v.pipe(number, v.minValue(0), v.maxValue(8.64e15)));
export const text = v.optional(v.string());
const list = v.optional(
  v.pipe(
    v.string(),
    v.transform((written) => written.split(",").filter(Boolean)),
  ),
);
export const limit = whole(1, MAX_PAGE);
export const order = v.optional(v.picklist(["asc", "desc"]));
const flag = v.optional(
  v.pipe(
    v.picklist(["0", "1", "false", "true"]),
    v.transform((written) => written === "1" || written === "true"),
  ),
);

/** Keys joined by dots; a key with a dot in it needs the other form, a JSON list. */
const path = v.optional(
  v.pipe(
    v.string(),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      if (!dataset.value.startsWith("[")) return dataset.value.split(".");
      try {
        return v.parse(v.array(v.string()), JSON.parse(dataset.value));
      } catch {
        addIssue({ message: "must be keys joined by dots, or a JSON list of them" });
        return NEVER;
      }
    }),
  ),
);

/** Of a product or version; `(none)` are the sessions without one. */
export const name = v.optional(v.pipe(v.string(), v.transform(nameAsked)));

/** Which sessions: the same words for the list, for metrics and for Grafana. */
const filter = {
  product: name,
  version: name,
  status: v.optional(
    v.pipe(
      v.string(),
      v.transform((written) => written.split(",").filter(Boolean)),
      v.array(v.picklist(STATUS_KINDS)),
    ),
  ),
  machine: text,
  hostname: text,
  from: time,
  to: time,
  text,
  tag: text,
  event: text,
  exception: text,
  metric: text,
  state_path: text,
  state_value: text,
};

export const Sessions = v.object({
  ...filter,
  sort: v.optional(v.picklist(SESSION_SORTS)),
  order,
  cursor: text,
  limit,
});
export const Moment = v.object({ at: time, seq: whole(0, Number.MAX_SAFE_INTEGER) });
export const Difference = v.object({
  from: time,
  to: time,
  from_seq: whole(0, Number.MAX_SAFE_INTEGER),
  to_seq: whole(0, Number.MAX_SAFE_INTEGER),
});
export const History = v.object({ from: time, to: time, path, cursor: text, limit, order });
export const Events = v.object({
  from: time,
  to: time,
  name: text,
  category: text,
  group: text,
  label: text,
  text,
  exceptions: flag,
  cursor: text,
  limit,
  order,
});
export const Chart = v.object({ from: time, to: time, points: whole(1, MAX_POINTS), tags: list });
export const Timeline = v.object({ from: time, to: time, buckets: whole(1, MAX_POINTS) });
export const Names = v.object({ prefix: text });
export const Metric = v.object({
  ...v.omit(v.object(filter), ["metric"]).entries,
  type: v.optional(v.picklist(METRIC_TYPES)),
  tags: list,
  by: v.optional(v.picklist(GROUPINGS)),
  axis: v.optional(v.picklist(["clock", "elapsed"])),
  buckets: whole(1, MAX_POINTS),
  bars: whole(1, 1_000),
  format: v.optional(v.picklist(["json", "csv"])),
});
export const Groups = v.object({
  product: name,
  status: v.optional(v.picklist(GROUP_STATUSES)),
  text,
  sort: v.optional(v.picklist(GROUP_SORTS)),
  cursor: text,
  limit,
});
export const Days = v.object({ product: name, days: whole(1, 400) });

/** The query of a URL as the schema has it. What was not said is absent, never undefined. */
export function parseQuery<Schema extends v.GenericSchema<{ [name: string]: unknown }, object>>(
  schema: Schema,
  url: string,
): Said<v.InferOutput<Schema>> {
  // Repeated parameters are one with commas, and an empty field of a form is not said.
  const given: { [name: string]: string } = {};
  for (const [name, value] of new URL(url).searchParams) {
    if (value === "") continue;
    given[name] = Object.hasOwn(given, name) ? `${given[name]},${value}` : value;
  }
  const result = v.safeParse(schema, given);
  if (result.success) return result.output as Said<v.InferOutput<Schema>>; // optional entries that are absent stay absent
  const [issue] = result.issues;
  throw new Refusal(
    "invalid_query",
    `The parameter ${v.getDotPath(issue) ?? ""}: ${issue.message}`,
  );
}

/** Optional means absent: `undefined` never stands in a query. */
export type Said<Value> = { [Key in keyof Value]: Exclude<Value[Key], undefined> };

/** The sessions that the filter parameters speak of, for a key that may be bound to a product. */
export function filterOf<
  Given extends { state_path?: string; state_value?: string; product?: string },
>(
  { state_path, state_value, ...given }: Given,
  product: string | null,
): Omit<Given, "state_path" | "state_value"> & Pick<SessionFilter, "state" | "product"> {
  return {
    ...given,
    ...(state_path !== undefined && {
      state: { path: state_path, ...(state_value !== undefined && { value: state_value }) },
    }),
    ...(product !== null && { product }),
  };
}
