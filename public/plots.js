/**
 * The crosshair of plots: the value of each line at the pointer, or where arrow keys move it. Plots over the same range move together.
 * A click or Enter opens the sessions of the step there; a drag upwards or downwards, and the keys + - 0, set the range of values.
 */
import { formatQuantity } from "./format.js";
import { finerStep, stepBeside } from "./scale.js";
import { moment } from "./time.js";

const SVG = "http://www.w3.org/2000/svg";
/** The share of the width that an arrow key moves. */
const STEP = 1 / 60;
writeTicks();
document.addEventListener("preference", writeTicks);
document.addEventListener("htmx:after:swap", writeTicks);

/** Clock times in the viewer's zone. */
function writeTicks() {
  for (const text of document.querySelectorAll(".plot-x text[data-at]")) {
    text.textContent = moment(Number(text.getAttribute("data-at")), "minute");
  }
}

document.addEventListener("pointermove", (event) => {
  if (drag) showRange(drag, event.clientY);
  const figure = figureOf(event.target);
  if (!figure) return clear();
  show(figure, shareAt(figure, event.clientX));
});

/** @param {EventTarget | null} target */
function figureOf(target) {
  const figure = target instanceof Element ? target.closest(".plot[data-from]") : null;
  return figure instanceof HTMLElement ? figure : undefined;
}

/** @param {HTMLElement} figure @param {number} x of the screen */
function shareAt(figure, x) {
  const { left, width } = plotAreaOf(figure).getBoundingClientRect();
  return (x - left) / width;
}

// Steps and ranges of values --------------------------------------------------------------------------------------------

/** A shorter drag is a click. */
const DRAG_PIXELS = 8;
/** @type {{ figure: HTMLElement, x: number, y: number } | undefined} */
let drag;

document.addEventListener("pointerdown", (event) => {
  const figure = figureOf(event.target);
  if (!figure || event.button !== 0 || event.pointerType !== "mouse") return;
  drag = { figure, x: event.clientX, y: event.clientY };
  if (figure.dataset.zoom !== undefined) event.preventDefault(); // no text is selected
  figure.focus();
});
document.addEventListener("pointerup", (event) => {
  if (!drag) return;
  const { figure, x, y } = drag;
  drag = undefined;
  figure.querySelector(".plot-range")?.remove();
  const across = Math.abs(event.clientX - x);
  const up = Math.abs(event.clientY - y);
  if (up >= DRAG_PIXELS && figure.dataset.zoom !== undefined) {
    const [a, b] = [valueAtHeight(figure, y), valueAtHeight(figure, event.clientY)];
    setRange(figure, Math.min(a, b), Math.max(a, b));
  } else if (across < DRAG_PIXELS) openStep(figure, shareAt(figure, event.clientX));
});

/** @param {{ figure: HTMLElement, y: number }} drag @param {number} y of the screen */
function showRange({ figure, y: from }, y) {
  if (figure.dataset.zoom === undefined || Math.abs(y - from) < DRAG_PIXELS) return;
  const { top, left, width } = plotAreaOf(figure).getBoundingClientRect();
  const around = figure.getBoundingClientRect();
  const box = part(figure, "plot-range");
  box.style.insetInlineStart = `${left - around.left}px`;
  box.style.inlineSize = `${width}px`;
  box.style.insetBlockStart = `${Math.max(top, Math.min(y, from)) - around.top}px`;
  box.style.blockSize = `${Math.abs(y - from)}px`;
}

/** The value at a height of the screen, on the axis as it is drawn. @param {HTMLElement} figure @param {number} y */
function valueAtHeight(figure, y) {
  const { top, height } = plotAreaOf(figure).getBoundingClientRect();
  const share = Math.min(1, Math.max(0, 1 - (y - top) / height));
  return onAxis(figure, share);
}

/** The value at a share of the axis. @param {HTMLElement} figure @param {number} share */
function onAxis({ dataset }, share) {
  const [low, high] = [Number(dataset.low), Number(dataset.high)];
  if (dataset.log === undefined) return low + share * (high - low);
  return low * (high / low) ** share;
}

