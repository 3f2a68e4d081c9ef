/** Puts one metric's series of many sessions together: by group, over time, and as a distribution. Pure. */
import type { Rollup } from "../core/rollup.ts";
import { mergeSketch, newSketch, quantile, type Sketch, unpackSketch } from "../core/sketch.ts";
import { deviation } from "../core/series.ts";
import { ROLLUP_BUCKETS } from "./limits.ts";
import type { SessionMetric } from "./metrics.ts";

export const GROUPINGS = ["none", "product", "version", "machine", "status", "session"] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** What a group's sessions add up to. */
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
  /** Counters: what they came to, added up. */
  total: number | null;
  /** Counters: a session's increase per second. Sessions weigh as much as they ran long, so more of them make it no higher. */
  rate: number | null;
};

/** One statistic line per group, the group with most points first. */
export function statistics(items: SessionMetric[], by: Grouping = "none"): GroupStatistics[] {
  return [...grouped(items, by)]
    .map(([group, members]) => statisticsOf(group, members))
    .toSorted((a, b) => b.points - a.points || (a.group < b.group ? -1 : 1));
}

function grouped(items: SessionMetric[], by: Grouping): Map<string, SessionMetric[]> {
  return Map.groupBy(items, ({ session }) => {
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

function statisticsOf(group: string, members: SessionMetric[]): GroupStatistics {
  const total = (value: (item: SessionMetric) => number) =>
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
    min: Math.min(...members.map((item) => item.min)),
    max: Math.max(...members.map((item) => item.max)),
    stddev: count > 0 && !histogram ? deviation(count, mean, squares) : null,
    p50: quantile(sketch, 0.5),
    p95: quantile(sketch, 0.95),
    p99: quantile(sketch, 0.99),
    total: counters.length > 0 ? counters.reduce((sum, { last }) => sum + last, 0) : null,
    rate: rateOf(counters.map(wholeClimb)),
  };
}

/** How much counters rose, and in how long. */
type Climb = { session: string; increase: number; ms: number };

function wholeClimb({ session, first, last, first_at, last_at }: SessionMetric): Climb {
  return { session: session.id, increase: last - first, ms: last_at - first_at };
}

/** Increase per second of one session: its series add up, and sessions are averaged over the time that they counted. */
function rateOf(climbs: Climb[]): number | null {
  let increase = 0;
  let ms = 0;
  for (const ofSession of Map.groupBy(climbs, ({ session }) => session).values()) {
    increase += ofSession.reduce((sum, climb) => sum + climb.increase, 0);
    ms += ofSession.reduce((longest, climb) => Math.max(longest, climb.ms), 0);
  }
  return ms > 0 ? increase / (ms / 1_000) : null;
}

function merged(members: SessionMetric[]): Sketch {
  const whole = newSketch();
  for (const { sketch } of members) if (sketch) mergeSketch(whole, unpackSketch(sketch));
  return whole;
}

type GroupPoints = { group: string; points: [at: number, value: number][] };

/** A quantile of each session as a point at its start: a rollup's buckets have none, a session's sketch has. */
export function sessionQuantiles(items: SessionMetric[], by: Grouping, q: number): GroupPoints[] {
  return [...grouped(items, by)].map(([group, members]) => {
    const sessions = Map.groupBy(members, ({ session }) => session);
    const points = [...sessions].flatMap(([session, ofSession]): [number, number][] => {
      const value = quantile(merged(ofSession), q);
      return value === null ? [] : [[session.created_at, value]];
    });
    return { group, points: points.toSorted((a, b) => a[0] - b[0]) };
  });
}

/** One step of a chart over sessions; steps without points are left out. */
export type Step = {
  /** Its beginning: epoch milliseconds, or since each session's start. */
  at: number;
  count: number;
  sum: number;
  mean: number;
  min: number;
  max: number;
  /** Counters: a session's increase per second within the step, averaged over the sessions that counted then. */
  rate: number | null;
};
export type GroupSeries = { group: string; steps: Step[] };
type OverTime = { from: number; to: number; step_ms: number; groups: GroupSeries[] };

type OverTimeQuery = {
  by?: Grouping;
  /** `clock`: when it was; `elapsed`: how long after the start of its session. */
  axis?: "clock" | "elapsed";
  from?: number;
  to?: number;
  buckets?: number;
};

/**
 * The metric over time, one line per group: each session's rollup, laid upon each other. A step is a whole number of the coarsest
 * rollup's buckets (of which widths each is a multiple of the next finer), so that no step gets more buckets than its neighbours.
 */
export function overTime(
  items: SessionMetric[],
  { by = "none", axis = "clock", buckets = ROLLUP_BUCKETS, ...range }: OverTimeQuery = {},
): OverTime {
  const laid = items.flatMap((item) => (item.rollup ? [{ item, rollup: item.rollup }] : []));
  const origin = ({ session }: SessionMetric) => (axis === "elapsed" ? session.created_at : 0);
  // A rollup's first bucket begins at a whole step, which may be before the session did; its points are not.
  const earliest = axis === "elapsed" ? 0 : -Infinity;
  const starts = laid.map(({ item, rollup }) => rollup.from - origin(item));
  const ends = laid.map(({ item, rollup }) => endOf(rollup) - origin(item));
  const from =
    range.from ?? Math.max(earliest, Math.min(...starts, ...(ends.length > 0 ? [] : [0])));
  const to = Math.max(from + 1, range.to ?? Math.max(...ends, 0));
  const coarsest = laid.reduce((widest, { rollup }) => Math.max(widest, rollup.step_ms), 1);
  const step_ms = coarsest * Math.max(1, Math.ceil((to - from) / buckets / coarsest));

  const groups = [...grouped(items, by)].map(([group, members]) => {
    const steps = new Map<number, Step>();
    const climbs = new Map<number, Climb[]>();
    for (const item of members) {
      const { rollup, type } = item;
      if (!rollup) continue;
      const axisOf = { from, to, step_ms, origin: origin(item), earliest };
      lay(steps, rollup, axisOf);
      if (type === "counter") climb(climbs, item, rollup, axisOf);
    }
    for (const step of steps.values()) {
      step.mean = step.sum / step.count;
      step.rate = rateOf(climbs.get(step.at) ?? []);
    }
    return { group, steps: [...steps.values()].toSorted((a, b) => a.at - b.at) };
  });
  return { from, to, step_ms, groups };
}

function endOf(rollup: Rollup): number {
  return rollup.from + rollup.count.length * rollup.step_ms;
}

type Axis = { from: number; to: number; step_ms: number; origin: number; earliest: number };

/** Adds a rollup's buckets to the steps in whose time their middles lie. Changes `steps`: there are 60,000 buckets in a chart. */
function lay(
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

/** Adds what a counter rose by to the steps in which it did: evenly over the time since its bucket before. Changes `climbs`. */
function climb(
  climbs: Map<number, Climb[]>,
  { session, first_at }: SessionMetric,
  rollup: Rollup,
  { from, to, step_ms, origin }: Axis,
): void {
  const own = new Map<number, Climb>();
  let since = first_at - origin;
  let total: number | undefined;
  for (let index = 0; index < rollup.count.length; index++) {
    const min = rollup.min[index];
    const max = rollup.max[index];
    if (typeof min !== "number" || typeof max !== "number") continue;
    // What a counter began with is not an increase, and one that began again lost nothing.
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
    const others = climbs.get(at);
    if (others) others.push(part);
    else climbs.set(at, [part]);
  }
}

export type Bar = { from: number; to: number; count: number };

/**
 * How the values of all sessions are distributed, from the lowest to the highest. A bar holds whole buckets of the sketch and is as
 * wide as they are, at least a `bars`th of the range; where no value is, there is no bar.
 */
export function distribution(items: SessionMetric[], bars = 40): Bar[] {
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

/** The sketch's buckets that hold something, ascending: `value` is within 1 % of all that are in it. */
function* bucketsOf(sketch: Sketch): Generator<Bucket> {
  const upper = (1 + sketch.mapping.gamma) / 2;
  const lower = upper / sketch.mapping.gamma;
  const negative = [...filled(sketch, sketch.negativeStore)].toReversed();
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
