/** Tables over time: sessions counted by step, and a metric's values or quantiles by step. Rows are in order of time, as Grafana needs them. */
import type { SessionRow } from "../../core/answers/session-row.ts";
import type { ComparedSeries } from "../../core/comparison/comparison.ts";
import { grouper, type Grouping } from "../../core/comparison/grouping.ts";
import {
  overTime,
  type OverTimeQuery,
  quantilesOverTime,
} from "../../core/comparison/over-time.ts";
import { MAX_POINTS } from "../../core/limits.ts";
import { hasFailed } from "../../core/status/outcome.ts";
import type { Status } from "../../core/vocabulary.ts";
import { MAX_TABLE_ROWS, TABLE_STEPS } from "../limits.ts";
import { type Row, timed } from "./rows.ts";

/** `step`: the least width of a step in milliseconds. */
type Steps = { by?: Grouping; from?: number; to?: number; step?: number };

/** Sessions by the step in which they started and by group; steps without sessions have no row. */
export function countRows(sessions: SessionRow[], { by = "none", from, to, step }: Steps): Row[] {
  const starts = sessions.map(({ created_at }) => created_at);
  const begin = from ?? starts.reduce((least, at) => Math.min(least, at), Infinity);
  const end = to ?? starts.reduce((most, at) => Math.max(most, at), 0) + 1;
  const width = Math.max(1, Math.ceil((end - begin) / bucketsOf({ from: begin, to: end, step })));
  const groupOf = grouper(by);
  const steps = new Map<string, Counts>();
  for (const session of sessions) {
    const at = begin + Math.floor((session.created_at - begin) / width) * width;
    const group = groupOf(session);
    const key = `${at} ${group}`;
    let counts = steps.get(key);
    if (!counts) steps.set(key, (counts = { at, group, ...NONE }));
    counts.sessions++;
    counts[session.status]++;
    if (hasFailed(session)) counts.failed++;
    if (session.ever_hung) counts.ever_hung++;
  }
  return inOrder([...steps.values()]).map(({ at, group, ...counts }) => ({
    ...timed("time", at),
    group,
    ...counts,
  }));
}

type Counts = { at: number; group: string | null } & typeof NONE;
const NONE = {
  sessions: 0,
  active: 0,
  suspended: 0,
  hung: 0,
  crashed: 0,
  ended: 0,
  failed: 0, // of those that ended
  ever_hung: 0,
} satisfies { [status in Status | "sessions" | "failed" | "ever_hung"]: number };

/** `undrawn`: sessions that are in no step (core/comparison/over-time.ts). */
type InSteps<Of> = { rows: Of[]; undrawn: number };

/** A metric's values by step and group. `value`: what is drawn of its type, the rate of a counter and the mean of any other. */
export function valueRows(items: ComparedSeries[], steps: Steps): InSteps<Row> {
  const drawn = items.some(({ type }) => type === "counter") ? "rate" : "mean";
  return inSteps(steps, (asked) => {
    const { groups, undrawn } = overTime(items, asked);
    const rows = groups.flatMap(({ group, steps: own }) =>
      own.map((values) => ({ group, value: values[drawn], ...values })),
    );
    return { rows, undrawn };
  });
}

/** A metric's quantiles by step and group. */
export function quantileRows(items: ComparedSeries[], steps: Steps): InSteps<Row> {
  return inSteps(steps, (asked) => {
    const { groups, undrawn } = quantilesOverTime(items, asked);
    const rows = groups.flatMap(({ group, steps: own }) =>
      own.map(({ accuracy = null, ...values }) => ({ group, ...values, accuracy })),
    );
    return { rows, undrawn };
  });
}

/** The group is null where the catalog does not have its value. */
type At = { at: number; group: string | null };

/** The rows, in wider steps if there would be more than MAX_TABLE_ROWS. */
function inSteps<Step extends At & Row>(
  steps: Steps,
  rowsOf: (asked: Required<Pick<OverTimeQuery, "buckets">> & OverTimeQuery) => InSteps<Step>,
): InSteps<Row> {
  const asked = chartOf(steps);
  let found = rowsOf(asked);
  if (found.rows.length > MAX_TABLE_ROWS) {
    const fewer = Math.floor((asked.buckets * MAX_TABLE_ROWS) / found.rows.length);
    found = rowsOf({ ...asked, buckets: Math.max(1, fewer) });
  }
  const rows = inOrder(found.rows).map(({ at, group, ...values }) => ({
    ...timed("time", at),
    group,
    ...values,
  }));
  return { rows, undrawn: found.undrawn };
}

/** The chart that a table with these steps is made from. */
export function chartOf({ step, ...range }: Steps) {
  return { ...range, buckets: bucketsOf({ ...range, step }) };
}

/** Into how many steps the range is divided at most. */
function bucketsOf({ from, to, step }: Omit<Steps, "by">): number {
  if (step === undefined || from === undefined || to === undefined) return TABLE_STEPS;
  return Math.min(MAX_POINTS, Math.max(1, Math.ceil((to - from) / step)));
}

function inOrder<Step extends At>(steps: Step[]): Step[] {
  return steps.toSorted((a, b) => a.at - b.at || ((a.group ?? "") < (b.group ?? "") ? -1 : 1));
}
