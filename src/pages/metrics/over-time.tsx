/** A metric over time, a line for each group. */
import {
  overTime,
  type OverTimeQuery,
  quantilesOverTime,
  rangeOverTime,
  type TimeAxis,
} from "../../core/comparison/over-time.ts";
import type { GroupStatistics } from "../../core/comparison/statistics.ts";
import { stepGap } from "../../core/metrics/gaps.ts";
import { formatCount, formatDuration, formatNumber } from "../../core/text/format.ts";
import { nameLabel } from "../../core/text/recorded-text.ts";
import { APPROXIMATE, type MetricType, percentOf } from "../../core/vocabulary.ts";
import { CHART_GROUPS } from "../limits.ts";
import { address } from "../ui/address.ts";
import { Panel } from "../ui/panel.tsx";
import { Time } from "../ui/time.tsx";
import { axisOf, Legend, type Line, Plot } from "../ui/plot.tsx";
import type { Found, FoundMetric } from "./found.ts";
import {
  type Aggregate,
  aggregatesOf,
  isQuantile,
  type Question,
  questionQuery,
  shownOf,
  timeAxisOf,
} from "./question.ts";
import { groupLabel } from "./statistics.tsx";

/** The range of all metrics together, so that their plots have one axis. */
export type Range = { from: number; to: number };

type Props = {
  question: Question;
  metric: FoundMetric;
  found: Found;
  rows: GroupStatistics[];
  drawn: string[];
  range: Range | undefined;
  /** Distinguishes the panels of several metrics. */
  suffix: string;
};

export function OverTime({ question, metric, found, rows, drawn, range, suffix }: Props) {
  const { by, isLog, low, high } = question;
  const axis = timeAxisOf(question);
  const { type, unit } = metric;
  const name = nameLabel(metric.name);
  const aggregate = shownOf(question, type);
  const time = linesOverTime(metric, question, range);
  const label = aggregatesOf(type)[aggregate] ?? "";
  const lines = drawn.map((group, index): Line => {
    const line = time.groups.find((each) => each.group === group);
    return {
      points: [],
      ...line,
      // Of several groups, the ranges would cover each other.
      band: drawn.length === 1 ? line?.band : undefined,
      name: groupLabel(group, by),
      index,
      aggregate: {
        label: `${label.toLowerCase()} in ${formatDuration(time.step_ms)}`,
        from: (at: number) => at,
        ms: time.step_ms,
      },
    };
  });
  const when = WHEN[axis];
  const isAlone = question.names.length === 1;
  const scaled = {
    lines,
    unit: aggregate === "count" ? "" : unit,
    perSecond: aggregate === "rate",
    isLog,
    // A range of one unit is none of another.
    ...(isAlone && { low, high }),
  };
  return (
    <Panel
      id={`over-time${suffix}`}
      title={`${name}, ${label.toLowerCase()} ${when}`}
      aside={
        <span class="quiet">
          {time.isExact ? "" : `${APPROXIMATE} ${accuracyLabel(type, time.accuracy)}, `}
          {formatCount(sessionsIn(rows), "session")}
          <ReadTo found={found} />
        </span>
      }
    >
      <Plot
        {...scaled}
        from={time.from}
        to={time.to}
        axis={axis === "clock" ? "clock" : "elapsed"}
        title={`${name} ${when}`}
        form={isAlone ? "metrics-form" : undefined}
        sessions={address("/metrics", {
          ...questionQuery({ ...question, step: { at: 0, metric: metric.name } }),
          at: undefined,
        })}
      />
      {by === "none" ? null : <Legend lines={lines} />}
      <Notes
        time={time}
        rows={rows.length}
        drawn={drawn.length}
        scaled={scaled}
        whole={address("/metrics", questionQuery({ ...question, low: undefined, high: undefined }))}
      />
    </Panel>
  );
}

/** Where the sessions end that were read, and which of them are not certain. */
function ReadTo({ found: { next, searched_to, unsure } }: { found: Found }) {
  return (
    <>
      {next === null || searched_to === null ? null : (
        <>
          , the newest that match, since <Time at={searched_to} show="minute" />
        </>
      )}
      {unsure === 0 ? null : `, of which ${formatNumber(unsure)} may not match`}
    </>
  );
}

const WHEN: Record<TimeAxis, string> = {
  elapsed: "since start",
  before_end: "before the end",
  clock: "over time",
};

function sessionsIn(rows: GroupStatistics[]): number {
  return rows.reduce((sum, { sessions }) => sum + sessions, 0);
}

