/** Changes of a running session. The socket names the kinds of ops that arrived; the fragments that show them are fetched again. */
import { find } from "./page.js";
import { isAtLast, trigger } from "./view.js";

const session = find("#session");

// The stylesheet shows it beside "Following" while the connection is lost.
// With the code 1012 the server asks for a new connection, because it checks again who watches.
document.addEventListener("htmx:ws:close", (event) => {
  if (codeOf(event) !== 1012) session.dataset.socket = "away";
});
document.addEventListener("htmx:ws:after:connection", () => delete session.dataset.socket);

// A session that goes on without a new op: the end of its axis is now.
extendWhile("hung", Number(session.dataset.hungMs));
extendWhile("active", Number(session.dataset.idleMs));

/** @param {string} status @param {number} everyMs */
function extendWhile(status, everyMs) {
  setInterval(() => {
    if (!document.hidden && find("#verdict").dataset.status === status) trigger("live-timeline");
  }, everyMs);
}

/** @param {Event} event @returns {number | undefined} */
function codeOf(event) {
  return event instanceof CustomEvent ? event.detail.code : undefined;
}

// A deleted session -----------------------------------------------------------------------------------------------------

// The server closes the socket of a session that it deletes (1000), and refuses to open one again (1006).
document.addEventListener("htmx:ws:close", async (event) => {
  const code = codeOf(event);
  if (code !== 1000 && code !== 1006) return;
  try {
    const { status } = await fetch(`/sessions/${session.dataset.id}/verdict`);
    if (status === 404 || status === 410) showDeleted();
  } catch {
    // The server cannot be reached: the socket is opened again later.
  }
});
document.addEventListener("htmx:response:error", (event) => {
  const status = event instanceof CustomEvent ? event.detail.ctx?.response?.status : undefined;
  if (status === 410) showDeleted();
});
document.addEventListener("htmx:ws:before:connection", (event) => {
  if (session.dataset.deleted !== undefined) event.preventDefault();
});

function showDeleted() {
  if (session.dataset.deleted !== undefined) return;
  session.dataset.deleted = "";
  const note = document.createElement("p");
  note.className = "failure";
  note.id = "deleted";
  note.setAttribute("role", "alert");
  note.textContent =
    "This session was deleted. This page still shows what it had when the page fetched it last; none of it is stored any more.";
  session.prepend(note);
}

// Changes ---------------------------------------------------------------------------------------------------------------

/** The revision that the page shows; at first the one that it was rendered from. */
let revision = Number(session.dataset.revision);

/** @param {import("./charts.js").Charts} charts */
export function watch(charts) {
  document.addEventListener("htmx:ws:before:message:incoming", async (event) => {
    if (!(event instanceof CustomEvent)) return;
    /** @type {{ revision: number, status: string, kinds: string[] }} */
    const change = await event.detail.message.json();
    // The first message of a connection names no kinds: ops of any kind may have arrived since the page was rendered, or while it was disconnected.
    const isOld = change.revision !== revision || change.status !== find("#verdict").dataset.status;
    if (change.kinds.length > 0) fetchChanged(change.kinds, charts);
    else if (isOld)
      fetchChanged(
        ["attachment", "state", "event", "exception", "metric", "heartbeat", "status"],
        charts,
      );
    // What arrived of an attachment changes no revision.
    else if (document.querySelector("#attachments[data-awaited]")) trigger("live-attachments");
    ({ revision } = change);
  });
}

/** @param {string[]} kinds @param {import("./charts.js").Charts} charts */
function fetchChanged(kinds, charts) {
  const has = (/** @type {string[]} */ ...wanted) => wanted.some((kind) => kinds.includes(kind));
  trigger("live-timeline");
  fetchFigures(charts);
  if (has("status")) trigger("live-status");
  if (has("status", "exception", "event")) trigger("live-verdict");
  else if (has("heartbeat")) trigger("live-heartbeat");
  if (has("exception")) trigger("live-exceptions");
  if (has("attachment")) trigger("live-attachments");
  if (has("metric")) void charts.extend();
  if (has("event", "exception") && isListAtTop()) trigger("live-list");
  if (!isAtLast()) return;
  if (has("state", "event", "exception", "attachment")) trigger("live-moment");
  if (has("event")) trigger("live-output");
}

/** @param {import("./charts.js").Charts} charts */
function fetchFigures(charts) {
  const ids = document.querySelector("#figures [name=ids]");
  if (ids instanceof HTMLInputElement) ids.value = [...charts.visible].join(",");
  trigger("live-figures");
}

/** While the list is scrolled down it is being read, and new events would move it. */
function isListAtTop() {
  const list = document.getElementById("event-list");
  return list !== null && list.scrollTop < 8;
}

let requestedSeries = 0;

/** The timeline has the number of series; the list of charts is fetched when it lacks one. */
export function fetchNewSeries() {
  const series = Number(find("#timeline").dataset.series);
  const listed = Number(document.getElementById("chart-list")?.dataset.series);
  if (series <= listed || series === requestedSeries) return;
  requestedSeries = series;
  trigger("live-series");
}
