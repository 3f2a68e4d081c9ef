/**
 * The session page: links and keys move the view (view.js), what is over the plots follows it (overlay.js), charts are drawn
 * (charts.js), and a running session is watched (live.js). htmx fetches the fragments.
 */
import { Charts } from "./charts.js";
import { fetchNewSeries, watch } from "./live.js";
import { markdownOf } from "./markdown.js";
import { keepOpen } from "./opened.js";
import {
  drawOverlay,
  endDrag,
  followPointer,
  hideCrosshair,
  isCursorHidden,
  showCrosshair,
} from "./overlay.js";
import { closest, copyFrom, find, isTyping } from "./page.js";
import { readStateValues } from "./state-values.js";
import { setSessionSpan } from "./time.js";
import { axis } from "./timeline.js";
import {
  cursorAt,
  follow,
  isAtLast,
  lastAt,
  linkToMoment,
  setCursor,
  setRange,
  setView,
  showWhole,
} from "./view.js";

const session = find("#session");
const recorder = find("#recorder");
const charts = new Charts(recorder, session.dataset.id ?? "");

function draw() {
  const at = cursorAt();
  drawOverlay();
  charts.read(at, isAtLast());
  readStateValues(at);
  markEvent(at);
}

/** Marks the list's event at the cursor, or the last one before it. @param {number} at */
function markEvent(at) {
  /** @type {{ row: Element, time: number } | undefined} */
  let latest;
  for (const link of document.querySelectorAll("#event-list > .event > .moment")) {
    const time = Number(link.getAttribute("data-t"));
    if (time <= at && (!latest || time > latest.time) && link.parentElement)
      latest = { row: link.parentElement, time };
  }
  document.querySelector("#event-list > [data-here]")?.removeAttribute("data-here");
  latest?.row.setAttribute("data-here", "");
}

followPointer((at) => {
  charts.read(at);
  readStateValues(at);
}, draw);

// Links and keys ------------------------------------------------------------------------------------------------------

const VIEW_LINKS =
  "a[data-t], a[data-history], a[data-close-history], a.timeline-whole, a[data-follow]";

document.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  const link = closest(event, VIEW_LINKS);
  if (!(link instanceof HTMLAnchorElement)) return;
  event.preventDefault();
  const path = new URL(link.href).searchParams.get("path") ?? "";
  if (link.dataset.t) {
    setCursor(Number(link.dataset.t));
    if (link.matches("[data-show-moment]")) showMoment();
  } else if (link.matches(".timeline-whole")) showWhole();
  else if (link.matches("[data-follow]")) follow();
  else setView({ path }, "moment", "path");
});

/** Scrolls to the panel at the cursor, and to the cursor on the axis beside it. */
function showMoment() {
  const moment = find("#moment");
  moment.scrollTop = 0;
  const isBeside = moment.getBoundingClientRect().left > recorder.getBoundingClientRect().left;
  (isBeside ? recorder : moment).scrollIntoView({ block: "start" });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const act =
    KEYS[event.shiftKey && event.key.startsWith("Arrow") ? `Shift ${event.key}` : event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

/** @type {Record<string, () => void>} */
const KEYS = {
  ArrowLeft: () => clickLink("previous-change"),
  ArrowRight: () => clickLink("next-change"),
  "Shift ArrowLeft": () => clickLink("previous-event"),
  "Shift ArrowRight": () => clickLink("next-event"),
  Home: () => setCursor(Number(session.dataset.start)),
  End: follow,
  f: follow,
  "+": () => zoomBy(0.5),
  "=": () => zoomBy(0.5),
  "-": () => zoomBy(2),
  0: showWhole,
  c: () => void copyLink(),
  Escape: () => {
    endDrag();
    hideCrosshair(draw);
  },
};

/** @param {string} id */
function clickLink(id) {
  const link = document.getElementById(id);
  if (link instanceof HTMLAnchorElement) link.click();
}

/** Zooms around the cursor, which keeps its place on the screen; around the middle when it is out of view. @param {number} factor */
function zoomBy(factor) {
  const { from, to } = axis();
  const at = isCursorHidden() ? (from + to) / 2 : cursorAt();
  const start = Number(session.dataset.start);
  const nextFrom = Math.max(start, at - (at - from) * factor);
  const nextTo = at + (to - at) * factor;
  if (factor > 1 && nextFrom === start && nextTo >= lastAt()) return showWhole();
  setRange(nextFrom, nextTo);
}

async function copyLink() {
  await navigator.clipboard.writeText(linkToMoment());
  showCrosshair("link copied");
}

for (const button of document.querySelectorAll("[data-share]")) button.removeAttribute("hidden");
document.addEventListener("click", async (event) => {
  const button = closest(event, "[data-share]");
  if (!button) return;
  const isMarkdown = button.getAttribute("data-share") === "markdown";
  await copyFrom(button, isMarkdown ? markdownOf(cursorAt(), linkToMoment()) : linkToMoment());
});

// The panel at the cursor, beside the recorder -------------------------------------------------------------------------

const panes = find(".panes");

/** The panel ends where the screen ends, also before it has been scrolled up to the top. */
function fitPanel() {
  const top = Math.round(panes.getBoundingClientRect().top);
  panes.style.setProperty("--panes-top", `${Math.max(0, top)}px`);
}

addEventListener("scroll", fitPanel, { passive: true });
addEventListener("resize", fitPanel);

/** The value whose history is shown; a new one is scrolled into view. */
let shownPath = document.getElementById("history")?.dataset.path;

function showHistory() {
  const history = document.getElementById("history");
  if (history?.dataset.path === shownPath) return;
  shownPath = history?.dataset.path;
  if (shownPath !== undefined) history?.scrollIntoView({ block: "nearest" });
}

let terminalWasAtEnd = true;

/** Keeps the terminal at its end, unless it has been scrolled up. */
function followTerminal() {
  const terminal = document.getElementById("terminal");
  if (!terminal) return;
  if (terminalWasAtEnd) terminal.scrollTop = terminal.scrollHeight;
  if (terminal.dataset.watched) return;
  terminal.dataset.watched = "yes";
  terminal.addEventListener("scroll", () => {
    terminalWasAtEnd = terminal.scrollHeight - terminal.scrollTop - terminal.clientHeight < 24;
  });
}

// Fragments -----------------------------------------------------------------------------------------------------------

function refresh() {
  const { from, to } = axis();
  charts.show(from, to);
  setSessionSpan(Number(session.dataset.start), lastAt());
  draw();
  fitPanel();
  followTerminal();
}

document.addEventListener("view", draw);
document.addEventListener("htmx:after:swap", () => {
  const status = find("#verdict").dataset.status;
  if (status) document.querySelector("link[rel=icon]")?.setAttribute("href", `/icon/${status}.svg`);
  refresh();
  keepOpen();
  showHistory();
  fetchNewSeries();
});

new ResizeObserver(draw).observe(recorder);
refresh();
watch(charts);
// htmx may have processed the page before its socket extension was loaded, or may not have begun yet; processing it twice is harmless.
/** @type {any} */ (globalThis).htmx.process(session);
session.dispatchEvent(new CustomEvent("watch"));
