/** The statistics of a metric in groups of sessions. All but quantiles are exact. */
import { MAX_EXACT_VALUES } from "../limits.ts";
import { Distribution } from "../metrics/distribution.ts";
import { meanOf, mergeMoments, newMoments, sumOf } from "../metrics/moments.ts";
import { perSecond } from "../metrics/rate.ts";
import { groupBy, grouped, type Grouping } from "./grouping.ts";
import type { ComparedSeries } from "./comparison.ts";

/** The statistics of one group of sessions. */
export type GroupStatistics = {
  /** What they share (grouping.ts); "" when not grouped, or if they have no such value. */
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
  /** The sessions whose values are in the quantiles, if those of some were not read. */
  quantiles_sessions?: number;
  /** Counters: the sum of their last values. */
  total: number | null;
  /** Counters: a session's increase per second. Each session weighs by the time that it ran, so that more sessions do not raise it. */
  rate: number | null;
};

/** The statistics of each group, the group with most points first. Sessions whose group is not known are in none. */
export function statistics(items: ComparedSeries[], by: Grouping = "none"): GroupStatistics[] {
  return [...grouped(items, by)]
    .map(([group, members]) => statisticsOf(group, members))
    .sort((a, b) => b.points - a.points || (a.group < b.group ? -1 : 1));
}

/** One loop over the members: there may be ten thousand. */
export function statisticsOf(group: string, members: ComparedSeries[]): GroupStatistics {
  const moments = newMoments();
  const counters: ComparedSeries[] = [];
  let [points, min, max] = [0, Infinity, -Infinity];
  let isKnown = true;
  for (const item of members) {
    const { count, sum, sum_low: low, sum_scale: scale, deviation } = item;
    mergeMoments(moments, { count, sum, low, scale, deviation: deviation ?? 0 });
    if (deviation === null) isKnown = false;
    points += item.points;
    min = Math.min(min, item.min);
    max = Math.max(max, item.max);
    if (item.type === "counter") counters.push(item);
  }
  const { count } = moments;
  return {
    group,
    sessions: sessionsOf(members),
    points,
    count,
    sum: sumOf(moments),
    mean: meanOf(moments, count),
    min,
    max,
    stddev: isKnown && count > 0 ? moments.deviation : null,
    ...quantilesOf(members),
    total: counters.length > 0 ? counters.reduce((sum, { last }) => sum + last, 0) : null,
    rate: rateOf(counters.map(wholeRise)),
  };
}

export function sessionsOf(members: ComparedSeries[]): number {
  return new Set(members.map((item) => item.session.id)).size;
}

type GroupQuantiles = Pick<
  GroupStatistics,
  "p50" | "p95" | "p99" | "quantiles_exact" | "quantiles_accuracy" | "quantiles_sessions"
>;

/** From the distributions of all members that have one; those of a series alone are known without. */
function quantilesOf(members: ComparedSeries[]): GroupQuantiles {
  const [only] = members;
  if (members.length === 1 && only && !only.distribution) return ownQuantiles(only);
  const whole = new Distribution();
  const read = members.filter(({ distribution }) => distribution);
  for (const { distribution } of read) if (distribution) whole.addPacked(distribution);
  const quantiles = whole.quantiles();
  const unread = members.filter((item) => !item.distribution && hasValues(item));
  return {
    p50: quantiles?.p50 ?? null,
    p95: quantiles?.p95 ?? null,
    p99: quantiles?.p99 ?? null,
    quantiles_exact: quantiles?.exact ?? null,
    quantiles_accuracy: quantiles?.accuracy,
    quantiles_sessions: unread.length > 0 ? sessionsOf(read) : undefined,
  };
}

/** A counter's values are totals, which have no distribution. */
function hasValues({ type, count }: ComparedSeries): boolean {
  return type !== "counter" && count > 0;
}

function ownQuantiles({ type, count, p50, p95, p99 }: ComparedSeries): GroupQuantiles {
  const isKnown = p50 !== null && p50 !== undefined;
  return {
    p50: p50 ?? null,
    p95: p95 ?? null,
    p99: p99 ?? null,
    quantiles_exact: isKnown ? type !== "histogram" && count <= MAX_EXACT_VALUES : null,
  };
}

/** How much a counter of a session increased, and in how long. */
export type SessionRise = { session: string; increase: number; ms: number };

export function wholeRise({ session, increase, first_at, last_at }: ComparedSeries): SessionRise {
  return { session: session.id, increase, ms: last_at - first_at };
}

/** Increase per second of one session: its series add up, and sessions are averaged over the time that their counters cover. */
export function rateOf(rises: SessionRise[]): number | null {
  let increase = 0;
  let ms = 0;
  for (const ofSession of groupBy(rises, ({ session }) => session).values()) {
    increase += ofSession.reduce((sum, rise) => sum + rise.increase, 0);
    ms += ofSession.reduce((longest, rise) => Math.max(longest, rise.ms), 0);
  }
  return ms > 0 ? perSecond(increase, ms) : null;
}
