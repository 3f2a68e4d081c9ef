/** Combines one metric's series of many sessions: by group, over time, and as a distribution. */
import { MAX_ROLLUP_BUCKETS } from "./limits.ts";
import type { Rollup } from "./rollup.ts";
import { deviation } from "./series.ts";
import {
  mergeSketch,
  newSketch,
  type PackedSketch,
  quantile,
  type Sketch,
  unpackSketch,
} from "./sketch.ts";
import type { MetricType, Status } from "./vocabulary.ts";

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
  sum: number;
  sum_squares: number;
  min: number;
  max: number;
  first: number;
  last: number;
  first_at: number;
  last_at: number;
  sketch: PackedSketch | null;
  rollup: Rollup | null;
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
  return groupBy(items, ({ session }) => {
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
  });
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
  const total = (value: (item: ComparedSeries) => number) =>
    members.reduce((sum, item) => sum + value(item), 0);
  const count = total((item) => item.count);
  const sum = total((item) => item.sum);
  const squares = total((item) => item.sum_squares);
  const mean = count > 0 ? sum / count : 0;
  const histogram = members.some((item) => item.type === "histogram"); // the squares of its samples are unknown
  const sketch = merged(members);
  const counters = members.filter(({ type }) => type === "counter");
  return {
    group,
    sessions: new Set(members.map((item) => item.session.id)).size,
    points: total((item) => item.points),
    count,
    sum,
    mean,
    min: members.reduce((least, item) => Math.min(least, item.min), Infinity),
    max: members.reduce((most, item) => Math.max(most, item.max), -Infinity),
    stddev: count > 0 && !histogram ? deviation(count, mean, squares) : null,
    p50: quantile(sketch, 0.5),
    p95: quantile(sketch, 0.95),
    p99: quantile(sketch, 0.99),
    total: counters.length > 0 ? counters.reduce((sum, { last }) => sum + last, 0) : null,
    rate: rateOf(counters.map(wholeRise)),
  };
}

/** How much a counter of a session increased, and in how long. */
type Rise = { session: string; increase: number; ms: number };

function wholeRise({ session, first, last, first_at, last_at }: ComparedSeries): Rise {
  return { session: session.id, increase: last - first, ms: last_at - first_at };
}

/** Increase per second of one session: its series add up, and sessions are averaged over the time that their counters cover. */
function rateOf(rises: Rise[]): number | null {
  let increase = 0;
  let ms = 0;
  for (const ofSession of groupBy(rises, ({ session }) => session).values()) {
    increase += ofSession.reduce((sum, rise) => sum + rise.increase, 0);
    ms += ofSession.reduce((longest, rise) => Math.max(longest, rise.ms), 0);
  }
  return ms > 0 ? increase / (ms / 1_000) : null;
}

function merged(members: ComparedSeries[]): Sketch {
  const whole = newSketch();
  for (const { sketch } of members) if (sketch) mergeSketch(whole, unpackSketch(sketch));
  return whole;
}

type GroupPoints = { group: string; points: [at: number, value: number][] };

/** A quantile of each session as a point at its start: a session's sketch has quantiles, the buckets of its rollup have none. */
export function sessionQuantiles(items: ComparedSeries[], by: Grouping, q: number): GroupPoints[] {
  return [...grouped(items, by)].map(([group, members]) => {
    const sessions = groupBy(members, ({ session }) => session.id);
    const points = [...sessions.values()].flatMap((ofSession): [number, number][] => {
      const value = quantile(merged(ofSession), q);
      const [first] = ofSession;
      return value === null || !first ? [] : [[first.session.created_at, value]];
    });
    return { group, points: points.sort((a, b) => a[0] - b[0]) };
  });
}

/** One step of a chart across sessions; steps without points are left out. */
export type Step = {
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
export type GroupSeries = { group: string; steps: Step[] };
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
    const steps = new Map<number, Step>();
    const rises = new Map<number, Rise[]>();
    for (const item of members) {
      const { rollup, type } = item;
      if (!rollup) continue;
      const axisOfItem = { from, to, step_ms, origin: originOf(item), earliest };
      addBuckets(steps, rollup, axisOfItem);
      if (type === "counter") addRises(rises, item, rollup, axisOfItem);
    }
    for (const step of steps.values()) {
      step.mean = step.sum / step.count;
      step.rate = rateOf(rises.get(step.at) ?? []);
    }
    return { group, steps: [...steps.values()].sort((a, b) => a.at - b.at) };
  });
  return { from, to, step_ms, groups };
}

