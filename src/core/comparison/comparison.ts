/** Combines one metric's series of many sessions: by group, over time, and as a distribution. */
import type { Quantiles } from "../answers.ts";
import { Distribution, type PackedDistribution } from "../metrics/distribution.ts";
import { MAX_ROLLUP_BUCKETS } from "../limits.ts";
import {
  addTotal,
  meanOf,
  mergeMoments,
  newMoments,
  newTotal,
  sumOf,
  type Total,
} from "../metrics/moments.ts";
import { perSecond } from "../metrics/rate.ts";
import type { QuantileSteps, Rollup } from "../metrics/rollup.ts";
import type { MetricType, Status } from "../vocabulary.ts";

export const GROUPINGS = ["none", "product", "version", "machine", "status", "session"] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** `clock`: by the time of the points; `elapsed`: by the time since the start of their session. */
export const AXES = ["clock", "elapsed"] as const;

/** One series of one session, as the catalog has it. */
export type ComparedSeries = {
  session: {
    id: string;
    product: string;
    version: string;
    status: Status;
    machine_id: string;
    hostname: string;
    created_at: number;
  };
  type: MetricType;
  points: number;
  /** Samples of histograms; else points. */
  count: number;
  /** Their sum, in the three parts of core/metrics/moments.ts. */
  sum: number;
  sum_low: number;
  sum_scale: number;
  /** Null of a histogram: the deviation of its samples is not known. */
  deviation: number | null;
  min: number;
  max: number;
  first: number;
  last: number;
  first_at: number;
  last_at: number;
  /** Of a counter. */
  increase: number;
  distribution: PackedDistribution | null;
  rollup: Rollup | null;
  /** Null if they were not asked for. */
  quantile_steps: QuantileSteps | null;
};

/** The statistics of one group of sessions. */
export type GroupStatistics = {
  /** The product, version ("product version"), machine, status or session that they share; "" when not grouped. */
  group: string;
  sessions: number;
  points: number;
  count: number;
  sum: number;
  mean: number;
  min: number;
  max: number;
  stddev: number | null;
  p50: number | null;
  p95: number | null;
  p99: number | null;
  /** Whether the quantiles are those of the values themselves; null without quantiles. */
  quantiles_exact: boolean | null;
  /** Their greatest relative error, if it exceeds 1 %. */
  quantiles_accuracy?: number;
  /** Counters: the sum of their last values. */
  total: number | null;
  /** Counters: a session's increase per second. Each session weighs by the time that it ran, so that more sessions do not raise it. */
  rate: number | null;
};

/** The statistics of each group, the group with most points first. */
export function statistics(items: ComparedSeries[], by: Grouping = "none"): GroupStatistics[] {
  return [...grouped(items, by)]
    .map(([group, members]) => statisticsOf(group, members))
    .sort((a, b) => b.points - a.points || (a.group < b.group ? -1 : 1));
}

function grouped(items: ComparedSeries[], by: Grouping): Map<string, ComparedSeries[]> {
  return groupBy(items, ({ session }) => groupOf(session, by));
}

/** The group that a session belongs to. */
export function groupOf(session: ComparedSeries["session"], by: Grouping): string {
  switch (by) {
    case "product":
      return session.product;
    case "version":
      return `${session.product} ${session.version}`.trim();
    case "machine":
      return session.hostname || session.machine_id;
    case "status":
      return session.status;
    case "session":
      return session.id;
    case "none":
      return "";
  }
}

