/**
 * A counter's total in order of time. Its points are totals in order of arrival, which is another one if several processes record it or
 * points are late. The change from each point to the next is of the time of the point, so the total at a time is the sum of the changes up
 * to it.
 */
import { toFinite } from "./moments.ts";

/** A range in parts of equal width. */
type Range = { from: number; to: number; width: number; parts: number };
/** `[time, total]`, or with a third number, which stays as it is. */
type TotalPoint = [at: number, total: number, count?: number];

export class TotalBuilder {
  readonly #range: Range;
  #total = 0;
  #latest = -Infinity;
  #isInOrder = true;
  /** The sum of the changes before the range, and in each part of it. */
  #before = 0;
  readonly #changes: Float64Array;
  /** The first point of each part. */
  readonly #firstAt: Float64Array;
  readonly #firstChange: Float64Array;
  /** The change of each point in the range, in order of arrival; null if they are more than parts. */
  #ofPoints: number[] | null = [];

  constructor(range: Range) {
    this.#range = range;
    this.#changes = new Float64Array(range.parts);
    this.#firstAt = new Float64Array(range.parts).fill(Infinity);
    this.#firstChange = new Float64Array(range.parts);
  }

  /** Adds the next point in order of arrival. */
  add(at: number, total: number): void {
    const { from, to, width, parts } = this.#range;
    const change = toFinite(total - this.#total);
    this.#total = total;
    if (at < this.#latest) this.#isInOrder = false;
    this.#latest = Math.max(this.#latest, at);
    if (at < from) this.#before = toFinite(this.#before + change);
    if (at < from || at > to) return;
    const part = Math.min(parts - 1, Math.floor((at - from) / width));
    this.#changes[part] = toFinite((this.#changes[part] ?? 0) + change);
    if (at < (this.#firstAt[part] ?? 0)) {
      this.#firstAt[part] = at;
      this.#firstChange[part] = change;
    }
    if (this.#ofPoints && this.#ofPoints.push(change) > parts) this.#ofPoints = null;
  }

  /** The first and last total of each part; null if points arrived in order, so that their own totals are right. */
  parts(): { first: number; last: number }[] | null {
    if (this.#isInOrder) return null;
    let total = this.#before;
    return Array.from(this.#changes, (change, part) => {
      const first = toFinite(total + (this.#firstChange[part] ?? 0));
      total = toFinite(total + change);
      return { first, last: total };
    });
  }

  /** Sorts all points of the range by time; they are in order of arrival. */
  points(points: TotalPoint[]): TotalPoint[] {
    const changes = this.#ofPoints;
    const sorted = points
      .map((point, i) => ({ point, change: changes?.[i] ?? 0 }))
      .sort((a, b) => a.point[0] - b.point[0]);
    if (this.#isInOrder || !changes) return sorted.map(({ point }) => point);
    let total = this.#before;
    return sorted.map(({ point: [at, , ...rest], change }) => {
      total = toFinite(total + change);
      return [at, total, ...rest];
    });
  }
}
