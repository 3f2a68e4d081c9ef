/** Readings of a series: decoded from the answer, as rates, and at a moment. */

/** @typedef {{ at: number, value: number, min: number, max: number }} Reading */

/** @param {{ from: number, readings: number[][] }} series as src/pages/session/charts.tsx sends it @returns {Reading[]} */
export function readingsOf({ from, readings }) {
  return readings.map(([since = 0, value = 0, min = value, max = value]) => ({
    at: from + since,
    value,
    min,
    max,
  }));
}

/**
 * A counter's increase per second, a reading at the end of each window. A counter that was reset did not decrease.
 * @param {Reading[]} readings its totals @param {number} windowMs at least a second is taken @returns {Reading[]}
 */
export function ratesOf(readings, windowMs) {
  const step = Math.max(1_000, windowMs);
  const rates = [];
  let [before] = readings;
  for (const reading of readings) {
    if (!before || reading.at - before.at < step) continue;
    const value = Math.max(0, reading.value - before.value) / ((reading.at - before.at) / 1_000);
    rates.push({ at: reading.at, value, min: value, max: value });
    before = reading;
  }
  return rates;
}

/** The last reading at or before a moment, by binary search. @param {Reading[]} readings @param {number} at */
export function readingAt(readings, at) {
  let low = 0;
  let high = readings.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((readings[middle]?.at ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  return readings[low - 1];
}
