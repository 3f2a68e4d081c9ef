/**
 * The rollup of a series: its overview in at most 120 buckets, whose width doubles as the session gets longer, and the sketch of its
 * quantiles. The order in which points are added does not matter.
 */
import { pointAt } from "./chart.ts";
import { type SegmentSeries, sketchInto } from "./segment-summary.ts";
import type { ReadColumns } from "./segment.ts";
import { FIRST_ROLLUP_STEP_MS, MAX_ROLLUP_BUCKETS } from "./limits.ts";
import { toFinite } from "./series.ts";
import { mergeSketch, newSketch, type Sketch, unpackSketch } from "./sketch.ts";
import type { MetricType } from "./vocabulary.ts";

/** The lists have equal length. A bucket without points has count and sum 0, min and max null. */
export type Rollup = {
  from: number;
  step_ms: number;
  count: number[];
  sum: number[];
  min: (number | null)[];
  max: (number | null)[];
};

export class RollupBuilder {
  readonly sketch: Sketch = newSketch();
  readonly #type: MetricType;
  #rollup: Rollup | null = null;

  /** With the `range` of all points, the rollup has its final width from the start. */
  constructor(type: MetricType, range?: { from: number; to: number }) {
    this.#type = type;
    if (range) for (const at of [range.from, range.to]) this.#bucket(at);
  }

  get rollup(): Rollup | null {
    return this.#rollup;
  }

  add(columns: ReadColumns): void {
    sketchInto(this.sketch, this.#type, columns.fields[0]);
    for (let i = 0; i < columns.at.length; i++) {
      const { at, sum, min, max, weight } = pointAt(this.#type, columns, i);
      this.#add(this.#bucket(at), sum, min, max, weight);
    }
  }

  /** Adds a segment by its summary. False if its points are in several buckets, so that it must be opened. */
  addSummary(summary: SegmentSeries): boolean {
    for (const at of [summary.from, summary.to]) this.#bucket(at); // may widen the rollup
    const index = this.#bucket(summary.from);
    if (index !== this.#bucket(summary.to)) return false;
    if (summary.sketch) mergeSketch(this.sketch, unpackSketch(summary.sketch));
    this.#add(index, summary.sum, summary.min, summary.max, summary.samples);
    return true;
  }

  /** The bucket of a time. Widens or extends the rollup if necessary. */
  #bucket(at: number): number {
    // Buckets start at multiples of their width, so that two neighbours merge into one.
    const rollup = (this.#rollup ??= {
      from: floorTo(at, FIRST_ROLLUP_STEP_MS),
      step_ms: FIRST_ROLLUP_STEP_MS,
      count: [],
      sum: [],
      min: [],
      max: [],
    });
    while (at < rollup.from || at >= rollup.from + MAX_ROLLUP_BUCKETS * rollup.step_ms) {
      if (
        at < rollup.from &&
        (rollup.from - floorTo(at, rollup.step_ms)) / rollup.step_ms + rollup.count.length <=
          MAX_ROLLUP_BUCKETS
      ) {
        prepend(rollup, (rollup.from - floorTo(at, rollup.step_ms)) / rollup.step_ms);
      } else {
        halve(rollup);
      }
    }
    const index = Math.floor((at - rollup.from) / rollup.step_ms);
    while (rollup.count.length <= index) pushEmpty(rollup);
    return index;
  }

  #add(index: number, sum: number, min: number, max: number, weight: number): void {
    const rollup = this.#rollup;
    if (!rollup) return;
    rollup.count[index] = (rollup.count[index] ?? 0) + weight;
    rollup.sum[index] = toFinite((rollup.sum[index] ?? 0) + sum);
    rollup.min[index] = Math.min(rollup.min[index] ?? Infinity, min);
    rollup.max[index] = Math.max(rollup.max[index] ?? -Infinity, max);
  }
}

/** Doubles the width, which halves the number of buckets. */
function halve(rollup: Rollup): void {
  const step = rollup.step_ms * 2;
  const from = floorTo(rollup.from, step);
  const wide: Rollup = { from, step_ms: step, count: [], sum: [], min: [], max: [] };
  rollup.count.forEach((count, i) => {
    const index = Math.floor((rollup.from + i * rollup.step_ms - from) / step);
    while (wide.count.length <= index) pushEmpty(wide);
    wide.count[index] = (wide.count[index] ?? 0) + count;
    wide.sum[index] = toFinite((wide.sum[index] ?? 0) + (rollup.sum[i] ?? 0));
    wide.min[index] = either(Math.min, wide.min[index], rollup.min[i]);
    wide.max[index] = either(Math.max, wide.max[index], rollup.max[i]);
  });
  Object.assign(rollup, wide);
}

/** Inserts empty buckets at the start. */
function prepend(rollup: Rollup, buckets: number): void {
  const zeros = Array.from({ length: buckets }, () => 0);
  const nulls = zeros.map(() => null);
  rollup.from -= buckets * rollup.step_ms;
  rollup.count.unshift(...zeros);
  rollup.sum.unshift(...zeros);
  rollup.min.unshift(...nulls);
  rollup.max.unshift(...nulls);
}

function pushEmpty(rollup: Rollup): void {
  rollup.count.push(0);
  rollup.sum.push(0);
  rollup.min.push(null);
  rollup.max.push(null);
}

function either(
  choose: (a: number, b: number) => number,
  a: number | null | undefined,
  b: number | null | undefined,
): number | null {
  if (a === null || a === undefined) return b ?? null;
  return b === null || b === undefined ? a : choose(a, b);
}

function floorTo(at: number, step: number): number {
  return Math.floor(at / step) * step;
}