/** Writes the range of values into the form, which asks for the plot again. @param {HTMLElement} figure @param {number | undefined} low @param {number | undefined} high */
function setRange(figure, low, high) {
  const form = document.getElementById(figure.dataset.zoom ?? "");
  if (!(form instanceof HTMLFormElement)) return;
  for (const [name, value] of Object.entries({ low, high })) {
    const field = form.elements.namedItem(name);
    if (field instanceof HTMLInputElement)
      field.value = value === undefined ? "" : String(Number(value.toPrecision(6)));
  }
  form.requestSubmit();
}

/** @param {HTMLElement} figure @param {string} key */
function zoomBy(figure, key) {
  if (key === "0") return setRange(figure, undefined, undefined);
  // A quarter at each end, or twice the range.
  const margin = key === "-" ? -0.5 : 0.25;
  const [low, high] = [onAxis(figure, margin), onAxis(figure, 1 - margin)];
  setRange(figure, low, high);
}

/** Opens the sessions that have values in the step at a share of the width. @param {HTMLElement} figure @param {number} share */
function openStep(figure, share) {
  const { sessions, from, to } = figure.dataset;
  if (sessions === undefined || share < 0 || share > 1) return;
  const url = new URL(sessions, location.href);
  const at = Number(from) + share * (Number(to) - Number(from));
  url.searchParams.set("at", String(Math.floor(at)));
  const { htmx } = /** @type {any} */ (globalThis);
  void htmx
    .ajax("GET", url.pathname + url.search, { target: "#answer", swap: "outerHTML" })
    .then(() => document.getElementById("step")?.scrollIntoView({ block: "nearest" }));
}

// The crosshair ---------------------------------------------------------------------------------------------------------
document.addEventListener("focusout", clear);
document.addEventListener("keydown", (event) => {
  const figure = document.activeElement;
  if (!(figure instanceof HTMLElement) || !figure.matches(".plot[data-from]")) return;
  const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (event.key === "Escape") clear();
  if (figure.dataset.zoom !== undefined && /^[-+=0]$/.test(event.key)) zoomBy(figure, event.key);
  if (event.key === "Enter" && figure.dataset.share !== undefined)
    openStep(figure, Number(figure.dataset.share));
  if (way === undefined) return;
  event.preventDefault();
  show(figure, Number(figure.dataset.share ?? (way > 0 ? 0 : 1)) + way * STEP);
});

/** @param {HTMLElement} figure @param {number} share of its width */
function show(figure, share) {
  const inside = Math.min(1, Math.max(0, share));
  for (const plot of document.querySelectorAll(".plot[data-from]")) {
    if (!(plot instanceof HTMLElement)) continue;
    const isTogether =
      plot.dataset.from === figure.dataset.from && plot.dataset.to === figure.dataset.to;
    if (isTogether) draw(plot, inside);
  }
}

function clear() {
  for (const each of document.querySelectorAll(".plot-cross, .plot-read")) each.remove();
  for (const each of document.querySelectorAll(".plot[data-share]")) {
    if (each instanceof HTMLElement) delete each.dataset.share;
  }
}

/** @param {HTMLElement} figure @param {number} share */
function draw(figure, share) {
  figure.dataset.share = String(share);
  const { from, to } = figure.dataset;
  const at = Number(from) + share * (Number(to) - Number(from));
  const area = plotAreaOf(figure);
  const cross = part(figure, "plot-cross");
  const x = area.offsetLeft + share * area.clientWidth;
  cross.style.insetInlineStart = `${x}px`;
  cross.style.insetBlockStart = `${area.offsetTop}px`;
  cross.style.blockSize = `${area.clientHeight}px`;

  const box = part(figure, "plot-read");
  const when = document.createElement("strong");
  when.textContent = whenOf(figure, at);
  box.replaceChildren(when, ...readingsOf(figure, at));
  const isRight = share > 0.6;
  box.style.insetInlineStart = isRight ? "auto" : `${x + 10}px`;
  box.style.insetInlineEnd = isRight ? `${figure.clientWidth - x + 10}px` : "auto";
}

