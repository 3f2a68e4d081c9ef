/** Times in the viewer's zone or in UTC, and ages. The server writes UTC; this rewrites what is on the page. */
import { formatAge, formatZone } from "./format.js";

const root = document.documentElement;

/** @param {number} at @param {string} [show] as in src/pages/ui/time.tsx */
export function moment(at, show = "full") {
  if (show === "age") return formatAge(Date.now() - at);
  const { date, clock } = parts(new Date(at));
  if (show === "clock") return spansDays() ? `${date.slice(5)} ${clock}` : clock;
  return `${date} ${show === "full" ? clock : clock.slice(0, 5)} ${zoneAt(at)}`;
}

/** From the start to the last moment of the page's session, if it has one. */
const span = { from: 0, to: 0 };

/** A time without a date is ambiguous if the session passes midnight in the viewer's zone. */
function spansDays() {
  const { from, to } = span;
  return parts(new Date(from)).date !== parts(new Date(to)).date;
}

/** @param {number} from @param {number} to */
export function setSessionSpan(from, to) {
  const before = spansDays();
  Object.assign(span, { from, to });
  if (spansDays() !== before) writeTimes();
}

export function isUtc() {
  return root.dataset.zone === "utc";
}

/** The zone of the page at this moment. @param {number} at */
export function zoneAt(at) {
  return formatZone(isUtc() ? 0 : -new Date(at).getTimezoneOffset());
}

/** Rewrites every <time> inside. @param {ParentNode} [inside] */
export function writeTimes(inside = document) {
  for (const element of inside.querySelectorAll("time")) {
    const at = Date.parse(element.dateTime);
    const text = moment(at, element.dataset.show);
    if (element.textContent !== text) element.textContent = text;
    if (!element.title) element.title = element.dateTime;
  }
}

/** @param {Date} date */
function parts(date) {
  const iso = new Date(
    date.getTime() - (isUtc() ? 0 : date.getTimezoneOffset() * 60_000),
  ).toISOString();
  return { date: iso.slice(0, 10), clock: iso.slice(11, 23) };
}