function endOf(rollup: Rollup): number {
  return rollup.from + rollup.count.length * rollup.step_ms;
}

type Axis = { from: number; to: number; step_ms: number; origin: number; earliest: number };

/** Adds each bucket of a rollup to the step that contains its middle. Changes `steps` in place: a chart has 60,000 buckets. */
function addBuckets(
  steps: Map<number, Step>,
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
      step = { at, count: 0, sum: 0, mean: 0, min, max, rate: null };
      steps.set(at, step);
    }
    step.count += count;
    step.sum += rollup.sum[index] ?? 0;
    step.min = Math.min(step.min, min);
    step.max = Math.max(step.max, max);
  }
}

/** Divides a counter's increase over the steps in which it arose: evenly over the time since its bucket before. Changes `rises` in place. */
function addRises(
  rises: Map<number, Rise[]>,
  { session, first_at }: ComparedSeries,
  rollup: Rollup,
  { from, to, step_ms, origin }: Axis,
): void {
  const own = new Map<number, Rise>();
  let since = first_at - origin;
  let total: number | undefined;
  for (let index = 0; index < rollup.count.length; index++) {
    const min = rollup.min[index];
    const max = rollup.max[index];
    if (typeof min !== "number" || typeof max !== "number") continue;
    // Neither the first value nor a reset of a counter changes the total increase.
    const increase = Math.max(0, max - (total ?? min));
    const until = rollup.from + (index + 1) * rollup.step_ms - origin;
    const length = until - since;
    const end = Math.min(until, to);
    for (let begin = Math.max(since, from); begin < end;) {
      const at = from + Math.floor((begin - from) / step_ms) * step_ms;
      const next = Math.min(end, at + step_ms);
      const part = own.get(at) ?? { session: session.id, increase: 0, ms: 0 };
      part.increase += increase * ((next - begin) / length);
      part.ms += next - begin;
      own.set(at, part);
      begin = next;
    }
    since = until;
    total = max;
  }
  for (const [at, part] of own) {
    const others = rises.get(at);
    if (others) others.push(part);
    else rises.set(at, [part]);
  }
}

export type Bar = { from: number; to: number; count: number };

/**
 * How the values of all sessions are distributed, from the lowest to the highest. A bar consists of whole buckets of the sketch, at
 * least so many that it is 1/`bars` of the range wide; ranges without values have no bar.
 */
export function distribution(items: ComparedSeries[], bars = 40): Bar[] {
  const whole = merged(items);
  if (whole.count === 0) return [];
  const { min, max } = whole;
  const least = (max - min) / bars;
  if (least === 0) return [{ from: min, to: max, count: whole.count }];

  const found: Bar[] = [];
  for (const { low, value, high, count } of bucketsOf(whole)) {
    const last = found.at(-1);
    if (last && value < last.to) {
      last.to = Math.min(max, Math.max(last.to, high));
      last.count += count;
    } else {
      const from = Math.min(Math.max(min, low, last?.to ?? min), max - least);
      if (last && from < last.to) {
        last.to = max; // the rest of the range is too narrow for a bar
        last.count += count;
      } else found.push({ from, to: Math.min(max, Math.max(from + least, high)), count });
    }
  }
  return found;
}

type Bucket = { low: number; value: number; high: number; count: number };

/** The sketch's buckets that are not empty, ascending: `value` is within 1 % of every value in the bucket. */
function* bucketsOf(sketch: Sketch): Generator<Bucket> {
  const upper = (1 + sketch.mapping.gamma) / 2;
  const lower = upper / sketch.mapping.gamma;
  const negative = [...filled(sketch, sketch.negativeStore)].reverse();
  for (const [value, count] of negative) {
    yield { low: -value * upper, value: -value, high: -value * lower, count };
  }
  if (sketch.zeroCount > 0) yield { low: 0, value: 0, high: 0, count: sketch.zeroCount };
  for (const [value, count] of filled(sketch, sketch.store)) {
    yield { low: value * lower, value, high: value * upper, count };
  }
}

function* filled({ mapping }: Sketch, store: Sketch["store"]): Generator<[number, number]> {
  for (const [index, count] of store.bins.entries()) {
    if (count > 0) yield [mapping.value(index + store.offset), count];
  }
}
