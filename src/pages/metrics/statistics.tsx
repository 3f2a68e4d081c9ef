/** The statistics of each group, as a table and as CSV. */
import { csvOf } from "../../core/text/csv.ts";
import { nameLabel, plainText } from "../../core/text/recorded-text.ts";
import { formatNumber, formatQuantity } from "../../core/text/format.ts";
import { distinctStep, endStep, finerStep } from "../../core/text/scale.ts";
import type { Grouping, GroupStatistics } from "../../core/comparison/comparison.ts";
import { markQuantile, type MetricType } from "../../core/vocabulary.ts";
import { STATISTICS_ROWS } from "../limits.ts";
import { address } from "../ui/address.ts";
import { Panel } from "../ui/panel.tsx";
import { LineMark } from "../ui/plot.tsx";
import { GROUP_LABELS, type Question, questionQuery } from "./question.ts";

const COLUMN_LABELS = {
  sessions: "Sessions",
  points: "Points",
  count: "Samples",
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
type Column = keyof typeof COLUMN_LABELS;
const QUANTILE_COLUMNS = ["p50", "p95", "p99"] as const;
/** A histogram has no deviation (its samples are not known one by one); a counter's values are running totals. */
const COLUMNS: Record<MetricType, readonly Column[]> = {
  gauge: ["sessions", "points", "mean", "min", "max", ...QUANTILE_COLUMNS, "stddev"],
  counter: ["sessions", "points", "total", "rate"],
  timer: ["sessions", "points", "mean", "min", "max", ...QUANTILE_COLUMNS, "stddev"],
  histogram: ["sessions", "count", "mean", "min", "max", ...QUANTILE_COLUMNS],
};

function isQuantile(column: Column): column is (typeof QUANTILE_COLUMNS)[number] {
  return QUANTILE_COLUMNS.some((each) => each === column);
}

/** Characters of a session's id: enough to distinguish those of one list. */
const SHOWN_ID = 13;

type TableProps = {
  question: Question;
  rows: GroupStatistics[];
  drawn: string[];
  unit: string;
  type: MetricType;
};

export function Statistics({ question, rows, drawn, unit, type }: TableProps) {
  const columns = COLUMNS[type];
  const shown = rows.slice(0, STATISTICS_ROWS);
  const steps = Object.fromEntries(
    columns.map((column) => [column, distinctStep(valuesOf(shown, column))]),
  );
  return (
    <Panel
      id="table"
      title="Statistics"
      aside={
        <>
          {rows.length > STATISTICS_ROWS ? (
            <span class="quiet">{`${STATISTICS_ROWS} of ${formatNumber(rows.length)}, all in the CSV`}</span>
          ) : null}
          <a class="tool" href={address("/metrics.csv", questionQuery(question))}>
            CSV
          </a>
        </>
      }
    >
      <div class="scroller" tabindex={0} role="group" aria-label="Statistics">
        <table class="plain-table statistics">
          <thead>
            <tr>
              <th scope="col">{GROUP_LABELS[question.by]}</th>
              {columns.map((column) => (
                <th scope="col" class="number">
                  {type === "counter" && column === "points" ? "Updates" : COLUMN_LABELS[column]}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr>
                <th scope="row">
                  {drawn.includes(row.group) ? (
                    <LineMark index={drawn.indexOf(row.group)} />
                  ) : (
                    <span class="no-mark"></span>
                  )}
                  <GroupName group={row.group} by={question.by} />
                </th>
                {columns.map((column) => (
                  <td class="number">{cell(row, column, unit, steps[column])}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

function GroupName({ group, by }: { group: string; by: Grouping }) {
  if (by === "session") {
    return (
      <a href={`/sessions/${encodeURIComponent(group)}`} title={group}>
        {group.slice(0, SHOWN_ID)}
      </a>
    );
  }
  return (
    <span class="name" title={plainText(group)}>
      {groupLabel(group, by)}
    </span>
  );
}

export function groupLabel(group: string, by: Grouping): string {
  return nameLabel(group, by === "none" ? "all" : "unnamed");
}

function valuesOf(rows: GroupStatistics[], column: Column): number[] {
  return rows.map((row) => row[column]).filter((value) => value !== null);
}

/**
 * `columnStep`: two groups with different values are written differently. So are the lowest and the highest value of a group, between which
 * its other figures are.
 */
function cell(row: GroupStatistics, column: Column, unit: string, columnStep?: number): string {
  const value = row[column];
  if (value === null) return "–";
  if (column === "sessions" || column === "points" || column === "count")
    return formatNumber(value);
  const isInRange = column !== "total" && column !== "rate" && column !== "stddev";
  const rowStep = isInRange ? endStep(row.min, row.max, unit) : undefined;
  const text = formatQuantity(value, unit, finerStep(rowStep, columnStep));
  if (isQuantile(column))
    return markQuantile(text, {
      exact: row.quantiles_exact === true,
      accuracy: row.quantiles_accuracy,
    });
  return column === "rate" ? `${text}/s` : text;
}

/** All rows of the table, with a header. */
export function statisticsCsv(rows: GroupStatistics[], type: MetricType): string {
  const columns: (Column | "quantiles_exact")[] = [...COLUMNS[type]];
  if (type !== "counter") columns.push("quantiles_exact");
  const cells = rows.map((row) => [row.group, ...columns.map((column) => row[column])]);
  return csvOf(["group", ...columns], cells);
}
