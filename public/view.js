/**
 * What the session page shows: the cursor (`t`), the range and a path of the state. It is kept in the form #view, which htmx sends
 * with each fragment, and in the address, so that a link shows the same. Each change dispatches "view" on the document.
 */
import { find } from "./page.js";
import { axis } from "./timeline.js";

const FIELDS = ["t", "from", "to", "path"];
const FILTER_FIELDS = /** @type {const} */ (["text", "category", "name", "order"]);
/** Values that the address leaves out. */
const FILTER_DEFAULTS = { text: "", category: "", name: "", order: "desc" };

const form = /** @type {HTMLFormElement} */ (find("#view"));
const filter = document.getElementById("events-filter");

/** @param {string} name */
function field(name) {
  return /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
}

/** @param {string} name */
function filterField(name) {
  return /** @type {HTMLInputElement | HTMLSelectElement} */ (
    /** @type {HTMLFormElement} */ (filter).elements.namedItem(name)
  );
}

/** Triggers the fragments that wait for this event (hx-trigger). @param {string} name */
export function trigger(name) {
  document.body.dispatchEvent(new CustomEvent(name));
}

/** @param {Record<string, string>} fields @param {...string} triggers the fragments to fetch */
export function setView(fields, ...triggers) {
  for (const [name, value] of Object.entries(fields)) field(name).value = value;
  const url = new URL(location.href);
  for (const name of FIELDS) setParameter(url, name, field(name).value);
  // Back returns to a range; each step of the cursor would fill the history.
  const isRange = triggers.includes("range");
  if (isRange && url.href !== location.href) history.pushState(null, "", url);
  else history.replaceState(history.state, "", url);
  document.dispatchEvent(new CustomEvent("view"));
  // Whether the panel of a running session follows depends on the range, too.
  const isRunning = find("#verdict").dataset.status === "active";
  if (isRunning && isAtLast() && isRange && !triggers.includes("moment")) trigger("moment");
  for (const name of triggers) trigger(name);
}

/** @param {URL} url @param {string} name @param {string} value @param {string} [usual] */
function setParameter(url, name, value, usual = "") {
  if (value === usual) url.searchParams.delete(name);
  else url.searchParams.set(name, value);
}

/** The address has the filter of the events, too. */
filter?.addEventListener("input", () => {
  const url = new URL(location.href);
  // Parameters of the page without script that no field here has.
  for (const name of ["cursor", "seen", "group", "tag"]) url.searchParams.delete(name);
  for (const name of FILTER_FIELDS) {
    setParameter(url, name, filterField(name).value, FILTER_DEFAULTS[name]);
  }
  history.replaceState(history.state, "", url);
});

/** So does the choice of a colour. */
document.addEventListener("change", ({ target }) => {
  if (!(target instanceof HTMLSelectElement) || target.name !== "colour") return;
  const url = new URL(location.href);
  setParameter(url, "colour", target.value);
  history.replaceState(history.state, "", url);
});

/** Back and Forward restore ranges. */
addEventListener("popstate", () => {
  const query = new URLSearchParams(location.search);
  for (const name of FIELDS) field(name).value = query.get(name) ?? "";
  if (filter) {
    for (const name of FILTER_FIELDS)
      filterField(name).value = query.get(name) ?? FILTER_DEFAULTS[name];
  }
  document.dispatchEvent(new CustomEvent("view"));
  trigger("moment");
  trigger("range");
});
// htmx would load the whole page again.
document.addEventListener("htmx:before:history:restore", (event) => event.preventDefault());

/** Moves the cursor, and the range with it if the moment is outside. @param {number} at */
export function setCursor(at) {
  const { from, to } = axis();
  const t = String(Math.round(at));
  if (at >= from && at <= to) return setView({ t }, "moment");
  const half = (to - from) / 2;
  setView(
    { t, from: String(Math.round(at - half)), to: String(Math.round(at + half)) },
    "moment",
    "range",
  );
}

/** @param {number} from @param {number} to */
export function setRange(from, to) {
  if (to - from < 2) return;
  setView({ from: String(Math.floor(from)), to: String(Math.ceil(to)) }, "range");
}

export function showWhole() {
  setView({ from: "", to: "" }, "range");
}

export function follow() {
  setView({ t: "", from: "", to: "" }, "moment", "range");
}

/** No cursor is set: it is at the end of the session, and moves with it. */
export function isAtLast() {
  return field("t").value === "";
}

export function cursorAt() {
  const { value } = field("t");
  const at = /^\d+(\.\d+)?$/.test(value) ? Number(value) : Date.parse(value);
  return Number.isFinite(at) ? at : lastAt();
}

/** The last moment of the session. */
export function lastAt() {
  return Number(find("#timeline").dataset.last);
}

/** The address of this page at the cursor, also where the cursor is not set: a later reader must see the same moment. */
export function linkToMoment() {
  const url = new URL(location.href);
  url.searchParams.set("t", String(Math.round(cursorAt())));
  return url.href;
}
