/** The columns of a table of statistics, and the order of its rows. */
import type { Grouping } from "../../core/comparison/grouping.ts";
import type { GroupStatistics } from "../../core/comparison/statistics.ts";
import type { MetricType } from "../../core/vocabulary.ts";
import { BY_NAME } from "../ui/order.ts";

const COLUMN_LABELS = {
  group: "Group",
  sessions: "Sessions",
  points: "Points",
  count: "Samples",
  sum: "Sum",
  total: "Total",
  rate: "Rate",
  mean: "Mean",
  min: "Min",
  max: "Max",
  p50: "p50",
  p95: "p95",
  p99: "p99",
  stddev: "Std dev",
} as const;
export type Column = keyof typeof COLUMN_LABELS;
export type Figure = Exclude<Column, "group">;
const QUANTILE_COLUMNS = ["p50", "p95", "p99"] as const;
/** A histogram has no deviation (its samples are not known one by one); a counter's values are running totals. */
const FIGURES: Record<MetricType, readonly Figure[]> = {
  gauge: ["sessions", "points", "mean", "min", "max", ...QUANTILE_COLUMNS, "stddev"],
  counter: ["sessions", "points", "total", "rate"],
  timer: ["sessions", "points", "sum", "mean", "min", "max", ...QUANTILE_COLUMNS, "stddev"],
  histogram: ["sessions", "count", "sum", "mean", "min", "max", ...QUANTILE_COLUMNS],
};

export function figuresOf(type: MetricType): readonly Figure[] {
  return FIGURES[type];
}

export function isColumn(name: string): name is Column {
  return Object.hasOwn(COLUMN_LABELS, name);
}

export function isQuantileColumn(column: Figure): column is (typeof QUANTILE_COLUMNS)[number] {
  return QUANTILE_COLUMNS.some((each) => each === column);
}

export function columnLabel(column: Column, type: MetricType): string {
  return type === "counter" && column === "points" ? "Updates" : COLUMN_LABELS[column];
}

type Sorting = { by: Grouping; sort: Column | undefined; order: "asc" | "desc" };

/** By a column, rows without its figure last. Otherwise versions from the newest, sessions with most points first, everything else by name. */
export function inOrder(rows: GroupStatistics[], { by, sort, order }: Sorting): GroupStatistics[] {
  const way = order === "asc" ? 1 : -1;
  if (sort === "group") return rows.toSorted((a, b) => way * BY_NAME.compare(a.group, b.group));
  if (sort !== undefined)
    return rows.toSorted((a, b) => {
      const [first, second] = [a[sort], b[sort]];
      if (first === null || second === null)
        return Number(first === null) - Number(second === null);
      return way * (first < second ? -1 : first > second ? 1 : 0);
    });
  if (by === "session") return rows;
  return rows.toSorted((a, b) => (by === "version" ? -1 : 1) * BY_NAME.compare(a.group, b.group));
}
