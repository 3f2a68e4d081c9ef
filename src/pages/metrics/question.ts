/** A query for metrics across sessions: their names, the filters and the presentation, all in the address. */
import { type Grouping, readGrouping } from "../../core/comparison/grouping.ts";
import type { TimeAxis } from "../../core/comparison/over-time.ts";
import { SESSION_FIGURES, type SessionFigure } from "../../core/comparison/scatter.ts";
import { asking, nameAsked } from "../../core/text/names.ts";
import type { MetricType } from "../../core/vocabulary.ts";
import { METRICS_AT_ONCE } from "../limits.ts";
import { readFilter, readTyped, type SessionSearch, searchQuery } from "../search.ts";
import type { AddressQuery } from "../ui/address.ts";
import { type Column, isColumn } from "./columns.ts";

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

const GROUP_LABELS: { [field: string]: string } = {
  none: "All together",
  product: "By product",
  version: "By version",
  machine: "By machine",
  status: "By status",
  session: "By session",
  os: "By operating system",
  language: "By language",
  browser: "By browser",
  exit_code: "By exit code",
  day: "By day of the start",
};

export function groupingLabel(by: Grouping): string {
  return GROUP_LABELS[by] ?? `By ${by}`;
}

export const AXES = {
  elapsed: "Since start",
  before_end: "Before the end",
  clock: "Clock time",
  metric: "Another metric",
};
type Axis = keyof typeof AXES;

/** The axis of time; where there is none, that of what is beside. */
export function timeAxisOf({ axis }: Question): TimeAxis {
  return axis === "metric" ? "elapsed" : axis;
}

/** A step of a chart: its sessions are listed. */
type ChosenStep = { at: number; metric: string };

export type Question = {
  search: SessionSearch;
  /** At most METRICS_AT_ONCE. */
  names: string[];
  by: Grouping;
  /** What was asked for, if it is nothing to group by. */
  wrongBy: string | undefined;
  axis: Axis;
  /** The metric of the horizontal axis, and its figure; for `axis` metric. */
  x: string | undefined;
  xFigure: SessionFigure | undefined;
  /** Undefined: the default of the metric's type. */
  aggregate: Aggregate | undefined;
  isLog: boolean;
  /** The part of the vertical axis that is shown. */
  low: number | undefined;
  high: number | undefined;
  /** Of the table; undefined: groups in their own order. */
  sort: Column | undefined;
  order: "asc" | "desc";
  step: ChosenStep | undefined;
};

/** The form has a field for one status. */
const FORM = { oneStatus: true };

export function readQuestion(query: URLSearchParams, now: number): Question {
  return questionOf(query, readFilter(query, now, FORM));
}

/** That of a form in which something was changed, as readTyped reads its search. */
export function readTypedQuestion(query: URLSearchParams, before: URLSearchParams, now: number) {
  const { search, changed } = readTyped(query, before, now, FORM);
  return { question: questionOf(query, search), changed };
}

function questionOf(query: URLSearchParams, search: SessionSearch): Question {
  const aggregate = query.get("aggregate") ?? "";
  const by = query.get("by")?.trim() || "version";
  const axis = query.get("axis") ?? "";
  const x = query.get("x")?.trim();
  const sort = query.get("table_sort") ?? "";
  const at = numberIn(query, "at");
  const names = [query.get("metric"), ...query.getAll("also")]
    .map((name) => name?.trim() ?? "")
    .filter((name) => name !== "")
    .map(nameAsked);
  const distinct = [...new Set(names)].slice(0, METRICS_AT_ONCE);
  return {
    search: { ...search, metric: distinct[0] },
    names: distinct,
    by: readGrouping(by) ?? "version",
    wrongBy: readGrouping(by) === undefined ? by : undefined,
    axis: isAxis(axis) ? axis : "elapsed",
    x: x ? nameAsked(x) : undefined,
    xFigure: SESSION_FIGURES.find((each) => each === query.get("x_figure")),
    aggregate: isAggregate(aggregate) ? aggregate : undefined,
    isLog: query.get("scale") === "log",
    low: numberIn(query, "low"),
    high: numberIn(query, "high"),
    sort: isColumn(sort) ? sort : undefined,
    order: query.get("table_order") === "asc" ? "asc" : "desc",
    step:
      at === undefined
        ? undefined
        : { at, metric: nameAsked(query.get("of")?.trim() || asking(distinct[0] ?? "")) },
  };
}

function numberIn(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)?.trim();
  const value = text ? Number(text) : NaN;
  return Number.isFinite(value) ? value : undefined;
}

function isAxis(name: string): name is Axis {
  return Object.hasOwn(AXES, name);
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

export function titleOf({ names, by, search: { filter } }: Question): string {
  const { product, version, status } = filter;
  if (names.length === 0) return "Metrics";
  const grouped = by === "none" ? undefined : groupingLabel(by).toLowerCase();
  return [names.join(", "), grouped, product, version, status?.join(", ")]
    .filter(Boolean)
    .join(" ");
}

/** The query parameters, without those that have their default. */
export function questionQuery(question: Question): AddressQuery {
  const { search, names, by, axis, x, xFigure, aggregate, isLog, low, high, sort, order, step } =
    question;
  const [, ...further] = names;
  return {
    ...searchQuery(search),
    also: further.map(asking),
    by: by === "version" ? undefined : by,
    axis: axis === "elapsed" ? undefined : axis,
    x: x === undefined ? undefined : asking(x),
    x_figure: xFigure,
    aggregate,
    scale: isLog ? "log" : undefined,
    low,
    high,
    table_sort: sort,
    table_order: sort !== undefined && order === "asc" ? "asc" : undefined,
    at: step?.at,
    of: step && names.length > 1 ? asking(step.metric) : undefined,
  };
}
