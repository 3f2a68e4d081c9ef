/** The timeline as it is on the page: which time is where on the screen, and the counts of each kind. */
import { formatCount } from "./format.js";
import { closest, find } from "./page.js";

const recorder = find("#recorder");

export function axis() {
  const { from, to } = find("#timeline").dataset;
  return { from: Number(from), to: Math.max(Number(to), Number(from) + 1) };
}

/** The plots' left edge and width, within the recorder. */
export function plot() {
  const box = recorder.getBoundingClientRect();
  const inner = find("#timeline .row-plot").getBoundingClientRect();
  return {
    left: inner.left - box.left - recorder.clientLeft,
    width: inner.width,
    screen: inner.left,
  };
}

/** @param {number} at */
export function xOf(at) {
  const { from, to } = axis();
  const { left, width } = plot();
  return left + ((at - from) / (to - from)) * width;
}

/** @param {number} x of the screen */
export function timeOf(x) {
  const { from, to } = axis();
  const { screen, width } = plot();
  return from + Math.min(1, Math.max(0, (x - screen) / width)) * (to - from);
}

/** The gap between the plots of two rows counts, too. @param {MouseEvent} event */
export function isOnPlot(event) {
  if (closest(event, ".row-plot")) return true;
  const { screen, width } = plot();
  const { clientX } = event;
  return closest(event, ".row") !== null && clientX >= screen && clientX <= screen + width;
}

/** The counts of a kind by bucket. @param {string} kind @returns {Map<number, number>} */
export function countsOf(kind) {
  const row = document.querySelector(`#timeline [data-kind="${kind}"]`);
  const counts = row?.getAttribute("data-counts") ?? "";
  return new Map(
    counts
      .split(" ")
      .filter(Boolean)
      .map((pair) => /** @type {[number, number]} */ (pair.split(":").map(Number))),
  );
}

/** "1 exception, 3 events" at a moment. A bucket is a few pixels wide, so its neighbours count, too. @param {number} at */
export function countsAt(at) {
  const { from } = axis();
  const bucket = Math.floor((at - from) / Number(find("#timeline").dataset.step));
  const nouns = { exceptions: "exception", events: "event", states: "change" };
  return Object.entries(nouns)
    .flatMap(([kind, noun]) => {
      const counts = countsOf(kind);
      const count = [-1, 0, 1].reduce((sum, by) => sum + (counts.get(bucket + by) ?? 0), 0);
      return count === 0 ? [] : [formatCount(count, noun)];
    })
    .join(", ");
}
