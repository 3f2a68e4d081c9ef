/** A metric of many sessions over time: in steps of equal width, from the rollups of the sessions' series. */
import type { Quantiles } from "../answers/metrics.ts";
import { MAX_ROLLUP_BUCKETS } from "../limits.ts";
import { Distribution } from "../metrics/distribution.ts";
import { addTotal, meanOf, newTotal, sumOf, type Total } from "../metrics/moments.ts";
import type { Rollup } from "../metrics/rollup.ts";
import { grouped, type Grouping } from "./grouping.ts";
import { type ComparedSeries, totalOf } from "./comparison.ts";
import { rateOf, type SessionRise, sessionsOf, wholeRise } from "./statistics.ts";

/** By the time of the points; by that since the start of their session; by that before its end, which is negative. */
export const AXES = ["clock", "elapsed", "before_end"] as const;
export type TimeAxis = (typeof AXES)[number];

/** One step of a chart across sessions; steps without points are left out. */
type Step = {
  /** Its beginning, on the axis. */
  at: number;
  count: number;
  sum: number;
  mean: number;
  min: number;
  max: number;
  /** Counters: a session's increase per second within the step, averaged over the sessions with values in it. */
  rate: number | null;
};
/** The quantiles of all values in one step of a chart across sessions. */
type QuantileStep = Quantiles & { at: number; count: number };

type InSteps<Of> = {
  from: number;
  to: number;
  step_ms: number;
  groups: { group: string; steps: Of[] }[];
  /** Sessions that are in no step: they are longer than one, and it was not read how their values are divided. */
  undrawn: number;
  /** Sessions that have not ended, and so have no place before their end. */
  unended: number;
};

export type OverTimeQuery = {
  by?: Grouping;
  axis?: TimeAxis;
  from?: number;
  to?: number;
  /** Steps, at most. */
  buckets?: number;
};

/** How the values of a series are known over time, in equal parts; null if they are not divided. */
type Divided = { from: number; step_ms: number; parts: number } | null;

/**
 * The range and the steps of a chart. A step is a whole number of the widest parts of the series, whose width is a multiple of
 * every narrower one.
 */
type Axis = Required<Pick<OverTimeQuery, "from" | "to">> & {
  step_ms: number;
  originOf: (item: ComparedSeries) => number;
  earliest: number;
  latest: number;
};

/** The metric over time, one line per group: the sum of all sessions' rollups. */
export function overTime(items: ComparedSeries[], query: OverTimeQuery = {}): InSteps<Step> {
  return inSteps(items, query, ({ rollup }) => partsOf(rollup), sums);
}

/** Quantiles over time, one line per group. */
export function quantilesOverTime(
  items: ComparedSeries[],
  query: OverTimeQuery = {},
): InSteps<QuantileStep> {
  const divided = ({ quantile_steps: own }: ComparedSeries) =>
    own && { from: own.first * own.step_ms, step_ms: own.step_ms, parts: own.steps.length };
  return inSteps(items, query, divided, quantiles);
}

/** The steps of a group. Adds to `undrawn` the series that are in none, because it was not read how their values are divided. */
type StepsOf<Of> = (members: ComparedSeries[], axis: Axis, undrawn: ComparedSeries[]) => Of[];

function inSteps<Of>(
  items: ComparedSeries[],
  query: OverTimeQuery,
  dividedOf: (item: ComparedSeries) => Divided,
  stepsOf: StepsOf<Of>,
): InSteps<Of> {
  const placed = placedOn(query.axis, items);
  const axis = axisOf(placed, query, dividedOf);
  const undrawn: ComparedSeries[] = [];
  const groups = [...grouped(placed, query.by ?? "none")].map(([group, members]) => ({
    group,
    steps: stepsOf(members, axis, undrawn),
  }));
  const { from, to, step_ms } = axis;
  return {
    from,
    to,
    step_ms,
    groups,
    undrawn: sessionsOf(undrawn),
    unended: without(items, placed),
  };
}

