/** What its reader opened stays open, and what was closed closed, whatever fragments say. */
import { closest } from "./page.js";

const KEPT = "#state .branch > details, .statistics, .event > details";
/** By the branch's path, the chart or the event. A fragment knows nothing of it, only which branches hold a change. @type {Map<string, boolean>} */
const opened = new Map();

document.addEventListener("click", (event) => {
  const details = closest(event, "summary")?.parentElement;
  if (details instanceof HTMLDetailsElement && details.matches(KEPT))
    opened.set(placeOf(details), !details.open);
});

/** @param {HTMLDetailsElement} details */
function placeOf({ parentElement }) {
  const link = parentElement?.querySelector(":scope > .to-history");
  if (link instanceof HTMLAnchorElement) return new URL(link.href).searchParams.get("path") ?? "";
  return parentElement?.id ?? "";
}

export function keepOpen() {
  if (opened.size === 0) return;
  const search = document.querySelector("#state [name=q]");
  const isSearching = search instanceof HTMLInputElement && search.value !== "";
  for (const details of document.querySelectorAll(KEPT)) {
    if (!(details instanceof HTMLDetailsElement)) continue;
    // What a search found stands open, or it could not be seen.
    if (isSearching && details.closest("#state")) continue;
    details.open = opened.get(placeOf(details)) ?? details.open;
  }
}
