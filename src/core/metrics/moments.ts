/**
 * Count, sum, mean and standard deviation of values, of any finite doubles and any number of parts, correct to rounding.
 *
 * Sums have two parts, the double and its rounding error (Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher
 * Summen", 1974), so that 1e16 + 1 − 1e16 is 1. Deviations are merged by the formula of Chan, Golub and LeVeque ("Updating Formulae and
 * a Pairwise Algorithm for Computing Sample Variances", 1979).
 */

/** The sum `sum` + `low`, divided by `scale`. */
export type Total = {
  sum: number;
  low: number;
  /** 1, or SMALL_SCALE if a value is so large that a sum could overflow. */
  scale: number;
};

/**
 * `deviation` is the root of M2 / count, where M2 is the sum of the squared differences from the mean. M2 itself would overflow for
 * values from 1e154 on, and vanish for values below 1e-162.
 */
export type Moments = Total & { count: number; deviation: number };

/** From this size on, values are summed in SMALL_SCALE: 2^53 values that are smaller, and their products, do not overflow. */
const HUGE = 2 ** 900;
const SMALL_SCALE = 2 ** -128;
/** Squares and their sum are accurate within this range. */
const [LEAST_SQUARE, MOST_SQUARE] = [1e-280, 1e300];

export function newTotal(): Total {
  return { sum: 0, low: 0, scale: 1 };
}

export function newMoments(): Moments {
  return { ...newTotal(), count: 0, deviation: 0 };
}

/** The sum of the values from index `start` up to `end`. */
export function totalOf(values: ArrayLike<number>, start = 0, end = values.length): Total {
  let sum = 0;
  let low = 0;
  let isHuge = false;
  for (let i = start; i < end; i++) {
    const value = values[i] ?? 0;
    if (value >= HUGE || value <= -HUGE) isHuge = true;
    const next = sum + value;
    const part = next - sum;
    low += sum - (next - part) + (value - part);
    sum = next;
  }
  if (!isHuge) return { sum, low, scale: 1 };
  const total = { sum: 0, low: 0, scale: SMALL_SCALE };
  for (let i = start; i < end; i++) addScaled(total, (values[i] ?? 0) * SMALL_SCALE);
  return total;
}

/** Adds `from` to `into`. */
export function addTotal(into: Total, from: Total): void {
  const scale = Math.min(into.scale, from.scale);
  rescale(into, scale);
  addScaled(into, from.sum * (scale / from.scale));
  into.low += from.low * (scale / from.scale);
}

function rescale(total: Total, scale: number): void {
  if (total.scale === scale) return;
  total.sum *= scale / total.scale;
  total.low *= scale / total.scale;
  total.scale = scale;
}

function addScaled(total: Total, value: number): void {
  const sum = total.sum + value;
  const part = sum - total.sum;
  total.low += total.sum - (sum - part) + (value - part);
  total.sum = sum;
}

/** The sum as one number: the largest double if it exceeds that. */
export function sumOf({ sum, low, scale }: Total): number {
  return toFinite((sum + low) / scale);
}

/** The mean of so many values; 0 if there is none. */
export function meanOf(total: Total, count: number): number {
  if (count === 0) return 0;
  const [mean, rest] = preciseMean(total, count);
  return toFinite((mean + rest) / total.scale);
}

/** The mean, in the total's scale, as the double and its rounding error. */
function preciseMean({ sum, low }: Total, count: number): [mean: number, rest: number] {
  const mean = sum / count;
  const product = mean * count;
  return [mean, (sum - product - productError(mean, count, product) + low) / count];
}

/** What rounding a product removed (Dekker, "A Floating-Point Technique for Extending the Available Precision", 1971). */
function productError(a: number, b: number, product: number): number {
  const [highA, highB] = [upperHalf(a), upperHalf(b)];
  const [lowA, lowB] = [a - highA, b - highB];
  return highA * highB - product + highA * lowB + lowA * highB + lowA * lowB;
}

/** The upper 26 bits of a double's 53. */
function upperHalf(value: number): number {
  const wide = value * (2 ** 27 + 1);
  return wide - (wide - value);
}

/** Adds the values from index `start` up to `end`. */
export function addValues(
  moments: Moments,
  values: ArrayLike<number>,
  start = 0,
  end = values.length,
): void {
  if (end <= start) return;
  const total = totalOf(values, start, end);
  const deviation = end - start > 1 ? deviationOf(values, start, end, total) : 0;
  mergeMoments(moments, { ...total, count: end - start, deviation });
}

function deviationOf(values: ArrayLike<number>, start: number, end: number, total: Total): number {
  const count = end - start;
  const mean = meanOf(total, count);
  let squares = 0;
  let rest = 0;
  for (let i = start; i < end; i++) {
    const difference = (values[i] ?? 0) - mean;
    squares += difference * difference;
    rest += difference;
  }
  if (squares > LEAST_SQUARE && squares < MOST_SQUARE)
    return Math.sqrt(Math.max(0, squares - (rest * rest) / count) / count);

  let greatest = 0;
  const difference = (i: number) => (values[i] ?? 0) * total.scale - mean * total.scale;
  for (let i = start; i < end; i++) greatest = Math.max(greatest, Math.abs(difference(i)));
  if (greatest === 0) return 0;
  squares = 0;
  for (let i = start; i < end; i++) squares += (difference(i) / greatest) ** 2;
  return toFinite((Math.sqrt(squares / count) * greatest) / total.scale);
}

/** Adds `from` to `into`. In whatever order parts are merged, the result is the same but for rounding. */
export function mergeMoments(into: Moments, from: Moments): void {
  if (from.count === 0) return;
  const count = into.count + from.count;
  if (into.count > 0) {
    const [share, other] = [Math.sqrt(into.count / count), Math.sqrt(from.count / count)];
    const between = meanDifference(into, from, Math.sqrt(into.count * from.count) / count);
    into.deviation = toFinite(hypotenuse(into.deviation * share, from.deviation * other, between));
  } else into.deviation = from.deviation;
  addTotal(into, from);
  into.count = count;
}

/** The root of the sum of the squares. */
function hypotenuse(a: number, b: number, c: number): number {
  if (a === 0 && b === 0) return Math.abs(c);
  const squares = a * a + b * b + c * c;
  // Math.hypot takes ten times as long, and ten thousand parts are merged at once.
  return squares > LEAST_SQUARE && squares < MOST_SQUARE ? Math.sqrt(squares) : Math.hypot(a, b, c);
}

/** The difference of two means, times `factor` (at most 1/2, so that it does not overflow). */
function meanDifference(a: Moments, b: Moments, factor: number): number {
  const scale = Math.min(a.scale, b.scale);
  const [toA, toB] = [scale / a.scale, scale / b.scale];
  const [meanA, restA] = preciseMean(a, a.count);
  const [meanB, restB] = preciseMean(b, b.count);
  const difference = meanB * toB - meanA * toA + (restB * toB - restA * toA);
  return (difference * factor) / scale;
}

/** Limits a sum to finite numbers, because JSON has no infinity. */
export function toFinite(sum: number): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, sum)) || 0; // NaN, from ∞ − ∞
}
