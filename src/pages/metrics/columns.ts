/** The columns of a table of statistics, and the order of its rows. */
import { grouped, type GroupedSession, type Grouping } from "../../core/comparison/grouping.ts";
import type { ComparedSeries } from "../../core/comparison/comparison.ts";
import { type GroupStatistics, statistics } from "../../core/comparison/statistics.ts";
import { inVersionOrder } from "../../core/query/order.ts";
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

type Examples = ReadonlyMap<string, GroupedSession>;

/** One session of each group. */
export function examplesOf(items: ComparedSeries[], by: Grouping): Examples {
  return new Map(
    [...grouped(items, by)].flatMap(([group, [first]]) => (first ? [[group, first.session]] : [])),
  );
}

/** The rows of the table of a metric. */
export function rowsOf(items: ComparedSeries[], sorting: Sorting): GroupStatistics[] {
  return inOrder(statistics(items, sorting.by), sorting, examplesOf(items, sorting.by));
}

/**
 * By a column, rows without its figure last. Otherwise versions from the newest of each product, sessions with most points first, everything else by
 * name.
 */
function inOrder(
  rows: GroupStatistics[],
  { by, sort, order }: Sorting,
  examples: Examples,
): GroupStatistics[] {
  const way = order === "asc" ? 1 : -1;
  if (sort === "group") {
    const ascending = byGroup(rows, by, examples, "asc");
    return order === "asc" ? ascending : ascending.toReversed();
  }
  if (sort !== undefined)
    return rows.toSorted((a, b) => {
      const [first, second] = [a[sort], b[sort]];
      if (first === null || second === null)
        return Number(first === null) - Number(second === null);
      return way * (first < second ? -1 : first > second ? 1 : 0);
    });
  if (by === "session") return rows;
  return byGroup(rows, by, examples, "desc");
}

/** `versions`: their order within a product. */
function byGroup(
  rows: GroupStatistics[],
  by: Grouping,
  examples: Examples,
  versions: "asc" | "desc",
): GroupStatistics[] {
  if (by !== "version") return rows.toSorted((a, b) => BY_NAME.compare(a.group, b.group));
  const seen = rows.map((row) => {
    const { product = "", version = row.group, created_at = 0 } = examples.get(row.group) ?? {};
    return { row, product, version, first_at: created_at };
  });
  const products = [...Map.groupBy(seen, ({ product }) => product)];
  return products
    .toSorted(([a], [b]) => BY_NAME.compare(a, b))
    .flatMap(([, of]) => {
      const ascending = inVersionOrder(of);
      return versions === "asc" ? ascending : ascending.toReversed();
    })
    .map(({ row }) => row);
}
