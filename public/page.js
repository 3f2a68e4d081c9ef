/** What every page has: times in the viewer's zone, preferences without a reload, copy buttons, keys, and errors beside the panel that failed. */
import { formatDuration } from "./format.js";
import "./rows.js";
import { isUtc, writeTimes, zoneAt } from "./time.js";

const root = document.documentElement;
root.classList.add("script");

// Times ---------------------------------------------------------------------------------------------------------------

/** Durations that are still counting: the text of the server's figure, and when it arrived. @type {WeakMap<Element, { text: string, at: number }>} */
const counting = new WeakMap();

refresh();
setInterval(refresh, 5_000);
setInterval(count, 1_000);
// Fragments come with times in UTC and with buttons that only work with script.
document.addEventListener("htmx:after:swap", refresh);

function refresh() {
  writeTimes();
  count();
  for (const button of document.querySelectorAll("[data-copy][hidden], [data-copy-from][hidden]")) {
    button.removeAttribute("hidden");
  }
}

/** Continues durations by this page's own time, since the browser's clock may differ from the server's, or be set. */
function count() {
  const now = performance.now();
  for (const element of document.querySelectorAll("[data-elapsed]")) {
    const text = element.getAttribute("data-elapsed") ?? "";
    let from = counting.get(element);
    if (from?.text !== text) counting.set(element, (from = { text, at: now }));
    const seconds = Math.floor((Number(text) + now - from.at) / 1_000);
    const shown = formatDuration(Math.max(1, seconds) * 1_000);
    if (element.textContent !== shown) element.textContent = shown;
  }
}

/** A hidden tab does not fetch what is fetched every few seconds. */
document.addEventListener("htmx:config:request", (event) => {
  if (!document.hidden || !(event instanceof CustomEvent)) return;
  if (event.detail.ctx.sourceElement.matches("[hx-trigger^=every]")) event.preventDefault();
});

// Preferences ---------------------------------------------------------------------------------------------------------

document.addEventListener("submit", (event) => {
  const form = event.target;
  const button = event.submitter;
  if (!(form instanceof HTMLFormElement) || !form.matches(".preferences")) return;
  if (!(button instanceof HTMLButtonElement)) return;
  event.preventDefault();
  document.cookie = `${button.name}=${button.value}; path=/; max-age=31536000; samesite=lax`;
  root.setAttribute(`data-${button.name}`, button.value);
  for (const each of form.querySelectorAll(`button[name="${button.name}"]`)) {
    each.setAttribute("aria-pressed", String(each === button));
  }
  writeTimes();
  document.dispatchEvent(new CustomEvent("preference"));
});

// Typed times ---------------------------------------------------------------------------------------------------------

/** The moment in each field; it stays when the zone in which it is written changes. @type {WeakMap<HTMLInputElement, number>} */
const typed = new WeakMap();

for (const field of typedTimes()) if (field.value) typed.set(field, Date.parse(`${field.value}Z`));
writeTyped();
document.addEventListener("preference", writeTyped);
document.addEventListener("input", (event) => {
  const field = event.target;
  if (!(field instanceof HTMLInputElement) || field.type !== "datetime-local") return;
  // A time without a zone is parsed in the viewer's zone, with that day's offset (summer time).
  const at = Date.parse(isUtc() ? `${field.value}Z` : field.value);
  if (Number.isFinite(at)) typed.set(field, at);
  else typed.delete(field);
});

function writeTyped() {
  for (const field of typedTimes()) {
    const at = typed.get(field);
    if (at !== undefined) field.value = fieldValue(at);
  }
  for (const label of document.querySelectorAll("[data-zone-label]")) {
    label.textContent = `(${zoneAt(Date.now())})`;
  }
}

/** @returns {HTMLInputElement[]} */
function typedTimes() {
  return [...document.querySelectorAll("input[type=datetime-local]")].filter(
    (field) => field instanceof HTMLInputElement,
  );
}

/** @param {number} at */
function fieldValue(at) {
  const offset = isUtc() ? 0 : new Date(at).getTimezoneOffset() * 60_000;
  return new Date(at - offset).toISOString().slice(0, 19);
}

