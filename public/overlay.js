/** What the recorder shows besides the plots: over them the cursor, the crosshair under the pointer and the range being dragged; behind them lines at exceptions. */
import { find } from "./page.js";
import { moment } from "./time.js";
import { axis, countsAt, countsOf, isOnPlot, plot, timeOf, xOf } from "./timeline.js";
import { cursorAt, setCursor, setRange, showWhole } from "./view.js";

/** A shorter drag is a click. */
const DRAG_PIXELS = 6;
/** Lines at exceptions are one band if they are nearer than this. */
const MERGE_PIXELS = 6;
/** Bands and lines at exceptions; more are merged further. */
const MOST_LINES = 24;

const recorder = find("#recorder");
const cursor = overlay("cursor");
const crosshair = overlay("crosshair");
const crosshairTime = crosshair.appendChild(document.createElement("span"));
const crosshairCounts = crosshair.appendChild(document.createElement("small"));
const selection = overlay("selection");

/** @param {string} name */
function overlay(name) {
  const element = document.createElement("div");
  element.className = name;
  element.hidden = true;
  element.setAttribute("aria-hidden", "true");
  return recorder.appendChild(element);
}

export function drawOverlay() {
  const { from, to } = axis();
  const at = cursorAt();
  cursor.hidden = at < from || at > to;
  cursor.style.left = `${xOf(at)}px`;
  drawFailures();
}

export function isCursorHidden() {
  return cursor.hidden;
}

/**
 * Lines at exceptions and at the crash are behind every chart, to compare the values at that time: a background image of the plots, which
 * leaves names, numbers and captions free.
 */
function drawFailures() {
  const { width } = plot();
  const { from, to } = axis();
  const { step, crash } = find("#timeline").dataset;
  const pixelOf = (/** @type {number} */ at) => ((at - from) / (to - from)) * width;
  const exceptions = [...countsOf("exceptions").keys()]
    .toSorted((a, b) => a - b)
    .map((bucket) => pixelOf(from + (bucket + 0.5) * Number(step)));
  const stops = bandsOf(exceptions).map(([start, end]) =>
    start === end ? stop("line", start, start + 1) : stop("band", start, end),
  );
  const layers = stops.length > 0 ? [`linear-gradient(90deg, ${stops.join(", ")})`] : [];
  if (crash !== undefined && Number(crash) >= from && Number(crash) <= to) {
    // At the end of the range it is drawn whole.
    const start = Math.min(pixelOf(Number(crash)), width - 2);
    layers.unshift(`linear-gradient(90deg, ${stop("crash", start, start + 2)})`);
  }
  recorder.style.setProperty("--failures", layers.join(", ") || "none");
}

/** Merges places that are near each other. @param {number[]} places in ascending order @returns {[start: number, end: number][]} */
function bandsOf(places) {
  for (let distance = MERGE_PIXELS; ; distance *= 2) {
    /** @type {[start: number, end: number][]} */
    const bands = [];
    for (const place of places) {
      const last = bands.at(-1);
      if (last && place - last[1] < distance) last[1] = place;
      else bands.push([place, place]);
    }
    if (bands.length <= MOST_LINES) return bands;
  }
}

/** @param {string} kind of the colours of the stylesheet @param {number} start @param {number} end */
function stop(kind, start, end) {
  return `transparent ${start}px, var(--failure-${kind}) ${start}px ${end}px, transparent ${end}px`;
}

/** @type {{ from: number, x: number } | undefined} */
let drag;

/**
 * Follows the pointer: a click sets the cursor, a drag the range, a double click the whole session.
 * @param {(at: number) => void} onHover the pointer is over this moment @param {() => void} onLeave
 */
export function followPointer(onHover, onLeave) {
  recorder.addEventListener("pointermove", (event) => {
    if (!drag && !isOnPlot(event)) return hideCrosshair(onLeave);
    const at = timeOf(event.clientX);
    showCrosshair(moment(at, "clock"), countsAt(at), at);
    onHover(at);
    if (drag && Math.abs(event.clientX - drag.x) >= DRAG_PIXELS) showSelection(drag.from, at);
  });
  recorder.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !isOnPlot(event)) return;
    drag = { from: timeOf(event.clientX), x: event.clientX };
    if (event.pointerType === "mouse") recorder.setPointerCapture(event.pointerId);
  });
  recorder.addEventListener("pointerup", (event) => {
    if (!drag) return;
    const { from, x } = drag;
    endDrag();
    const at = timeOf(event.clientX);
    if (Math.abs(event.clientX - x) < DRAG_PIXELS) setCursor(at);
    else setRange(Math.min(from, at), Math.max(from, at));
  });
  recorder.addEventListener("pointercancel", endDrag);
  recorder.addEventListener("pointerleave", () => hideCrosshair(onLeave));
  recorder.addEventListener("dblclick", (event) => {
    if (isOnPlot(event)) showWhole();
  });
}

/** @param {string} text @param {string} [detail] @param {number} [at] where it is; else it stays */
export function showCrosshair(text, detail = "", at) {
  crosshair.hidden = false;
  if (at !== undefined) crosshair.style.left = `${xOf(at)}px`;
  // The timeline's first line has a link out of a zoom.
  const header = find("#timeline .timeline-header");
  crosshair.style.setProperty("--label-top", `${header.offsetTop + header.offsetHeight}px`);
  crosshairTime.textContent = text;
  crosshairCounts.textContent = detail;
}

/** @param {() => void} onLeave */
export function hideCrosshair(onLeave) {
  if (crosshair.hidden) return;
  crosshair.hidden = true;
  onLeave();
}

/** @param {number} from @param {number} to */
function showSelection(from, to) {
  selection.hidden = false;
  selection.style.left = `${xOf(Math.min(from, to))}px`;
  selection.style.width = `${Math.abs(xOf(to) - xOf(from))}px`;
}

export function endDrag() {
  drag = undefined;
  selection.hidden = true;
}
