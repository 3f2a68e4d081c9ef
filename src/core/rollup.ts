/**
 * What the catalog keeps of a series: the sketch of its quantiles, and its whole life in a strip of at most 120 buckets, whose
 * width doubles as the session lengthens. Adding points in any order gives the same strip.
 */
import { pointAt } from "./chart.ts";
import { type SeriesDigest, sketchInto } from "./digest.ts";
import type { ReadColumns } from "./segment.ts";
import { toFinite } from "./series.ts";
import { mergeSketch, newSketch, type Sketch, unpackSketch } from "./sketch.ts";
import type { MetricType } from "./vocabulary.ts";

const BUCKETS = 120;
/** The first width: finer than a person sees in a strip of a list. */
const FIRST_STEP_MS = 1_000;

/** All lists are equally long; of a bucket without points, count and sum are 0, min and max null. */
export type Strip = {
  from: number;
  step_ms: number;
  count: number[];
  sum: number[];
  min: (number | null)[];
  max: (number | null)[];
};

export class Rollup {
  readonly sketch: Sketch = newSketch();
  readonly #type: MetricType;
  #strip: Strip | null = null;

  /** `range`: where its points will lie, so that the strip has its final width from the beginning. */
  constructor(type: MetricType, range?: { from: number; to: number }) {
    this.#type = type;
    if (range) for (const at of [range.from, range.to]) this.#bucket(at);
  }

  get strip(): Strip | null {
    return this.#strip;
  }

  add(columns: ReadColumns): void {
    sketchInto(this.sketch, this.#type, columns.fields[0]);
    for (let i = 0; i < columns.at.length; i++) {
      const { at, sum, min, max, weight } = pointAt(this.#type, columns, i);
      this.#add(this.#bucket(at), sum, min, max, weight);
    }
  }

  /** Adds a segment unopened, if its points lie in one bucket; false if they do not. */
  addDigest(digest: SeriesDigest): boolean {
    for (const at of [digest.from, digest.to]) this.#bucket(at); // the strip may widen for it
    const index = this.#bucket(digest.from);
    if (index !== this.#bucket(digest.to)) return false;
    if (digest.sketch) mergeSketch(this.sketch, unpackSketch(digest.sketch));
    this.#add(index, digest.sum, digest.min, digest.max, digest.samples);
    return true;
  }

  /** The bucket of a time, for which the strip makes room if there is none. */
  #bucket(at: number): number {
    // Buckets lie on multiples of their width, so that halves of neighbours merge into one.
    const strip = (this.#strip ??= {
      from: floorTo(at, FIRST_STEP_MS),
      step_ms: FIRST_STEP_MS,
      count: [],
      sum: [],
      min: [],
      max: [],
    });
    while (at < strip.from || at >= strip.from + BUCKETS * strip.step_ms) {
      if (
        at < strip.from &&
        (strip.from - floorTo(at, strip.step_ms)) / strip.step_ms + strip.count.length <= BUCKETS
      ) {
        shift(strip, (strip.from - floorTo(at, strip.step_ms)) / strip.step_ms);
      } else {
        halve(strip);
      }
    }
    const index = Math.floor((at - strip.from) / strip.step_ms);
    while (strip.count.length <= index) pushEmpty(strip);
    return index;
  }

  #add(index: number, sum: number, min: number, max: number, weight: number): void {
    const strip = this.#strip;
    if (!strip) return;
    strip.count[index] = (strip.count[index] ?? 0) + weight;
    strip.sum[index] = toFinite((strip.sum[index] ?? 0) + sum);
    strip.min[index] = Math.min(strip.min[index] ?? Infinity, min);
    strip.max[index] = Math.max(strip.max[index] ?? -Infinity, max);
  }
}

/** Twice the width, half the buckets. */
function halve(strip: Strip): void {
  const step = strip.step_ms * 2;
  const from = floorTo(strip.from, step);
  const wide: Strip = { from, step_ms: step, count: [], sum: [], min: [], max: [] };
  strip.count.forEach((count, i) => {
    const index = Math.floor((strip.from + i * strip.step_ms - from) / step);
    while (wide.count.length <= index) pushEmpty(wide);
    wide.count[index] = (wide.count[index] ?? 0) + count;
    wide.sum[index] = toFinite((wide.sum[index] ?? 0) + (strip.sum[i] ?? 0));
    wide.min[index] = either(Math.min, wide.min[index], strip.min[i]);
    wide.max[index] = either(Math.max, wide.max[index], strip.max[i]);
  });
  Object.assign(strip, wide);
}

/** Room for earlier points. */
function shift(strip: Strip, buckets: number): void {
  const zeros = Array.from({ length: buckets }, () => 0);
  const nulls = zeros.map(() => null);
  strip.from -= buckets * strip.step_ms;
  strip.count.unshift(...zeros);
  strip.sum.unshift(...zeros);
  strip.min.unshift(...nulls);
  strip.max.unshift(...nulls);
}

function pushEmpty(strip: Strip): void {
  strip.count.push(0);
  strip.sum.push(0);
  strip.min.push(null);
  strip.max.push(null);
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
