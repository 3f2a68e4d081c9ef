/** A click anywhere in a row of a list follows the row's link. Text in it can still be selected, and its other controls work. */

/** Rows, and the link of each. */
const ROWS = /** @type {const} */ ([
  [".sessions tbody tr", "th > a"],
  [".line, .change", ".moment"],
  [".group-row", ".group-title"],
]);
const CONTROLS = "a, button, input, label, select, summary, textarea";

document.addEventListener("click", follow);
// The middle button opens a tab, as on a link.
document.addEventListener("auxclick", (event) => {
  if (event.button === 1) follow(event);
});

/** @param {MouseEvent} event */
function follow(event) {
  if (event.defaultPrevented || !(event.target instanceof Element)) return;
  if (event.target.closest(CONTROLS) || !getSelection()?.isCollapsed) return;
  for (const [rows, link] of ROWS) {
    const found = event.target.closest(rows)?.querySelector(link);
    if (found instanceof HTMLAnchorElement) return click(found, event);
  }
}

/** @param {HTMLAnchorElement} link @param {MouseEvent} event */
function click(link, { button, ctrlKey, metaKey, shiftKey }) {
  const isNewTab = button === 1 || ctrlKey || metaKey;
  if (isNewTab || shiftKey) window.open(link.href, isNewTab ? "_blank" : undefined, "noopener");
  else link.click();
}