const sums: StepsOf<Step> = (members, axis, undrawn) => {
  const steps = new Map<number, Step & { total: Total }>();
  const rises = new Map<number, SessionRise[]>();
  for (const item of members) {
    const { rollup, type } = item;
    if (!rollup) {
      const at = stepOfAll(item, axis);
      if (at === undefined) undrawn.push(item);
      if (typeof at !== "number") continue;
      addTo(steps, at, item.count, totalOf(item), item.min, item.max);
      if (type === "counter") append(rises, at, wholeRise(item));
      continue;
    }
    addBuckets(steps, item, rollup, axis);
    if (type === "counter") addRises(rises, item, rollup, axis);
  }
  const inOrder = [...steps.values()].sort((a, b) => a.at - b.at);
  return inOrder.map(({ total, ...step }) => ({
    ...step,
    sum: sumOf(total),
    mean: meanOf(total, step.count),
    rate: rateOf(rises.get(step.at) ?? []),
  }));
};

const quantiles: StepsOf<QuantileStep> = (members, axis, undrawn) => {
  const steps = new Map<number, Distribution>();
  const stepAt = (at: number) => {
    let step = steps.get(at);
    if (!step) steps.set(at, (step = new Distribution()));
    return step;
  };
  for (const item of members) {
    const { quantile_steps: own, distribution, type } = item;
    if (own) {
      for (const [index, packed] of own.steps.entries()) {
        const at = packed && stepOf((own.first + index + 0.5) * own.step_ms, item, axis);
        if (packed && typeof at === "number") stepAt(at).addPacked(packed);
      }
    } else if (type !== "counter") {
      const at = distribution ? stepOfAll(item, axis) : undefined;
      if (at === undefined) undrawn.push(item);
      if (distribution && typeof at === "number") stepAt(at).addPacked(distribution);
    }
  }
  const inOrder = [...steps].sort((a, b) => a[0] - b[0]);
  return inOrder.flatMap(([at, step]) => {
    const found = step.quantiles();
    return found ? [{ at, count: step.count, ...found }] : [];
  });
};

/** The series whose values are in several steps of such a chart, so that it has to be known how they are divided. */
export function dividedItems<Item extends ComparedSeries>(
  items: Item[],
  query: OverTimeQuery = {},
): Item[] {
  const placed = placedOn(query.axis, items);
  const axis = axisOf(placed, query, () => null);
  return placed.filter((item) => stepOfAll(item, axis) === undefined);
}

/** The range of such a chart. */
export function rangeOverTime(
  items: ComparedSeries[],
  query: OverTimeQuery = {},
): { from: number; to: number } {
  const { from, to } = axisOf(placedOn(query.axis, items), query, ({ rollup }) => partsOf(rollup));
  return { from, to };
}

function placedOn<Item extends ComparedSeries>(axis: TimeAxis | undefined, items: Item[]): Item[] {
  return axis === "before_end" ? items.filter(({ session }) => session.ended_at) : items;
}

function without(items: ComparedSeries[], placed: ComparedSeries[]): number {
  return items.length === placed.length ? 0 : sessionsOf(items) - sessionsOf(placed);
}

