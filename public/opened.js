/** Keeps the disclosures as the reader opened or closed them when fragments replace them. */
import { closest } from "./page.js";

const KEPT = "#state .branch > details, .statistics, .event > details";
/** Whether each is open, by the branch's path or the id of the chart or event. @type {Map<string, boolean>} */
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
    // A search opens every branch that it found.
    if (isSearching && details.closest("#state")) continue;
    details.open = opened.get(placeOf(details)) ?? details.open;
  }
}
