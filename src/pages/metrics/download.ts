/** What the page of metrics shows, as CSV and as JSON, by the same address. */
import { overTime } from "../../core/comparison/over-time.ts";
import { ungrouped } from "../../core/comparison/grouping.ts";
import { csvOf } from "../../core/text/csv.ts";
import { figuresOf, rowsOf } from "./columns.ts";
import type { Found, FoundMetric } from "./found.ts";
import { type Question, timeAxisOf } from "./question.ts";

/** All rows of the tables, with a header. Of several metrics each row names its own. */
export function statisticsCsv({ metrics }: Found, question: Question): string {
  const isOne = metrics.length === 1;
  const types = new Set(metrics.map(({ type }) => type));
  const figures = [...new Set([...types].flatMap(figuresOf))];
  const hasQuantiles = figures.includes("p50");
  const cells = metrics.flatMap(({ name, type, items }) =>
    rowsOf(items, question).map((row) => {
      const own = new Set(figuresOf(type));
      return [
        ...(isOne ? [] : [name]),
        row.group,
        ...figures.map((figure) => (own.has(figure) ? row[figure] : null)),
        ...(hasQuantiles ? [row.quantiles_exact] : []),
      ];
    }),
  );
  const header = [...(isOne ? [] : ["metric"]), "group", ...figures];
  return csvOf([...header, ...(hasQuantiles ? ["quantiles_exact"] : [])], cells);
}

export function metricsJson(found: Found, question: Question) {
  const { sessions, partial, unlisted, metrics } = found;
  return {
    sessions,
    partial,
    unlisted,
    by: question.by,
    metrics: metrics.map((metric) => metricJson(metric, question)),
  };
}

function metricJson({ name, type, unit, items }: FoundMetric, question: Question) {
  const { by } = question;
  return {
    name,
    type,
    unit,
    statistics: rowsOf(items, question),
    ungrouped: ungrouped(items, by), // sessions whose group is not known
    over_time: overTime(items, { by, axis: timeAxisOf(question) }),
  };
}