/** @param {HTMLElement} figure @returns {{ offsetLeft: number, offsetTop: number, clientWidth: number, clientHeight: number, getBoundingClientRect: () => DOMRect }} */
function plotAreaOf(figure) {
  const area = figure.querySelector(".plot-series") ?? figure;
  const rect = area.getBoundingClientRect();
  const around = figure.getBoundingClientRect();
  return {
    offsetLeft: rect.left - around.left,
    offsetTop: rect.top - around.top,
    clientWidth: rect.width,
    clientHeight: rect.height,
    getBoundingClientRect: () => rect,
  };
}

/** The figure's element with this class, which is created if it is missing. @param {HTMLElement} figure @param {string} name */
function part(figure, name) {
  const there = figure.querySelector(`.${name}`);
  if (there instanceof HTMLElement) return there;
  const created = document.createElement("div");
  created.className = name;
  if (name === "plot-read") created.setAttribute("role", "status");
  return figure.appendChild(created);
}

/** @param {HTMLElement} figure @param {number} at */
function whenOf(figure, at) {
  if (figure.dataset.axis === "clock") return moment(at, "minute");
  const seconds = at / 1_000;
  const range = Number(figure.dataset.to) - Number(figure.dataset.from);
  if (range < 120_000) return `${at < 0 ? "−" : ""}${Math.abs(seconds).toFixed(1)} s`;
  const sign = at < 0 ? "−" : "";
  const whole = Math.round(Math.abs(seconds));
  const clock = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60, whole % 60];
  return `${sign}${clock.map((each) => String(each).padStart(2, "0")).join(":")}`;
}

/** One row for each line that has a value there: its last point at or before the pointer, or the aggregate of the time around it. @param {HTMLElement} figure @param {number} at */
function readingsOf(figure, at) {
  const { unit, step, perSecond } = figure.dataset;
  const paths = [...figure.querySelectorAll("path.plot-line")];
  const values = paths.flatMap(pointsOf).map((point) => point.value);
  return paths.flatMap((path) => {
    const value = valueAt(path, at);
    if (value === undefined) return [];
    const row = document.createElement("span");
    const mark = document.createElementNS(SVG, "svg");
    mark.setAttribute("class", "legend-mark");
    mark.setAttribute("viewBox", "0 0 24 4");
    const line = document.createElementNS(SVG, "path");
    line.setAttribute("class", "plot-line");
    line.setAttribute("data-line", path.getAttribute("data-line") ?? "0");
    line.setAttribute("d", "M0 2h24");
    mark.append(line);
    const reading = document.createElement("b");
    const end = step === undefined ? undefined : Number(step);
    const text = formatQuantity(value, unit, finerStep(end, stepBeside(value, values)));
    reading.textContent = text + (perSecond === undefined ? "" : "/s");
    const name = path.querySelector("title")?.textContent ?? "";
    const aggregate = path.getAttribute("data-aggregate");
    row.append(mark, reading, ` ${[name, aggregate].filter(Boolean).join(", ")}`);
    return [row];
  });
}

/** The points of each path, parsed once. @type {WeakMap<Element, { at: number, value: number }[]>} */
const read = new WeakMap();

/** @param {Element} path */
function pointsOf(path) {
  const known = read.get(path);
  if (known) return known;
  const points = (path.getAttribute("data-points") ?? "")
    .split(" ")
    .filter(Boolean)
    .map((pair) => {
      const [at, value] = pair.split(":").map(Number);
      return { at: at ?? 0, value: value ?? 0 };
    });
  read.set(path, points);
  return points;
}

/** @param {Element} path @param {number} at */
function valueAt(path, at) {
  if (at > Number(path.getAttribute("data-until") ?? Infinity)) return undefined;
  const point = pointsOf(path).findLast((each) => each.at <= at);
  if (!point || at >= point.at + Number(path.getAttribute("data-ms") ?? Infinity)) return undefined;
  return point.value;
}
