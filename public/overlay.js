/** What lies over the plots of the recorder: the cursor, the crosshair under the pointer, the range being dragged, and lines at exceptions. */
import { find } from "./page.js";
import { moment } from "./time.js";
import { axis, countsAt, countsOf, isOnPlot, plot, timeOf, xOf } from "./timeline.js";
import { cursorAt, setCursor, setRange, showWhole } from "./view.js";

/** A shorter drag is a click. */
const DRAG_PIXELS = 6;

const recorder = find("#recorder");
const cursor = overlay("cursor");
const crosshair = overlay("crosshair");
const crosshairTime = crosshair.appendChild(document.createElement("span"));
const crosshairCounts = crosshair.appendChild(document.createElement("small"));
const selection = overlay("selection");
const failures = overlay("failures");

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

/** Lines at exceptions and at the crash run through every chart, to compare the values at that time. */
function drawFailures() {
  const { left, width } = plot();
  const { from, to } = axis();
  const { step, crash } = find("#timeline").dataset;
  const percentAt = (/** @type {number} */ at) => ((at - from) / (to - from)) * 100;
  const lines = [...countsOf("exceptions").keys()].map((bucket) =>
    line(percentAt(from + (bucket + 0.5) * Number(step)), "exception"),
  );
  if (crash !== undefined && Number(crash) >= from && Number(crash) <= to)
    lines.push(line(percentAt(Number(crash)), "crash"));
  failures.hidden = lines.length === 0;
  failures.style.left = `${left}px`;
  failures.style.width = `${width}px`;
  failures.replaceChildren(...lines);
}

/** @param {number} percent @param {string} kind */
function line(percent, kind) {
  const element = document.createElement("i");
  element.dataset.kind = kind;
  element.style.left = `${percent}%`;
  return element;
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