function groupBy<Item>(items: Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

function statisticsOf(group: string, members: ComparedSeries[]): GroupStatistics {
  const moments = newMoments();
  for (const item of members)
    mergeMoments(moments, {
      ...totalOf(item),
      count: item.count,
      deviation: item.deviation ?? 0,
    });
  const { count, deviation } = moments;
  const isKnown = count > 0 && members.every((item) => item.deviation !== null);
  const quantiles = merged(members).quantiles();
  const counters = members.filter(({ type }) => type === "counter");
  return {
    group,
    sessions: new Set(members.map((item) => item.session.id)).size,
    points: members.reduce((sum, { points }) => sum + points, 0),
    count,
    sum: sumOf(moments),
    mean: meanOf(moments, count),
    min: members.reduce((least, item) => Math.min(least, item.min), Infinity),
    max: members.reduce((most, item) => Math.max(most, item.max), -Infinity),
    stddev: isKnown ? deviation : null,
    p50: quantiles?.p50 ?? null,
    p95: quantiles?.p95 ?? null,
    p99: quantiles?.p99 ?? null,
    quantiles_exact: quantiles?.exact ?? null,
    quantiles_accuracy: quantiles?.accuracy,
    total: counters.length > 0 ? counters.reduce((sum, { last }) => sum + last, 0) : null,
    rate: rateOf(counters.map(wholeRise)),
  };
}

/** The sum of a series' values. */
export function totalOf({ sum, sum_low, sum_scale }: ComparedSeries): Total {
  return { sum, low: sum_low, scale: sum_scale };
}

/** How much a counter of a session increased, and in how long. */
type Rise = { session: string; increase: number; ms: number };

function wholeRise({ session, increase, first_at, last_at }: ComparedSeries): Rise {
  return { session: session.id, increase, ms: last_at - first_at };
}

/** Increase per second of one session: its series add up, and sessions are averaged over the time that their counters cover. */
function rateOf(rises: Rise[]): number | null {
  let increase = 0;
  let ms = 0;
  for (const ofSession of groupBy(rises, ({ session }) => session).values()) {
    increase += ofSession.reduce((sum, rise) => sum + rise.increase, 0);
    ms += ofSession.reduce((longest, rise) => Math.max(longest, rise.ms), 0);
  }
  return ms > 0 ? perSecond(increase, ms) : null;
}

function merged(members: ComparedSeries[]): Distribution {
  const whole = new Distribution();
  for (const { distribution } of members) if (distribution) whole.addPacked(distribution);
  return whole;
}

/** One step of a chart across sessions; steps without points are left out. */
type Step = {
  /** Its beginning: epoch milliseconds, or since each session's start. */
  at: number;
  count: number;
  sum: number;
  mean: number;
  min: number;
  max: number;
  /** Counters: a session's increase per second within the step, averaged over the sessions with values in it. */
  rate: number | null;
};
type GroupSeries = { group: string; steps: Step[] };
type OverTime = { from: number; to: number; step_ms: number; groups: GroupSeries[] };

type OverTimeQuery = {
  by?: Grouping;
  axis?: (typeof AXES)[number];
  from?: number;
  to?: number;
  buckets?: number;
};

/**
 * The metric over time, one line per group: the sum of all sessions' rollups. A step is a whole number of buckets of the coarsest rollup,
 * whose width is a multiple of every finer one, so that each step gets the same number of buckets.
 */
export function overTime(
  items: ComparedSeries[],
  { by = "none", axis = "clock", buckets = MAX_ROLLUP_BUCKETS, ...range }: OverTimeQuery = {},
): OverTime {
  const originOf = ({ session }: ComparedSeries) => (axis === "elapsed" ? session.created_at : 0);
  // A rollup's first bucket begins at a whole step, which may be before the session's start; its points are not.
  const earliest = axis === "elapsed" ? 0 : -Infinity;
  let [start, end, coarsest] = [Infinity, 0, 1];
  for (const item of items) {
    if (!item.rollup) continue;
    start = Math.min(start, item.rollup.from - originOf(item));
    end = Math.max(end, endOf(item.rollup) - originOf(item));
    coarsest = Math.max(coarsest, item.rollup.step_ms);
  }
  const from = range.from ?? Math.max(earliest, start === Infinity ? 0 : start);
  const to = Math.max(from + 1, range.to ?? end);
  const step_ms = coarsest * Math.max(1, Math.ceil((to - from) / buckets / coarsest));

  const groups = [...grouped(items, by)].map(([group, members]) => {
    const steps = new Map<number, Step & { total: Total }>();
    const rises = new Map<number, Rise[]>();
    for (const item of members) {
      const { rollup, type } = item;
      if (!rollup) continue;
      const axisOfItem = { from, to, step_ms, origin: originOf(item), earliest };
      addBuckets(steps, rollup, axisOfItem);
      if (type === "counter") addRises(rises, item, rollup, axisOfItem);
    }
    const inOrder = [...steps.values()].sort((a, b) => a.at - b.at);
    return {
      group,
      steps: inOrder.map(({ total, ...step }) => ({
        ...step,
        sum: sumOf(total),
        mean: meanOf(total, step.count),
        rate: rateOf(rises.get(step.at) ?? []),
      })),
    };
  });
  return { from, to, step_ms, groups };
}

function endOf(rollup: Rollup): number {
  return rollup.from + rollup.count.length * rollup.step_ms;
}

type Axis = { from: number; to: number; step_ms: number; origin: number; earliest: number };

/** Adds each bucket of a rollup to the step that contains its middle. Changes `steps` in place: a chart has 60,000 buckets. */
function addBuckets(
  steps: Map<number, Step & { total: Total }>,
  rollup: Rollup,
  { from, to, step_ms, origin, earliest }: Axis,
): void {
  for (let index = 0; index < rollup.count.length; index++) {
    const count = rollup.count[index] ?? 0;
    const min = rollup.min[index];
    const max = rollup.max[index];
    if (count === 0 || typeof min !== "number" || typeof max !== "number") continue;

    const middle = Math.max(earliest, rollup.from + (index + 0.5) * rollup.step_ms - origin);
    if (middle < from || middle >= to) continue;
    const at = from + Math.floor((middle - from) / step_ms) * step_ms;
    let step = steps.get(at);
    if (!step) {
      step = { at, count: 0, sum: 0, total: newTotal(), mean: 0, min, max, rate: null };
      steps.set(at, step);
    }
    step.count += count;
    addTotal(step.total, { sum: rollup.sum[index] ?? 0, low: 0, scale: rollup.scale ?? 1 });
    step.min = Math.min(step.min, min);
    step.max = Math.max(step.max, max);
  }
}

/** Adds a counter's increase in each bucket to the steps that the bucket is in, in proportion. Changes `rises` in place. */
function addRises(
  rises: Map<number, Rise[]>,
  { session, first_at, last_at }: ComparedSeries,
  rollup: Rollup,
  { from, to, step_ms, origin }: Axis,
): void {
  const own = new Map<number, Rise>();
  for (const [index, increase] of (rollup.increase ?? []).entries()) {
    // Before the first point and after the last one nothing is known.
    const bucketAt = rollup.from + index * rollup.step_ms;
    const since = Math.max(bucketAt, first_at) - origin;
    const until = Math.min(bucketAt + rollup.step_ms, last_at) - origin;
    const end = Math.min(until, to);
    for (let begin = Math.max(since, from); begin < end;) {
      const at = from + Math.floor((begin - from) / step_ms) * step_ms;
      const next = Math.min(end, at + step_ms);
      const part = own.get(at) ?? { session: session.id, increase: 0, ms: 0 };
      part.increase += increase * ((next - begin) / (until - since));
      part.ms += next - begin;
      own.set(at, part);
      begin = next;
    }
  }
  for (const [at, part] of own) {
    const others = rises.get(at);
    if (others) others.push(part);
    else rises.set(at, [part]);
  }
}

/** The quantiles of all values in one step of a chart across sessions. */
type QuantileStep = Quantiles & { at: number; count: number };
type QuantilesOverTime = {
  from: number;
  to: number;
  step_ms: number;
  groups: { group: string; steps: QuantileStep[] }[];
};

/** Quantiles over time, one line per group. Like overTime, in whole steps of the coarsest series. */
export function quantilesOverTime(
  items: ComparedSeries[],
  { by = "none", axis = "clock", buckets = MAX_ROLLUP_BUCKETS, ...range }: OverTimeQuery = {},
): QuantilesOverTime {
  const originOf = ({ session }: ComparedSeries) => (axis === "elapsed" ? session.created_at : 0);
  const earliest = axis === "elapsed" ? 0 : -Infinity;
  let [start, end, coarsest] = [Infinity, 0, 1];
  for (const item of items) {
    const { quantile_steps: own } = item;
    if (!own) continue;
    start = Math.min(start, own.first * own.step_ms - originOf(item));
    end = Math.max(end, (own.first + own.steps.length) * own.step_ms - originOf(item));
    coarsest = Math.max(coarsest, own.step_ms);
  }
  const from = range.from ?? Math.max(earliest, start === Infinity ? 0 : start);
  const to = Math.max(from + 1, range.to ?? end);
  const step_ms = coarsest * Math.max(1, Math.ceil((to - from) / buckets / coarsest));

  const groups = [...grouped(items, by)].map(([group, members]) => {
    const steps = new Map<number, Distribution>();
    for (const item of members) {
      const { first, step_ms: width, steps: own } = item.quantile_steps ?? NO_STEPS;
      for (const [index, packed] of own.entries()) {
        if (!packed) continue;
        const middle = Math.max(earliest, (first + index + 0.5) * width - originOf(item));
        if (middle < from || middle >= to) continue;
        const at = from + Math.floor((middle - from) / step_ms) * step_ms;
        let step = steps.get(at);
        if (!step) steps.set(at, (step = new Distribution()));
        step.addPacked(packed);
      }
    }
    const inOrder = [...steps].sort((a, b) => a[0] - b[0]);
    return {
      group,
      steps: inOrder.flatMap(([at, step]) => {
        const quantiles = step.quantiles();
        return quantiles ? [{ at, count: step.count, ...quantiles }] : [];
      }),
    };
  });
  return { from, to, step_ms, groups };
}

const NO_STEPS: QuantileSteps = { first: 0, step_ms: 1, steps: [] };
