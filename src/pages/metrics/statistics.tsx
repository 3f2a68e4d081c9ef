/** The statistics of each group as a table, which each of its columns sorts. */
import { MAX_DISTRIBUTED_SESSIONS } from "../../catalog/limits.ts";
import type { Grouping, GroupedSession } from "../../core/comparison/grouping.ts";
import type { GroupStatistics } from "../../core/comparison/statistics.ts";
import { nameLabel, plainText } from "../../core/text/recorded-text.ts";
import { formatNumber, formatQuantity } from "../../core/text/format.ts";
import { distinctStep, endStep, finerStep } from "../../core/text/scale.ts";
import { markQuantile } from "../../core/vocabulary.ts";
import { QUERY_LENGTH, STATISTICS_ROWS } from "../limits.ts";
import { searchQuery } from "../search.ts";
import { quoted } from "../../core/query/complete.ts";
import { address } from "../ui/address.ts";
import { Panel } from "../ui/panel.tsx";
import { LegendMark } from "../ui/plot.tsx";
import { type Column, columnLabel, type Figure, figuresOf, isQuantileColumn } from "./columns.ts";
import type { FoundMetric } from "./found.ts";
import { groupTerm } from "./group-query.ts";
import { groupingLabel, type Question, questionQuery } from "./question.ts";

/** Characters of a session's id: enough to distinguish those of one list. */
const SHOWN_ID = 13;

type TableProps = {
  question: Question;
  metric: FoundMetric;
  rows: GroupStatistics[];
  drawn: string[];
  /** One session of each group. */
  examples: ReadonlyMap<string, GroupedSession>;
  suffix: string;
};

export function Statistics({ question, metric, rows, drawn, examples, suffix }: TableProps) {
  const { type, unit } = metric;
  const columns = figuresOf(type);
  const shown = rows.slice(0, STATISTICS_ROWS);
  const steps = Object.fromEntries(
    columns.map((column) => [column, distinctStep(valuesOf(shown, column))]),
  );
  const query = questionQuery(question);
  return (
    <Panel
      id={`table${suffix}`}
      title="Statistics"
      aside={
        <>
          <QuantilesOf rows={rows} />
          {rows.length > STATISTICS_ROWS ? (
            <span class="quiet">{`${STATISTICS_ROWS} of ${formatNumber(rows.length)}, all in the CSV`}</span>
          ) : null}
          {suffix === "" ? (
            <span class="tools">
              <a class="tool" href={address("/metrics.csv", query)}>
                CSV
              </a>
              <a class="tool" href={address("/metrics.json", query)}>
                JSON
              </a>
              <a class="tool" href="/docs/metrics#what-is-exact">
                What is exact
              </a>
            </span>
          ) : null}
        </>
      }
    >
      <div class="scroller" tabindex={0} role="group" aria-label="Statistics">
        <table class="plain-table statistics">
          <thead>
            <tr>
              <Header question={question} column="group" label={groupingLabel(question.by)} />
              {columns.map((column) => (
                <Header
                  question={question}
                  column={column}
                  label={columnLabel(column, type)}
                  isNumber
                />
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr>
                <th scope="row">
                  {drawn.includes(row.group) ? (
                    <LegendMark
                      index={drawn.indexOf(row.group)}
                      isPoint={question.axis === "metric"}
                    />
                  ) : (
                    <span class="no-mark"></span>
                  )}
                  <GroupName group={row.group} by={question.by} />
                </th>
                {columns.map((column) => (
                  <td class="number">
                    {column === "sessions" ? (
                      <Sessions
                        row={row}
                        question={question}
                        metric={metric}
                        example={examples.get(row.group)}
                      />
                    ) : (
                      cell(row, column, unit, steps[column])
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

/** Which sessions the quantiles are of, if not of all. */
function QuantilesOf({ rows }: { rows: GroupStatistics[] }) {
  const isPart = rows.some(({ quantiles_sessions }) => quantiles_sessions !== undefined);
  return isPart ? (
    <span class="quiet">{`p50, p95 and p99 of the newest ${formatNumber(MAX_DISTRIBUTED_SESSIONS)} sessions`}</span>
  ) : null;
}

type HeaderProps = { question: Question; column: Column; label: string; isNumber?: boolean };

/** A link that sorts by the column, and by it in the other direction if it does already. */
function Header({ question, column, label, isNumber }: HeaderProps) {
  const { sort, order } = question;
  const first = column === "group" ? "asc" : "desc";
  const next = sort === column ? (order === "asc" ? "desc" : "asc") : first;
  const path = address("/metrics", questionQuery({ ...question, sort: column, order: next }));
  return (
    <th
      scope="col"
      class={isNumber ? "number" : undefined}
      aria-sort={sort === column ? (order === "asc" ? "ascending" : "descending") : undefined}
    >
      <a href={path} hx-get={path} hx-target="#answer" hx-swap="outerHTML">
        {label}
      </a>
    </th>
  );
}

type SessionsProps = {
  row: GroupStatistics;
  question: Question;
  metric: FoundMetric;
  example: GroupedSession | undefined;
};

/** The number of sessions, as a link to their list where a query finds exactly these. */
function Sessions({ row, question, metric, example }: SessionsProps) {
  const { by, search } = question;
  const text = formatNumber(row.sessions);
  const term = example && groupTerm(by, row.group, example);
  if (term === undefined) return <>{text}</>;
  const query = [search.query, term, `metric:${quoted(metric.name)}`].filter(Boolean).join(" ");
  if (query.length > QUERY_LENGTH) return <>{text}</>;
  // The metric is a column of the list.
  return (
    <a href={address("/sessions", searchQuery({ ...search, query, metric: metric.name }))}>
      {text}
    </a>
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
  const isName = by === "product" || by === "version" || by === "machine";
  return nameLabel(group, by === "none" ? "all" : isName ? "unnamed" : "none");
}

function valuesOf(rows: GroupStatistics[], column: Figure): number[] {
  return rows.map((row) => row[column]).filter((value) => value !== null);
}

/**
 * `columnStep`: two groups with different values are written differently. So are the lowest and the highest value of a group, between which
 * its other figures are.
 */
function cell(row: GroupStatistics, column: Figure, unit: string, columnStep?: number): string {
  const value = row[column];
  if (value === null) return "–";
  if (column === "sessions" || column === "points" || column === "count")
    return formatNumber(value);
  const isInRange = !["sum", "total", "rate", "stddev"].includes(column);
  const rowStep = isInRange ? endStep(row.min, row.max, unit) : undefined;
  const text = formatQuantity(value, unit, finerStep(rowStep, columnStep));
  if (isQuantileColumn(column))
    return markQuantile(text, {
      exact: row.quantiles_exact === true && row.quantiles_sessions === undefined,
      accuracy: row.quantiles_accuracy,
    });
  return column === "rate" ? `${text}/s` : text;
}
