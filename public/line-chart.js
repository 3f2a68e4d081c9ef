/**
 * One series drawn by Chart.js: a line, and a band from each bucket's minimum to its maximum, so that no spike is lost. Chart.js gets the
 * height of a value between 0 and 1: with values it computes ticks also for hidden axes, in a loop that does not end for the smallest
 * doubles, and overflows for the largest.
 */
import { shareOf } from "./scale.js";

/** Readings with this distance are drawn as dots, too: the values between two are not known, and one alone makes no line. */
const DOT_PIXELS = 12;
/** Space above and below the values, as a share of their range. */
const PADDING = 0.06;

/** @typedef {import("./readings.js").Reading} Reading */

/** @param {HTMLCanvasElement} canvas @param {Element} row whose colour the line has */
export function newChart(canvas, row) {
  const bare = { parsing: false, borderWidth: 0, pointRadius: 0, data: [] };
  // Chart comes from vendor/chart-….js, a classic script that ran before this module.
  const chart = new /** @type {any} */ (globalThis).Chart(canvas, {
    type: "line",
    data: {
      datasets: [
        { ...bare, fill: "+1" },
        { ...bare, fill: false },
        // Dots at the edge are drawn whole.
        {
          ...bare,
          spanGaps: false,
          borderWidth: 1.5,
          borderJoinStyle: "round",
          fill: false,
          clip: 4,
        },
      ],
    },
    options: {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      normalized: true,
      events: [],
      layout: { padding: { top: 2, bottom: 2 } },
      plugins: { legend: { display: false }, tooltip: { enabled: false } },
      scales: {
        x: { type: "linear", display: false },
        y: { display: false, min: -PADDING, max: 1 + PADDING },
      },
    },
  });
  recolour(chart, row);
  return chart;
}

/**
 * @param {any} chart @param {Reading[]} readings @param {boolean} hasBand @param {number} gap readings that are farther apart are not joined
 * @param {number} [lowest] the scale begins here or below
 * @returns {{ top: number, bottom: number } | undefined} the range of the values
 */
export function setReadings(chart, readings, hasBand, gap, lowest = Infinity) {
  const [most, least, line] = chart.data.datasets;
  const top = readings.reduce((high, { max }) => Math.max(high, max), -Infinity);
  const bottom = readings.reduce((low, { min }) => Math.min(low, min), lowest);
  const y = (/** @type {number} */ value) => shareOf(value, bottom, top);
  most.data = [];
  least.data = [];
  line.data = [];
  line.pointRadius = [];
  const isSparse = readings.length * DOT_PIXELS <= chart.canvas.clientWidth;
  readings.forEach((reading, i) => {
    const isAfterGap = isGap(readings[i - 1], reading, gap);
    const x = reading.at;
    if (isAfterGap && i > 0) add(x, NaN, NaN, NaN, 0);
    const isAlone = isAfterGap && isGap(reading, readings[i + 1], gap);
    const radius = readings.length === 1 ? 3 : isSparse || isAlone ? 2 : 0;
    add(x, y(reading.value), y(reading.max), y(reading.min), radius);
  });
  return readings.length === 0 ? undefined : { top, bottom };

  /** @param {number} x @param {number} value @param {number} max @param {number} min @param {number} radius */
  function add(x, value, max, min, radius) {
    line.data.push({ x, y: value });
    line.pointRadius.push(radius);
    if (!hasBand) return;
    most.data.push({ x, y: max });
    least.data.push({ x, y: min });
  }
}

/** @param {Reading | undefined} before @param {Reading | undefined} after @param {number} gap */
function isGap(before, after, gap) {
  return !before || !after || after.since - before.until > gap;
}

/** @param {any} chart @param {number} from @param {number} to */
export function setAxis(chart, from, to) {
  chart.options.scales.x.min = from;
  chart.options.scales.x.max = to;
  chart.update(); // not "none": with that, Chart.js never changes the size and colour of points
}

/** Sets the colour that the stylesheet has for the row now. @param {any} chart @param {Element} row */
export function recolour(chart, row) {
  const { color } = getComputedStyle(row.querySelector("[data-reading]") ?? row);
  const [red, green, blue] = (color.match(/[\d.]+/g) ?? []).map(Number);
  const [most, , line] = chart.data.datasets;
  most.backgroundColor = `rgba(${red}, ${green}, ${blue}, 0.24)`;
  line.borderColor = `rgb(${red}, ${green}, ${blue})`;
  line.pointBackgroundColor = line.borderColor;
}
