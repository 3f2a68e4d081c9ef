/**
 * The session page in motion: one axis of time that all panels share, a cursor on it, and what arrives while it runs.
 * The page itself says everything: #timeline the range, #view what is looked at. This moves them; htmx fetches what follows.
 */
import { keepOpen } from "./opened.js";
import { closest, find, isTyping } from "./page.js";
import { Charts } from "./charts.js";
import { axis, countsOf, isOnPlot, plot, timeOf, whatIsAt, xOf } from "./timeline.js";
import { markdownOf } from "./markdown.js";
import { moment, setLife } from "./time.js";

/** A drag shorter than this is a click. */
const DRAG_PIXELS = 6;

const session = find("#session");
const recorder = find("#recorder");
const charts = new Charts(recorder, session.dataset.id ?? "");

// The view: in a form, so that htmx sends it along, and in the address, so that it can be sent to someone -------------

const form = /** @type {HTMLFormElement} */ (find("#view"));

/** @param {string} name */
function field(name) {
  return /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
}

/** @param {string} name @returns {number | undefined} */
function number(name) {
  const { value } = field(name);
  if (value === "") return undefined;
  const at = /^\d+(\.\d+)?$/.test(value) ? Number(value) : Date.parse(value);
  return Number.isFinite(at) ? at : undefined;
}

const VIEW = ["t", "from", "to", "path"];

/** @param {Record<string, string>} fields @param {...string} told what to tell the panels */
function look(fields, ...told) {
  for (const [name, value] of Object.entries(fields)) field(name).value = value;
  const url = new URL(location.href);
  for (const name of VIEW) {
    if (field(name).value === "") url.searchParams.delete(name);
    else url.searchParams.set(name, field(name).value);
  }
  // A range is a place to come back to; each step of the cursor is not.
  if (told.includes("range") && url.href !== location.href) history.pushState(null, "", url);
  else history.replaceState(history.state, "", url);
  draw();
  // Whether the panel of a running session follows depends on the range, too.
  const isRunning = find("#verdict").dataset.status === "active";
  if (isRunning && isAtLast() && told.includes("range") && !told.includes("moment")) tell("moment");
  for (const name of told) tell(name);
}

const FILTER = /** @type {const} */ (["text", "category", "name", "order"]);
/** What stands for nothing chosen. */
const USUAL = { text: "", category: "", name: "", order: "desc" };
const filter = document.getElementById("events-filter");

/** @param {string} name */
function filterField(name) {
  return /** @type {HTMLInputElement | HTMLSelectElement} */ (
    /** @type {HTMLFormElement} */ (filter).elements.namedItem(name)
  );
}