// Times in an address are in UTC, so that a link means the same in every zone.
document.addEventListener("formdata", (event) => {
  if (!(event.target instanceof HTMLFormElement)) return;
  for (const field of event.target.querySelectorAll("input[type=datetime-local]")) {
    if (!(field instanceof HTMLInputElement) || field.value === "") continue;
    const at = typed.get(field);
    if (at !== undefined)
      event.formData.set(field.name, `${new Date(at).toISOString().slice(0, 19)}Z`);
  }
});

// Empty fields are left out of the address.
document.addEventListener("formdata", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || form.method !== "get") return;
  const names = new Set(event.formData.keys()); // a copy, because the loop deletes from it
  for (const name of names) {
    if (event.formData.getAll(name).every((value) => value === "")) event.formData.delete(name);
  }
});

// Copying -------------------------------------------------------------------------------------------------------------

document.addEventListener("click", async (event) => {
  const button = closest(event, "[data-copy], [data-copy-from]");
  if (!button) return;
  const from = button.getAttribute("data-copy-from");
  const text = from ? await (await fetch(from)).text() : (button.getAttribute("data-copy") ?? "");
  await copyFrom(button, text);
});

/** Copies a text, and confirms it on the button for a moment. @param {Element} button @param {string} text */
export async function copyFrom(button, text) {
  const label = button.textContent;
  await navigator.clipboard.writeText(text);
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = label), 1_200);
}

// Keys ----------------------------------------------------------------------------------------------------------------

const PAGES = /** @type {Record<string, string>} */ ({
  h: "/",
  s: "/sessions",
  e: "/exceptions",
  m: "/metrics",
  d: "/docs",
});
let lastKey = "";

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const wasG = lastKey === "g";
  lastKey = event.key;
  if (wasG && PAGES[event.key]) {
    location.assign(PAGES[event.key] ?? "/");
  } else if (event.key === "?") {
    showKeys();
  } else if (event.key === "/") {
    const search = document.querySelector("[data-search]");
    if (search instanceof HTMLElement) {
      event.preventDefault();
      search.focus();
    }
  }
});

document.addEventListener("click", (event) => {
  if (closest(event, "[data-keys]")) showKeys();
});

function showKeys() {
  const help = document.getElementById("keys");
  if (help instanceof HTMLDialogElement && !help.open) help.showModal();
}

// Errors --------------------------------------------------------------------------------------------------------------

/** A refused fragment leaves its panel as it was; a note above the panel reports it until the next fragment succeeds. */
document.addEventListener("htmx:response:error", (event) =>
  reportError(event, "The server refused the request."),
);
document.addEventListener("htmx:error", (event) =>
  reportError(event, "The server cannot be reached."),
);
document.addEventListener("htmx:after:swap", (event) => {
  const { target, response } = contextOf(event);
  // htmx sends this event after a refusal, too, although nothing was swapped.
  if (target && (response?.status ?? 200) < 400) noteOf(target)?.remove();
});

/** @param {Event} event @param {string} problem */
function reportError(event, problem) {
  const { target } = contextOf(event);
  if (!target || noteOf(target)) return;
  const note = document.createElement("p");
  note.className = "failure";
  note.dataset.request = "";
  note.setAttribute("role", "status");
  note.textContent = `${problem} What is shown here may be out of date.`;
  // Beside a panel the note would take a column of its own.
  if (target.matches(PANELS)) target.prepend(note);
  else target.before(note);
}

const PANELS = "section, aside";

/** @param {Element} target */
function noteOf(target) {
  return (target.matches(PANELS) ? target : target.parentElement)?.querySelector(
    ":scope > .failure[data-request]",
  );
}

/** @param {Event} event @returns {{ target?: Element, response?: { status: number } }} */
function contextOf(event) {
  return event instanceof CustomEvent ? (event.detail?.ctx ?? {}) : {};
}

/** @param {Event} event @param {string} selector */
export function closest(event, selector) {
  return event.target instanceof Element ? event.target.closest(selector) : null;
}

/** @param {EventTarget | null} target */
export function isTyping(target) {
  return (
    target instanceof Element &&
    target.closest("input, select, textarea, dialog, [contenteditable]") !== null
  );
}

/** @param {string} selector @returns {HTMLElement} */
export function find(selector) {
  const element = document.querySelector(selector);
  if (!(element instanceof HTMLElement || element instanceof SVGElement)) {
    throw new Error(`The page has no ${selector}`);
  }
  return /** @type {HTMLElement} */ (element);
}