function axisOf(
  items: ComparedSeries[],
  { axis = "clock", buckets = MAX_ROLLUP_BUCKETS, ...range }: OverTimeQuery,
  dividedBy: (item: ComparedSeries) => Divided,
): Axis {
  const originOf = ({ session }: ComparedSeries) =>
    axis === "clock" ? 0 : axis === "elapsed" ? session.created_at : (session.ended_at ?? 0);
  // A rollup's first bucket begins at a whole step, which may be before the session's start, and its last one ends after the end; its points do not.
  const earliest = axis === "elapsed" ? 0 : -Infinity;
  const latest = axis === "before_end" ? -1 : Infinity;
  let [start, end, widest] = [Infinity, axis === "before_end" ? 0 : -Infinity, 1];
  for (const item of items) {
    const divided = dividedBy(item);
    const origin = originOf(item);
    start = Math.min(start, (divided?.from ?? item.first_at) - origin);
    const last = divided ? divided.from + divided.parts * divided.step_ms : item.last_at + 1;
    if (axis !== "before_end") end = Math.max(end, last - origin);
    if (divided) widest = Math.max(widest, divided.step_ms);
  }
  const from = range.from ?? Math.max(earliest, start === Infinity ? 0 : Math.min(start, latest));
  const to = Math.max(from + 1, range.to ?? (end === -Infinity ? 0 : end));
  const step_ms = widest * Math.max(1, Math.ceil((to - from) / buckets / widest));
  // The last step ends at the end.
  const first =
    axis === "before_end" && range.from === undefined
      ? -Math.ceil(-from / step_ms) * step_ms
      : from;
  return { from: first, to, step_ms, originOf, earliest, latest };
}

/** The step that contains a moment of a session; null if it is outside of the chart. */
function stepOf(moment: number, item: ComparedSeries, axis: Axis): number | null {
  const { from, to, step_ms, originOf, earliest, latest } = axis;
  const at = Math.min(latest, Math.max(earliest, moment - originOf(item)));
  return at < from || at >= to ? null : from + Math.floor((at - from) / step_ms) * step_ms;
}

/** The step that contains all points of a series: null if all are outside of the chart, undefined if they are in several. */
function stepOfAll(item: ComparedSeries, axis: Axis): number | null | undefined {
  const first = stepOf(item.first_at, item, axis);
  if (first !== null && first === stepOf(item.last_at, item, axis)) return first;
  const origin = axis.originOf(item);
  const isOutside = item.last_at - origin < axis.from || item.first_at - origin >= axis.to;
  return isOutside ? null : undefined;
}

function partsOf(rollup: Rollup | null): Divided {
  return rollup && { from: rollup.from, step_ms: rollup.step_ms, parts: rollup.count.length };
}

/** Changes `steps` in place: a chart has 60,000 buckets. */
function addTo(
  steps: Map<number, Step & { total: Total }>,
  at: number,
  count: number,
  total: Total,
  min: number,
  max: number,
): void {
  let step = steps.get(at);
  if (!step) {
    step = { at, count: 0, sum: 0, total: newTotal(), mean: 0, min, max, rate: null };
    steps.set(at, step);
  }
  step.count += count;
  addTotal(step.total, total);
  step.min = Math.min(step.min, min);
  step.max = Math.max(step.max, max);
}

/** Adds each bucket of a rollup to the step that contains its middle. */
function addBuckets(
  steps: Map<number, Step & { total: Total }>,
  item: ComparedSeries,
  rollup: Rollup,
  axis: Axis,
): void {
  for (let index = 0; index < rollup.count.length; index++) {
    const count = rollup.count[index] ?? 0;
    const min = rollup.min[index];
    const max = rollup.max[index];
    if (count === 0 || typeof min !== "number" || typeof max !== "number") continue;
    const at = stepOf(rollup.from + (index + 0.5) * rollup.step_ms, item, axis);
    const total = { sum: rollup.sum[index] ?? 0, low: 0, scale: rollup.scale ?? 1 };
    if (at !== null) addTo(steps, at, count, total, min, max);
  }
}

/** Adds a counter's increase in each bucket to the steps that the bucket is in, in proportion. Changes `rises` in place. */
function addRises(
  rises: Map<number, SessionRise[]>,
  item: ComparedSeries,
  rollup: Rollup,
  { from, to, step_ms, originOf }: Axis,
): void {
  const { session, first_at, last_at } = item;
  const origin = originOf(item);
  const own = new Map<number, SessionRise>();
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
  for (const [at, part] of own) append(rises, at, part);
}

function append(rises: Map<number, SessionRise[]>, at: number, rise: SessionRise): void {
  const others = rises.get(at);
  if (others) others.push(rise);
  else rises.set(at, [rise]);
}
