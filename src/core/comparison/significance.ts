/**
 * How unlikely a difference between two groups is by chance. Results are exact where nothing else is stated.
 */
import { EXACT_RANK_ITEMS } from "../limits.ts";

/** How many of one group have something, and of how many that is known. */
export type Share = { had: number; of: number };

/**
 * Fisher's exact test, two-sided: the probability, with these margins, of a table at most as likely as this one. 1 if a group is empty.
 */
export function fisher(one: Share, other: Share): number {
  const total = one.of + other.of;
  const had = one.had + other.had;
  const least = Math.max(0, had - other.of);
  const most = Math.min(had, one.of);
  const observed = logHypergeometric(one.had, had, one.of, total);
  let sum = 0;
  for (let each = least; each <= most; each++) {
    const log = logHypergeometric(each, had, one.of, total);
    if (log <= observed + ROUNDING) sum += Math.exp(log);
  }
  return Math.min(1, sum);
}

/** The smallest result that `fisher` can have with these margins: a fact that too few or too many have cannot become significant. */
export function leastFisher(one: Share, other: Share): number {
  const had = one.had + other.had;
  const least = Math.max(0, had - other.of);
  const most = Math.min(had, one.of);
  const at = (count: number) => fisher({ ...one, had: count }, { ...other, had: had - count });
  return Math.min(at(least), at(most));
}

/** Equal probabilities may differ by so much as logarithms: those of 100 items have an error of 1e-13. */
const ROUNDING = 1e-9;

/** Log of the probability that `drawn` of `total` items, of which `marked` are marked, have `hit` marked ones. */
function logHypergeometric(hit: number, marked: number, drawn: number, total: number): number {
  return logChoose(marked, hit) + logChoose(total - marked, drawn - hit) - logChoose(total, drawn);
}

function logChoose(n: number, k: number): number {
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}

const LOG_FACTORIALS = [0];

function logFactorial(n: number): number {
  for (let next = LOG_FACTORIALS.length; next <= n; next++)
    LOG_FACTORIALS.push((LOG_FACTORIALS[next - 1] ?? 0) + Math.log(next));
  return LOG_FACTORIALS[n] ?? Infinity;
}

/**
 * The two-sided Mann–Whitney test: how unlikely it is that the values of one group are so much larger or smaller than those of the other.
 * Ties get their mean rank. Exact for at most EXACT_RANK_ITEMS values; else the normal approximation, corrected for ties and continuity.
 */
export function mannWhitney(one: readonly number[], other: readonly number[]): number {
  const values = [...one, ...other];
  const doubled = doubledRanks(values);
  // Doubled ranks are whole numbers, so sums are exact.
  const sum = doubled.slice(0, one.length).reduce((total, rank) => total + rank, 0);
  const expected = one.length * (values.length + 1);
  const distance = Math.abs(sum - expected);
  if (one.length === 0 || other.length === 0 || distance === 0) return 1;
  return values.length <= EXACT_RANK_ITEMS
    ? exactRankTail(doubled, one.length, expected, distance)
    : normalRankTail(doubled, one.length, distance);
}

/** Twice the rank of each value, from 1; equal values share the mean of theirs. */
function doubledRanks(values: number[]): number[] {
  const order = values.map((_, index) => index).sort((a, b) => at(values, a) - at(values, b));
  const ranks = values.map(() => 0);
  for (let from = 0; from < order.length;) {
    let to = from;
    while (to < order.length && at(values, at(order, to)) === at(values, at(order, from))) to++;
    for (let index = from; index < to; index++) ranks[at(order, index)] = from + 1 + to;
    from = to;
  }
  return ranks;
}

/** Counts the choices of `size` ranks by their sum. */
function exactRankTail(ranks: number[], size: number, expected: number, distance: number): number {
  const most = ranks.reduce((total, rank) => total + rank, 0);
  const width = most + 1;
  const ways = new Float64Array((size + 1) * width);
  ways[0] = 1;
  for (const rank of ranks) {
    for (let chosen = size; chosen > 0; chosen--) {
      const [into, from] = [chosen * width, (chosen - 1) * width - rank];
      for (let sum = most; sum >= rank; sum--)
        ways[into + sum] = at(ways, into + sum) + at(ways, from + sum);
    }
  }
  let [tail, all] = [0, 0];
  for (let sum = 0; sum <= most; sum++) {
    const count = at(ways, size * width + sum);
    all += count;
    if (Math.abs(sum - expected) >= distance) tail += count;
  }
  return tail / all;
}

function normalRankTail(ranks: number[], size: number, distance: number): number {
  const total = ranks.length;
  const mean = total + 1; // of doubled ranks
  const spread = ranks.reduce((sum, rank) => sum + (rank - mean) ** 2, 0);
  // The variance of a sum of `size` values, drawn without replacement.
  const variance = (size * (total - size) * spread) / (total * (total - 1));
  if (variance === 0) return 1;
  // Half a rank, for continuity.
  return Math.min(1, 2 * normalTail(Math.max(0, distance - 1) / Math.sqrt(variance)));
}

/** The probability of a standard normal value above `z` ≥ 0. Abramowitz and Stegun 26.2.17: the error is below 7.5e-8. */
function normalTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  return (
    density *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  );
}

/**
 * The values of Benjamini and Hochberg for so many tests at once, in the same order: among all with a value of at most 0.05, no more than
 * 5 % are expected to be chance. Holm's correction bounds the probability of a single error instead; it is stricter, and hides real
 * differences where much is compared, whereas a reader of a ranked list can dismiss one wrong row.
 */
export function adjusted(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).sort((a, b) => at(values, b) - at(values, a));
  const results = values.map(() => 1);
  let least = 1;
  for (const [place, index] of order.entries()) {
    const rank = values.length - place;
    least = Math.min(least, (at(values, index) * values.length) / rank);
    results[index] = least;
  }
  return results;
}

/** The index is within the list. */
function at(list: ArrayLike<number>, index: number): number {
  return list[index] ?? NaN;
}
