/** Readings of a series: decoded from the answer, as rates, and at a moment. */
import { stepBeside } from "./scale.js";

/**
 * A point, or a bucket of several: the times of its first and last point, its least, greatest and last value, and what the line shows:
 * `value` at `at`.
 * @typedef {{ at: number, since: number, until: number, value: number, min: number, max: number, last: number }} Reading
 */

/** @param {{ from: number, readings: number[][] }} series as src/pages/session/sparkline.ts describes it @param {boolean} isTotal @returns {Reading[]} */
export function readingsOf({ from, readings }, isTotal) {
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
export function ratesOf({ from, rates = [] }) {
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
export function quantilesOf({ from, quantiles }) {
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
