/** Readings of a series: decoded from the answer, as rates, and at a moment. */
import { stepBeside } from "./scale.js";

/** Buckets of a chart over its range (CHART_POINTS of src/pages/limits.ts), if its row does not have their number. */
export const BUCKETS = 600;
/** Times of a chart that have quantiles (src/pages/limits.ts). */
export const QUANTILE_BUCKETS = 60;

/**
 * A point, or a bucket of several: the times of its first and last point, its least, greatest and last value, and what the line shows:
 * `value` at `at`.
 * @typedef {{ at: number, since: number, until: number, value: number, min: number, max: number, last: number }} Reading
 */

/**
 * A series as the server answers it (src/pages/session/drawn-series.ts), and decoded. `refused` has times and counts of values; points that are
 * farther apart than `gap` are not joined.
 * @typedef {{ id: number, from: number, readings: number[][], rates?: number[][], quantiles?: { readings: number[][], exact: boolean }, gap?: number, refused: number[][] }} Answered
 * @typedef {{ values: Reading[], rates: Reading[], quantiles: Reading[], hasExactQuantiles: boolean, isExact: boolean, gap: number, refused: number[][] }} Readings
 */

/**
 * A series as it is drawn over a range: its values, a counter's increase per second, or quantiles. `scale` has the ends of what is shown.
 * @typedef {{ from: number, to: number, shows: "values" | "rates" | "quantiles", scale?: { top: number, bottom: number }, chart?: any, colour?: string } & Readings} Drawn
 */

/** @param {Answered} series @param {boolean} isTotal @returns {Readings} */
export function decoded(series, isTotal) {
  return {
    values: valuesOf(series, isTotal),
    rates: ratesOf(series),
    quantiles: quantilesOf(series),
    hasExactQuantiles: series.quantiles?.exact === true,
    isExact: series.readings.every((reading) => reading.length === 2),
    gap: series.gap ?? Infinity,
    refused: series.refused.map(([since = 0, count = 0]) => [series.from + since, count]),
  };
}

/** @param {{ from: number, readings: number[][] }} series as src/pages/session/sparkline.ts describes it @param {boolean} isTotal @returns {Reading[]} */
function valuesOf({ from, readings }, isTotal) {
  return readings.map(([since = 0, ...rest]) => {
    if (rest.length === 1) return pointAt(from + since, rest[0] ?? 0);
    const [until = since, value = 0, min = value, max = value, last = value] = rest;
    // A total is its last value; a mean is in the middle.
    const at = from + (isTotal ? until : (since + until) / 2);
    return { at, since: from + since, until: from + until, value, min, max, last };
  });
}

/** @param {number} at @param {number} value @returns {Reading} */
function pointAt(at, value) {
  return { at, since: at, until: at, value, min: value, max: value, last: value };
}

/**
 * A counter's increase per second, over each of the times that the server divided the range into.
 * @param {{ from: number, rates?: number[][] }} series @returns {Reading[]}
 */
function ratesOf({ from, rates = [] }) {
  return rates.map(([since = 0, until = 0, rate = 0]) => ({
    ...pointAt(from + (since + until) / 2, rate),
    since: from + since,
    until: from + until,
  }));
}

/**
 * The p95 over each of the times that the server divided the range into, between the p50 and the p99.
 * @param {{ from: number, quantiles?: { readings: number[][] } }} series @returns {Reading[]}
 */
function quantilesOf({ from, quantiles }) {
  return (quantiles?.readings ?? []).map(([since = 0, until = 0, p50 = 0, p95 = 0, p99 = 0]) => ({
    at: from + (since + until) / 2,
    since: from + since,
    until: from + until,
    value: p95,
    min: p50,
    max: p99,
    last: p95,
  }));
}

/** The last reading that begins at or before a moment, by binary search. @param {Reading[]} readings @param {number} at */
export function readingAt(readings, at) {
  let low = 0;
  let high = readings.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((readings[middle]?.since ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return readings[low - 1];
}

/** Whether the last value at or before a moment follows from this reading. @param {Reading} reading @param {number} at */
export function isExactAt({ until, min, max }, at) {
  return at >= until || min === max;
}

/** The step by which formatQuantity writes a value differently from the other recorded ones. @param {Reading[]} readings @param {number} value */
export function stepOf(readings, value) {
  const values = readings.flatMap(({ min, max, last }) => (min === max ? [min] : [min, max, last]));
  return stepBeside(value, values);
}