/** What the events are searched for can be sent to someone, too. */
filter?.addEventListener("input", () => {
  const url = new URL(location.href);
  // Where a list without script was, and what no field here says any more.
  for (const name of ["cursor", "seen", "group", "label"]) url.searchParams.delete(name);
  for (const name of FILTER) {
    const { value } = filterField(name);
    if (value === USUAL[name]) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  history.replaceState(history.state, "", url);
});

/** Back and Forward lead through the ranges that were looked at. */
addEventListener("popstate", () => {
  const said = new URLSearchParams(location.search);
  for (const name of VIEW) field(name).value = said.get(name) ?? "";
  if (filter) for (const name of FILTER) filterField(name).value = said.get(name) ?? USUAL[name];
  draw();
  tell("moment");
  tell("range");
});
// htmx would load the whole page again.
document.addEventListener("htmx:before:history:restore", (event) => event.preventDefault());

/** @param {string} name */
function tell(name) {
  document.body.dispatchEvent(new CustomEvent(name));
}

/** Moves the cursor; bringing it into view if it is outside the range. @param {number} at */
function go(at) {
  const { from, to } = axis();
  const whole = Math.round(at);
  if (at >= from && at <= to) return look({ t: String(whole) }, "moment");
  const half = (to - from) / 2;
  look(
    { t: String(whole), from: String(Math.round(at - half)), to: String(Math.round(at + half)) },
    "moment",
    "range",
  );
}

/** @param {number} from @param {number} to */
function zoom(from, to) {
  if (to - from < 2) return;
  look({ from: String(Math.floor(from)), to: String(Math.ceil(to)) }, "range");
}

function whole() {
  look({ from: "", to: "" }, "range");
}

/** Nobody has put the cursor anywhere: it stands at the session's last moment, wherever that moves to. */
function isAtLast() {
  return field("t").value === "";
}

function cursorAt() {
  return number("t") ?? Number(find("#timeline").dataset.last);
}

// The cursor, its crosshair under the pointer, and the range being dragged ------------------------------------------------

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

/** Also when a running session has come over midnight. */
function tellLife() {
  setLife(Number(session.dataset.start), Number(find("#timeline").dataset.last));
}

function draw() {
  const { from, to } = axis();
  const at = cursorAt();
  cursor.hidden = at < from || at > to;
  cursor.style.left = `${xOf(at)}px`;
  charts.read(at, isAtLast());
  drawFailures();
  markEvent(at);
}

/** The list's event at the cursor, or the last one before it. @param {number} at */
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

/** Exceptions and the crash, as hairlines through every chart: what the numbers did then is why one looks. */
function drawFailures() {
  const { left, width } = plot();
  const { from, to } = axis();
  const { step, crash } = find("#timeline").dataset;
  const at = (/** @type {number} */ time) => ((time - from) / (to - from)) * 100;
  const lines = [...countsOf("exceptions").keys()].map((bucket) =>
    line(at(from + (bucket + 0.5) * Number(step)), "exception"),
  );
  if (crash !== undefined && Number(crash) >= from && Number(crash) <= to)
    lines.push(line(at(Number(crash)), "crash"));
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

recorder.addEventListener("pointermove", (event) => {
  if (!drag && !isOnPlot(event)) return hideCrosshair();
  const at = timeOf(event.clientX);
  crosshair.hidden = false;
  crosshair.style.left = `${xOf(at)}px`;
  crosshairTime.textContent = moment(at, "clock");
  crosshairCounts.textContent = whatIsAt(at);
  charts.read(at);
  if (!drag || Math.abs(event.clientX - drag.x) < DRAG_PIXELS) return;
  selection.hidden = false;
  selection.style.left = `${xOf(Math.min(at, drag.from))}px`;
  selection.style.width = `${Math.abs(xOf(at) - xOf(drag.from))}px`;
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
  if (Math.abs(event.clientX - x) < DRAG_PIXELS) go(at);
  else zoom(Math.min(from, at), Math.max(from, at));
});

recorder.addEventListener("pointercancel", endDrag);
recorder.addEventListener("pointerleave", hideCrosshair);
recorder.addEventListener("dblclick", (event) => {
  if (isOnPlot(event)) whole();
});

function endDrag() {
  drag = undefined;
  selection.hidden = true;
}

function hideCrosshair() {
  if (crosshair.hidden) return;
  crosshair.hidden = true;
  draw();
}

// Links and keys ------------------------------------------------------------------------------------------------------

document.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  const link = closest(
    event,
    "a[data-t], a[data-history], a[data-close-history], a.timeline-whole, a[data-follow]",
  );
  if (!(link instanceof HTMLAnchorElement)) return;
  event.preventDefault();
  const path = new URL(link.href).searchParams.get("path") ?? "";
  if (link.dataset.t) go(Number(link.dataset.t));
  else if (link.matches(".timeline-whole")) whole();
  else if (link.matches("[data-follow]")) follow();
  else look({ path }, "moment");
});

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
  ArrowLeft: () => step("previous-change"),
  ArrowRight: () => step("next-change"),
  "Shift ArrowLeft": () => step("previous-event"),
  "Shift ArrowRight": () => step("next-event"),
  Home: () => go(Number(session.dataset.start)),
  End: follow,
  f: follow,
  "+": () => zoomBy(0.5),
  "=": () => zoomBy(0.5),
  "-": () => zoomBy(2),
  0: whole,
  c: () => void copyLink(),
  Escape: () => {
    endDrag();
    hideCrosshair();
  },
};

/** @param {string} id */
function step(id) {
  const link = document.getElementById(id);
  if (link instanceof HTMLAnchorElement) link.click();
}

function follow() {
  look({ t: "", from: "", to: "" }, "moment", "range");
}

/** Around the cursor, which stays where it is on the screen; around the middle when it is out of view. @param {number} factor */
function zoomBy(factor) {
  const { from, to } = axis();
  const at = cursor.hidden ? (from + to) / 2 : cursorAt();
  const start = Number(session.dataset.start);
  const nextFrom = Math.max(start, at - (at - from) * factor);
  if (
    factor > 1 &&
    nextFrom === start &&
    at + (to - at) * factor >= Number(find("#timeline").dataset.last)
  )
    return whole();
  zoom(nextFrom, at + (to - at) * factor);
}

async function copyLink() {
  await navigator.clipboard.writeText(linkToMoment());
  crosshair.hidden = false;
  crosshairTime.textContent = "link copied";
  crosshairCounts.textContent = "";
}

/** Also of a cursor that nobody put anywhere: whoever gets the link shall see the same moment. */
function linkToMoment() {
  const url = new URL(location.href);
  url.searchParams.set("t", String(Math.round(cursorAt())));
  return url.href;
}

