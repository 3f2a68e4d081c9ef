/** The sessions that have values in one step of a chart, each with what it adds. */
import { grouper } from "../../core/comparison/grouping.ts";
import { overTime, type TimeAxis } from "../../core/comparison/over-time.ts";
import { quoted } from "../../core/query/complete.ts";
import {
  formatCount,
  formatDuration,
  formatNumber,
  formatQuantity,
} from "../../core/text/format.ts";
import { plainText } from "../../core/text/recorded-text.ts";
import { distinctStep } from "../../core/text/scale.ts";
import { QUERY_LENGTH, STEP_SESSIONS } from "../limits.ts";
import { address } from "../ui/address.ts";
import { Empty } from "../ui/empty.tsx";
import { Panel } from "../ui/panel.tsx";
import { Time } from "../ui/time.tsx";
import type { FoundMetric } from "./found.ts";
import type { Range } from "./over-time.tsx";
import { type Question, questionQuery, timeAxisOf } from "./question.ts";
import { groupLabel } from "./statistics.tsx";

type StepProps = {
  question: Question;
  metric: FoundMetric;
  /** The chosen moment on the axis of the chart. */
  at: number;
  range: Range | undefined;
};

type StepRow = {
  session: FoundMetric["items"][number]["session"];
  /** The mean, or of a counter the rate. */
  value: number | null;
  min: number;
  max: number;
  count: number;
};

export function StepSessions({ question, metric, at, range }: StepProps) {
  const { from, to, rows } = rowsIn(question, metric, at, range);
  const shown = rows.slice(0, STEP_SESSIONS);
  const query = rows.map(({ session }) => quoted(session.id)).join(",");
  const { metric: column } = questionQuery(question);
  return (
    <Panel
      id="step"
      title={`Sessions in this step: ${formatNumber(rows.length)}`}
      aside={
        <>
          <When axis={timeAxisOf(question)} from={from} to={to} />
          <span class="tools">
            {rows.length > 0 && query.length <= QUERY_LENGTH ? (
              <a class="tool" href={address("/sessions", { text: `id:${query}`, metric: column })}>
                Open as a list
              </a>
            ) : null}
            <a
              class="tool"
              href={address("/metrics", questionQuery({ ...question, step: undefined }))}
            >
              Close
            </a>
          </span>
        </>
      }
    >
      {rows.length === 0 ? (
        <Empty title="No session has values in this step" />
      ) : (
        <StepTable question={question} metric={metric} rows={shown} from={from} />
      )}
      {rows.length > shown.length ? (
        <p class="panel-note quiet">{`The ${formatCount(shown.length, "session")} with the greatest ${metric.type === "counter" ? "rate" : "mean"} are listed.`}</p>
      ) : null}
    </Panel>
  );
}

/** The step that contains the moment, and what each session has in it, the greatest first. */
function rowsIn(
  question: Question,
  { items, type }: FoundMetric,
  at: number,
  range: Range | undefined,
): { from: number; to: number; rows: StepRow[] } {
  const axis = timeAxisOf(question);
  const chart = overTime(items, { axis, ...range });
  const from = chart.from + Math.floor((at - chart.from) / chart.step_ms) * chart.step_ms;
  const to = from + chart.step_ms;
  const inStep = overTime(items, { axis, by: "session", from, to, buckets: 1 });
  const sessions = new Map(items.map(({ session }) => [session.id, session]));
  const rows = inStep.groups.flatMap(({ group, steps: [step] }): StepRow[] => {
    const session = sessions.get(group);
    if (!step || !session) return [];
    const { min, max, count, rate, mean } = step;
    return [{ session, value: type === "counter" ? rate : mean, min, max, count }];
  });
  return {
    from,
    to,
    rows: rows.toSorted((a, b) => (b.value ?? -Infinity) - (a.value ?? -Infinity)),
  };
}

function When({ axis, from, to }: { axis: TimeAxis; from: number; to: number }) {
  return (
    <span class="quiet">
      {axis === "clock" ? (
        <>
          <Time at={from} show="full" /> for {formatDuration(to - from)}
        </>
      ) : (
        `${formatDuration(from)} to ${formatDuration(to)} ${axis === "elapsed" ? "since start" : "from the end"}`
      )}
    </span>
  );
}

type TableProps = { question: Question; metric: FoundMetric; rows: StepRow[]; from: number };

function StepTable({ question, metric: { type, unit }, rows, from }: TableProps) {
  const { by } = question;
  const groupOf = grouper(by);
  const step = distinctStep(
    rows.flatMap(({ value, min, max }) => [min, max, ...(value === null ? [] : [value])]),
  );
  const isCounter = type === "counter";
  const columns = [isCounter ? "Rate" : "Mean", "Min", "Max", isCounter ? "Updates" : "Values"];
  return (
    <div class="scroller" tabindex={0} role="group" aria-label="Sessions in this step">
      <table class="plain-table statistics">
        <thead>
          <tr>
            <th scope="col">Session</th>
            {by === "none" ? null : <th scope="col">Group</th>}
            {columns.map((label) => (
              <th scope="col" class="number">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ session, value, min, max, count }) => (
            <tr>
              <th scope="row">
                <a
                  href={address(`/sessions/${encodeURIComponent(session.id)}`, {
                    t: Math.round(originOf(session, timeAxisOf(question)) + from),
                  })}
                  title={session.id}
                >
                  {plainText(`${session.product} ${session.version}`)}{" "}
                  <code>{session.id.slice(0, 8)}</code>
                </a>
              </th>
              {by === "none" ? null : <td>{groupLabel(groupOf(session) ?? "", by)}</td>}
              <td class="number">
                {value === null ? "–" : formatQuantity(value, unit, step) + (isCounter ? "/s" : "")}
              </td>
              <td class="number">{formatQuantity(min, unit, step)}</td>
              <td class="number">{formatQuantity(max, unit, step)}</td>
              <td class="number">{formatNumber(count)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function originOf({ created_at, ended_at }: StepRow["session"], axis: TimeAxis): number {
  return axis === "clock" ? 0 : axis === "elapsed" ? created_at : (ended_at ?? 0);
}
