/** The list of a session's series: the fields of a query, and what a series has of each. */
import type { SeriesSummary } from "../answers/metrics.ts";
import { matcherOf, type RowList, type Scalar } from "../query/evaluate.ts";
import { queryList } from "../query/list.ts";
import type { Query } from "../query/tree.ts";
import { fold } from "../text/fold.ts";
import { METRIC_TYPES } from "../vocabulary.ts";

export const SERIES_LIST = queryList(
  [
    { name: "name", kind: "text", about: "Name of the metric" },
    { name: "metric", kind: "text", about: "The same as name" },
    { name: "type", kind: "choice", about: "Type", choices: METRIC_TYPES },
    { name: "unit", kind: "text", about: "Unit" },
    { name: "tag", kind: "text", about: "Tag; tag.device:gpu is the tag device:gpu" },
    { name: "points", kind: "number", about: "Number of points" },
    { name: "min", kind: "number", about: "Least value" },
    { name: "max", kind: "number", about: "Greatest value" },
    { name: "mean", kind: "number", about: "Mean; a counter has none" },
    { name: "stddev", kind: "number", about: "Standard deviation of a gauge or timer" },
    { name: "sum", kind: "number", about: "Sum; a counter has none" },
    { name: "first", kind: "number", about: "First value" },
    { name: "last", kind: "number", about: "Last value" },
    { name: "rate", kind: "number", about: "Increase of a counter per second" },
    { name: "p50", kind: "number", about: "Median; a counter has none" },
    { name: "p95", kind: "number", about: "95th percentile; a counter has none" },
    { name: "p99", kind: "number", about: "99th percentile; a counter has none" },
  ],
  [{ name: "tag", about: "Value of a tag key:value : tag.device:gpu" }],
);

const SERIES: RowList<SeriesSummary> = {
  ...SERIES_LIST,
  valuesOf: (series, field) => {
    switch (field) {
      case "tag":
        return series.tags;
      case "name":
      case "metric":
        return [series.name];
      case "unit":
        return series.unit === "" ? [] : [series.unit];
      default:
        return figureOf(series, field);
    }
  },
  textOf: ({ name, type, unit, tags }) => fold([name, type, unit, ...tags].join("\n")),
};

function figureOf(series: SeriesSummary, field: string): Scalar[] {
  // The values of a counter are its running total, whose mean has no meaning.
  if (series.type === "counter" && OF_VALUES.has(field)) return [];
  const { quantiles } = series;
  const figures: { [field: string]: Scalar | undefined } = {
    ...(quantiles && { p50: quantiles.p50, p95: quantiles.p95, p99: quantiles.p99 }),
    type: series.type,
    points: series.points,
    min: series.min,
    max: series.max,
    mean: series.mean,
    stddev: series.stddev ?? undefined,
    sum: series.sum,
    first: series.first,
    last: series.last,
    rate: series.rate,
  };
  const figure = figures[field];
  return figure === undefined ? [] : [figure];
}

const OF_VALUES = new Set(["mean", "stddev", "sum"]);

/** Metrics over all sessions. */
export const METRIC_LIST = queryList(
  ["name", "metric", "type", "unit"].flatMap((name) => SERIES_LIST.fields.get(name) ?? []),
);

type Metric = Pick<SeriesSummary, "name" | "type" | "unit">;

const METRICS: RowList<Metric> = {
  ...METRIC_LIST,
  valuesOf: (metric, field) => {
    const value = metric[field === "metric" ? "name" : (field as keyof Metric)]; // as: of METRIC_LIST
    return value === "" ? [] : [value];
  },
  textOf: ({ name, type, unit }) => fold([name, type, unit].join("\n")),
};

/** Those that pass the query. */
export function metricsPassing<Named extends Metric>(all: Named[], query: Query): Named[] {
  return all.filter(matcherOf(query, METRICS));
}

/** Those that pass the query; all without one. */
export function seriesPassing(all: SeriesSummary[], query: Query | undefined): SeriesSummary[] {
  return query ? all.filter(matcherOf(query, SERIES)) : all;
}
