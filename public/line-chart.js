/** One series drawn by Chart.js: a line, and a band from each bucket's minimum to its maximum, so that no spike is lost. */

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
        { ...bare, borderWidth: 1.5, borderJoinStyle: "round", fill: false, clip: 4 },
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
      scales: { x: { type: "linear", display: false }, y: { display: false } },
    },
  });
  recolour(chart, row);
  return chart;
}

/**
 * @param {any} chart @param {Reading[]} readings @param {boolean} hasBand
 * @returns {{ top: number, bottom: number } | undefined} the range of the values
 */
export function setReadings(chart, readings, hasBand) {
  const [most, least, line] = chart.data.datasets;
  most.data = hasBand ? readings.map(({ at, max }) => ({ x: at, y: max })) : [];
  least.data = hasBand ? readings.map(({ at, min }) => ({ x: at, y: min })) : [];
  line.data = readings.map(({ at, value }) => ({ x: at, y: value }));
  const isSparse = readings.length * DOT_PIXELS <= chart.canvas.clientWidth;
  line.pointRadius = readings.length === 1 ? 3 : isSparse ? 2 : 0;
  if (readings.length === 0) return undefined;
  const top = readings.reduce((high, { max }) => Math.max(high, max), -Infinity);
  const bottom = readings.reduce((low, { min }) => Math.min(low, min), Infinity);
  // A constant has no range of its own: with none at all, rounding errors would be drawn as noise.
  const padding = (top - bottom || Math.abs(top) || 1) * PADDING;
  chart.options.scales.y.min = bottom - padding;
  chart.options.scales.y.max = top + padding;
  return { top, bottom };
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