/** The groups with a line, in the table's order: the newest versions, otherwise those with most points. */
export function drawnOf(rows: GroupStatistics[], { by, sort }: Question): string[] {
  // The table's own order is what one chose to look at.
  const isChosen = by === "version" || sort !== undefined;
  const preferred = isChosen ? rows : rows.toSorted((a, b) => b.points - a.points);
  const drawn = new Set(preferred.slice(0, CHART_GROUPS));
  return rows.filter((row) => drawn.has(row)).map(({ group }) => group);
}

type NotesProps = {
  time: LinesOverTime;
  rows: number;
  drawn: number;
  scaled: Parameters<typeof axisOf>[0];
  /** The address of the plot with all values. */
  whole: string;
};

/** What the plot does not show. */
function Notes({ time, rows, drawn, scaled, whole }: NotesProps) {
  const { undrawn, unended } = time;
  const points = scaled.lines.flatMap(({ points: own }) => own.map(([, value]) => value));
  const axis = axisOf(scaled);
  const negative = scaled.isLog ? points.filter((value) => value <= 0).length : 0;
  const outside = points.filter(
    (value) => !(scaled.isLog && value <= 0) && axis && (value < axis.low || value > axis.high),
  ).length;
  const notes = [
    ...(rows > drawn ? [`${drawn} of ${formatNumber(rows)} lines are drawn.`] : []),
    ...(undrawn > 0
      ? [
          `${formatCount(undrawn, "session")} ${undrawn === 1 ? "is" : "are"} longer than a step and not read over time: in the table, not in the plot.`,
        ]
      : []),
    ...(unended > 0
      ? [
          `${formatCount(unended, "session")} without an end ${unended === 1 ? "is" : "are"} left out of the plot.`,
        ]
      : []),
    ...(negative > 0
      ? [`${formatCount(negative, "value")} of 0 or less cannot be on a logarithmic axis.`]
      : []),
    ...(outside > 0
      ? [
          `${formatCount(outside, "value")} ${outside === 1 ? "is" : "are"} above or below the shown range.`,
        ]
      : []),
  ];
  const isCut = scaled.low !== undefined || scaled.high !== undefined;
  if (notes.length === 0 && !isCut) return null;
  return (
    <p class="panel-note quiet">
      {notes.join(" ")} {isCut ? <a href={whole}>Show all values</a> : null}
    </p>
  );
}

/** How near the quantiles are that are not exact. */
function accuracyLabel(type: MetricType, accuracy: number): string {
  return type === "histogram"
    ? "from the histogram’s buckets"
    : `within ${Math.max(1, percentOf(accuracy))} %`;
}

type LinesOverTime = Range & {
  step_ms: number;
  groups: (Pick<Line, "points" | "gap" | "band"> & { group: string })[];
  isExact: boolean;
  /** The greatest relative error of a quantile, if it exceeds 1 %; else 0. */
  accuracy: number;
  undrawn: number;
  unended: number;
};

function linesOverTime(
  { items, type }: FoundMetric,
  question: Question,
  range: Range | undefined,
): LinesOverTime {
  const aggregate = shownOf(question, type);
  const query: OverTimeQuery = { by: question.by, axis: timeAxisOf(question), ...range };
  if (isQuantile(aggregate)) {
    const time = quantilesOverTime(items, query);
    const groups = time.groups.map(({ group, steps }) => ({
      group,
      points: steps.map((step): [number, number] => [step.at, step[aggregate]]),
      gap: stepGap(steps, time.step_ms),
    }));
    const isExact = time.groups.every(({ steps }) => steps.every(({ exact }) => exact));
    const errors = time.groups.flatMap(({ steps }) => steps.map((step) => step.accuracy ?? 0));
    return { ...time, groups, isExact, accuracy: errors.reduce((a, b) => Math.max(a, b), 0) };
  }
  const time = overTime(items, query);
  const groups = time.groups.map(({ group, steps }) => ({
    group,
    points: steps.flatMap((step): [number, number][] => {
      const value = step[aggregate];
      return value === null ? [] : [[step.at, value]];
    }),
    band: hasRange(aggregate)
      ? steps.map(({ at, min, max }): [number, number, number] => [at, min, max])
      : undefined,
    gap: stepGap(steps, time.step_ms),
  }));
  return { ...time, groups, isExact: true, accuracy: 0 };
}

/** The least and the greatest value are around a mean. */
function hasRange(aggregate: Aggregate): boolean {
  return aggregate === "mean";
}

/** One range for the plots of several metrics. */
export function rangeOf({ metrics }: Found, question: Question): Range | undefined {
  if (metrics.length < 2) return undefined;
  const axis = timeAxisOf(question);
  const ranges = metrics
    .filter(({ items }) => items.length > 0)
    .map(({ items }) => rangeOverTime(items, { axis }));
  return {
    from: Math.min(...ranges.map(({ from }) => from)),
    to: Math.max(...ranges.map(({ to }) => to)),
  };
}
