/**
 * Quantiles of a series within 1 % of the true value, for any number of points: a DDSketch (Masson, Rim, Lee: "DDSketch: a fast and
 * fully-mergeable quantile sketch with relative-error guarantees", VLDB 2019), by Datadog's library. Segments keep one per
 * series, the catalog one per series and session; merging them gives the sketch of the whole.
 */
import { LogCollapsingLowestDenseDDSketch } from "@datadog/sketches-js";
import { MAX_SKETCH_BINS, SKETCH_ACCURACY } from "./limits.ts";
import { toFinite } from "./series.ts";

export type Sketch = LogCollapsingLowestDenseDDSketch;

export function newSketch(): Sketch {
  return new LogCollapsingLowestDenseDDSketch({
    relativeAccuracy: SKETCH_ACCURACY,
    binLimit: MAX_SKETCH_BINS,
  });
}

/** Adds `from` to `into`. The library's own merge ignores negative values (2.1.1). */
export function mergeSketch(into: Sketch, from: Sketch): void {
  if (from.count === 0) return;
  into.store.merge(from.store);
  into.negativeStore.merge(from.negativeStore);
  into.zeroCount += from.zeroCount;
  into.count += from.count;
  into.sum += from.sum;
  into.min = Math.min(into.min, from.min);
  into.max = Math.max(into.max, from.max);
}

/** The quantile `q` (0 to 1), between the sketch's min and max; null if the sketch is empty. */
export function quantile(sketch: Sketch, q: number): number | null {
  if (sketch.count === 0) return null;
  return Math.min(sketch.max, Math.max(sketch.min, sketch.getValueAtQuantile(q)));
}

/** JSON: `[count, zeros, sum, min, max, positive, negative]`, each sign as `[lowest key, count, count, …]`. */
export type PackedSketch = [number, number, number, number, number, number[], number[]];

export function packSketch(sketch: Sketch): PackedSketch {
  return [
    sketch.count,
    sketch.zeroCount,
    toFinite(sketch.sum),
    sketch.min,
    sketch.max,
    packStore(sketch.store),
    packStore(sketch.negativeStore),
  ];
}

export function unpackSketch([
  count,
  zeroCount,
  sum,
  min,
  max,
  positive,
  negative,
]: PackedSketch): Sketch {
  const sketch = newSketch();
  fillStore(sketch.store, positive);
  fillStore(sketch.negativeStore, negative);
  return Object.assign(sketch, { count, zeroCount, sum, min, max });
}

type Store = Sketch["store"];

function packStore(store: Store): number[] {
  if (store.count === 0) return [];
  const packed = [store.minKey];
  for (let key = store.minKey; key <= store.maxKey; key++)
    packed.push(store.bins[key - store.offset] ?? 0);
  return packed;
}

function fillStore(store: Store, [lowest, ...counts]: number[]): void {
  counts.forEach((count, index) => {
    if (count > 0) store.add((lowest ?? 0) + index, count);
  });
}
