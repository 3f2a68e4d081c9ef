/** A query for a metric across sessions: its name, the filters and the presentation, all in the address. */
import { GROUPINGS, type Grouping } from "../../core/comparison/comparison.ts";
import type { MetricType } from "../../core/vocabulary.ts";
import { readFilter, type SessionSearch, searchQuery } from "../search.ts";

const AGGREGATES = {
  mean: "Mean",
  max: "Max",
  min: "Min",
  count: "Count",
  sum: "Sum",
  rate: "Rate per session",
  p50: "p50",
  p95: "p95",
  p99: "p99",
} as const;
export type Aggregate = keyof typeof AGGREGATES;
const QUANTILES = ["p50", "p95", "p99"] as const;
/** The aggregates of each type of metric, the default first. A counter has no mean, because its values are running totals. */
const AGGREGATES_OF: Record<MetricType, readonly Aggregate[]> = {
  gauge: ["mean", "max", "min", "count", "p50", "p95", "p99"],
  counter: ["rate", "count", "max"],
  timer: ["mean", "max", "min", "count", "sum", "p50", "p95", "p99"],
  histogram: ["mean", "max", "min", "count", "sum", "p50", "p95", "p99"],
};
/** A counter's values are its running total, and its points are updates. */
const COUNTER_LABELS: Partial<Record<Aggregate, string>> = {
  count: "Updates",
  max: "Highest total",
};

export function aggregatesOf(type: MetricType): Partial<Record<Aggregate, string>> {
  return Object.fromEntries(
    AGGREGATES_OF[type].map((each) => [
      each,
      (type === "counter" ? COUNTER_LABELS[each] : undefined) ?? AGGREGATES[each],
    ]),
  );
}

export const GROUP_LABELS: Record<Grouping, string> = {
  none: "All together",
  product: "By product",
  version: "By version",
  machine: "By machine",
  status: "By status",
  session: "By session",
};
export const AXES = { elapsed: "Since start", clock: "Clock time" };

export type Question = {
  search: SessionSearch;
  name: string | undefined;
  by: Grouping;
  axis: "elapsed" | "clock";
  /** Undefined: the default of the metric's type. */
  aggregate: Aggregate | undefined;
};

export function readQuestion(url: string, now: number): Question {
  const query = new URL(url).searchParams;
  const search = readFilter(query, now);
  const aggregate = query.get("aggregate") ?? "";
  return {
    search,
    name: search.metric,
    by: GROUPINGS.find((each) => each === query.get("by")) ?? "version",
    axis: query.get("axis") === "clock" ? "clock" : "elapsed",
    aggregate: isAggregate(aggregate) ? aggregate : undefined,
  };
}

export function shownOf({ aggregate }: Question, type: MetricType): Aggregate {
  return AGGREGATES_OF[type].find((each) => each === aggregate) ?? AGGREGATES_OF[type][0] ?? "mean";
}

function isAggregate(name: string): name is Aggregate {
  return Object.hasOwn(AGGREGATES, name);
}

export function isQuantile(
  aggregate: Aggregate | undefined,
): aggregate is (typeof QUANTILES)[number] {
  return QUANTILES.some((each) => each === aggregate);
}

export function titleOf({ name, by, search: { filter } }: Question): string {
  const { product, version, status } = filter;
  if (name === undefined) return "Metrics";
  const grouped = by === "none" ? undefined : GROUP_LABELS[by].toLowerCase();
  return [name, grouped, product, version, status?.join(", ")].filter(Boolean).join(" ");
}

/** The query parameters, without those that have their default. */
export function questionQuery({
  search,
  by,
  axis,
  aggregate,
}: Question): Record<string, string | number | undefined> {
  return {
    ...searchQuery(search),
    by: by === "version" ? undefined : by,
    axis: axis === "elapsed" ? undefined : axis,
    aggregate,
  };
}