for (const button of document.querySelectorAll("[data-share]")) button.removeAttribute("hidden");
document.addEventListener("click", async (event) => {
  const button = closest(event, "[data-share]");
  if (!button) return;
  const text =
    button.getAttribute("data-share") === "markdown"
      ? markdownOf(cursorAt(), linkToMoment())
      : linkToMoment();
  await navigator.clipboard.writeText(text);
  const word = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = word), 1_200);
});

// The panel at the cursor, beside the recorder -------------------------------------------------------------------------

const panes = find(".panes");

/** The panel ends where the screen ends, also before it has been scrolled up to the top. */
function fitPanel() {
  const top = Math.round(panes.getBoundingClientRect().top);
  panes.style.setProperty("--stands", `${Math.max(0, top)}px`);
}

addEventListener("scroll", fitPanel, { passive: true });
addEventListener("resize", fitPanel);

/** The value whose history is shown; a new one is brought into sight. */
let shownPath = document.getElementById("history")?.dataset.path;

function showHistory() {
  const history = document.getElementById("history");
  if (history?.dataset.path === shownPath) return;
  shownPath = history?.dataset.path;
  if (shownPath !== undefined) history?.scrollIntoView({ block: "nearest" });
}

// What arrives while it runs ------------------------------------------------------------------------------------------

// The stylesheet says it beside "following" when the socket is gone for a while.
document.addEventListener("htmx:ws:close", () => (session.dataset.socket = "away"));
document.addEventListener("htmx:ws:after:connection", () => delete session.dataset.socket);

/** What the page has been told of so far; at first, what it was drawn from. */
let revision = Number(session.dataset.revision);

document.addEventListener("htmx:ws:before:message:incoming", async (event) => {
  if (!(event instanceof CustomEvent)) return;
  /** @type {{ revision: number, status: string, kinds: string[] }} */
  const change = await event.detail.message.json();
  // The first word of a connection names no kinds: anything may have happened since the page was drawn, or while it was away.
  const isOld = change.revision !== revision || change.status !== find("#verdict").dataset.status;
  if (change.kinds.length > 0) arrived(change.kinds);
  else if (isOld) arrived(["state", "event", "exception", "metric", "heartbeat", "status"]);
  ({ revision } = change);
});

/** @param {string[]} kinds */
function arrived(kinds) {
  const has = (/** @type {string[]} */ ...wanted) => wanted.some((kind) => kinds.includes(kind));
  tell("live-timeline");
  tellFigures();
  if (has("status", "exception", "event")) tell("live-verdict");
  else if (has("heartbeat")) tell("live-heartbeat");
  if (has("exception")) tell("live-exceptions");
  if (has("metric")) void charts.extend();
  if (has("event", "exception") && isListAtTop()) tell("live-list");
  if (!isAtLast()) return;
  if (has("state", "event", "exception")) tell("live-moment");
  if (has("event")) tell("live-output");
}

function tellFigures() {
  const ids = document.querySelector("#figures [name=ids]");
  if (ids instanceof HTMLInputElement) ids.value = [...charts.visible].join(",");
  tell("live-figures");
}

let toldSeries = 0;
/** The timeline counts the series; one that is new has no chart yet. */
function lookForSeries() {
  const series = Number(find("#timeline").dataset.series);
  const known = Number(document.getElementById("chart-list")?.dataset.known);
  if (series <= known || series === toldSeries) return;
  toldSeries = series;
  tell("live-series");
}

/** Whoever has scrolled down the list is reading: new events would move it away under them. */
function isListAtTop() {
  const list = document.getElementById("event-list");
  return list !== null && list.scrollTop < 8;
}

document.addEventListener("htmx:after:swap", () => {
  const status = find("#verdict").dataset.status;
  if (status) document.querySelector("link[rel=icon]")?.setAttribute("href", `/icon/${status}.svg`);
  const { from, to } = axis();
  charts.show(from, to);
  draw();
  tellLife();
  keepOpen();
  fitPanel();
  showHistory();
  lookForSeries();
  followTerminal();
});

let terminalWasAtEnd = true;
/** A terminal stays at its end, unless its reader has scrolled up. */
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

new ResizeObserver(draw).observe(recorder);
const { from, to } = axis();
charts.show(from, to);
tellLife();
draw();
fitPanel();
followTerminal();
// htmx may have gone through the page before its socket extension was loaded, or may not have begun yet; doing it twice does no harm.
/** @type {any} */ (globalThis).htmx.process(session);
session.dispatchEvent(new CustomEvent("watch"));
