/** Moments in the viewer's zone or in UTC, and how long ago they were. The server writes UTC; this rewrites what is on the page. */

const root = document.documentElement;

/** @param {number} at @param {string} [show] as in src/pages/ui/time.tsx */
export function moment(at, show = "full") {
  if (show === "age") return age(at);
  const { date, clock } = parts(new Date(at));
  if (show === "clock") return hasDays() ? `${date.slice(5)} ${clock}` : clock;
  const zone = isUtc() ? " UTC" : "";
  return show === "full" ? `${date} ${clock}${zone}` : `${date} ${clock.slice(0, 5)}${zone}`;
}

/** A clock's time says too little of a session that goes over midnight where its reader is. */
function hasDays() {
  const { from, to } = life;
  return parts(new Date(from)).date !== parts(new Date(to)).date;
}

/** The life of the page's session, if it has one. */
const life = { from: 0, to: 0 };

/** @param {number} from @param {number} to */
export function setLife(from, to) {
  const had = hasDays();
  Object.assign(life, { from, to });
  if (hasDays() !== had) writeTimes();
}

export function isUtc() {
  return root.dataset.zone === "utc";
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

/** @param {number} at */
function age(at) {
  const seconds = (Date.now() - at) / 1_000;
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** @param {number} ms as duration() in src/pages/ui/time.tsx, for what grows while one looks */
export function duration(ms) {
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 24
    ? `${hours} h ${minutes % 60} min`
    : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
