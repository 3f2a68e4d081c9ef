/** What is written beside a series' line: its value at the cursor, the ends of the scale, what the line is, and marks of refused values. */
import { formatCount, formatDuration, formatQuantity, formatTick } from "./format.js";
import { BUCKETS, QUANTILE_BUCKETS, stepOf } from "./readings.js";
import { endStep, finerStep, shareOf } from "./scale.js";

/** @typedef {import("./readings.js").Drawn} Drawn */

/** Writes the value at the cursor. @param {HTMLElement} row @param {Drawn} drawn @param {number | undefined} value */
export function writeValue(row, drawn, value) {
  const element = row.querySelector("[data-reading]");
  if (!(element instanceof HTMLElement)) return;
  delete element.dataset.range;
  element.title = value === undefined ? "" : String(value);
  element.textContent = value === undefined ? "–" : textOf(drawn, value, row.dataset.unit ?? "");
}

/** @param {Drawn} drawn @param {number} value @param {string} unit */
function textOf({ shows, values, scale, hasExactQuantiles }, value, unit) {
  const end = endStep(scale?.bottom ?? value, scale?.top ?? value, unit);
  if (shows === "rates") return `${formatQuantity(value, unit, end)}/s`;
  if (shows === "quantiles")
    return `p95 ${hasExactQuantiles ? "" : "≈ "}${formatQuantity(value, unit, end)}`;
  return formatQuantity(value, unit, finerStep(end, stepOf(values, value)));
}

/** Writes between which values the value at the cursor is. @param {HTMLElement} row @param {import("./readings.js").Reading} reading */
export function writeRange(row, { min, max }) {
  const element = row.querySelector("[data-reading]");
  if (!(element instanceof HTMLElement)) return;
  const { unit } = row.dataset;
  const step = endStep(min, max, unit ?? "");
  element.dataset.range = "";
  element.title = "";
  element.textContent = `${formatTick(min, unit, step)} to ${formatTick(max, unit, step)}`;
}

/**
 * Writes the ends of the scale, and what the line is. The server wrote them for the values of the whole session.
 * @param {HTMLElement} row @param {Drawn} drawn @param {number} from @param {number} to
 */
export function writeCaption(row, drawn, from, to) {
  const { shows, scale } = drawn;
  press(row, "[data-rate]", shows === "rates");
  press(row, "[data-quantiles]", shows === "quantiles");
  write(row, "[data-drawn]", aggregateOf(row, drawn, from, to));
  if (!scale) return;
  const { unit } = row.dataset;
  const step = endStep(scale.bottom, scale.top, unit ?? "");
  const per = shows === "rates" ? "/s" : "";
  write(row, "[data-most]", formatTick(scale.top, unit, step) + per);
  // The scale of a constant has one end.
  const isFlat = scale.top === scale.bottom;
  write(row, "[data-least]", isFlat ? "" : formatTick(scale.bottom, unit, step) + per);
}

/**
 * Which aggregate the line is, and of which time; empty where it joins the recorded points.
 * @param {HTMLElement} row @param {Drawn} drawn @param {number} from @param {number} to
 */
function aggregateOf(row, { shows, isExact, hasExactQuantiles, refused }, from, to) {
  const notes = [];
  const { type, points } = row.dataset;
  const width = (to - from) / Number(points ?? BUCKETS);
  if (shows === "quantiles") {
    const time = formatDuration((to - from) / QUANTILE_BUCKETS);
    notes.push(`${hasExactQuantiles ? "" : "≈ "}p95, and p50 to p99, of ${time}`);
  } else if (shows === "rates") notes.push(`increase in ${formatDuration(Math.max(1_000, width))}`);
  else if (!isExact)
    notes.push(`${type === "counter" ? "last" : "mean and range"} of ${formatDuration(width)}`);
  else if (type === "histogram") notes.push("mean of each window");
  const inView = refused.filter(([at = 0]) => at >= from && at <= to);
  const count = inView.reduce((sum, [, each = 0]) => sum + each, 0);
  if (count > 0) notes.push(`${formatCount(count, "value")} NaN or infinite`);
  return notes.join(" · ");
}

/** Marks where values were refused. @param {HTMLElement} row @param {Drawn} drawn @param {number} from @param {number} to */
export function markRefused(row, { refused }, from, to) {
  const plot = row.querySelector(".row-plot");
  for (const mark of row.querySelectorAll(".refused")) mark.remove();
  for (const [at = 0, count = 0] of refused) {
    if (at < from || at > to) continue;
    const mark = document.createElement("i");
    mark.className = "refused";
    mark.title = `${formatCount(count, "value")} refused: NaN or infinite`;
    mark.style.left = `${shareOf(at, from, to) * 100}%`;
    plot?.append(mark);
  }
}

/** @param {Element} row @param {string} selector @param {boolean} isPressed */
function press(row, selector, isPressed) {
  row.querySelector(selector)?.setAttribute("aria-pressed", String(isPressed));
}

/** @param {Element} row @param {string} selector @param {string} text */
function write(row, selector, text) {
  const element = row.querySelector(selector);
  if (element) element.textContent = text;
}
