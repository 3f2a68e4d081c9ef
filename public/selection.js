/** Sessions selected for a comparison. The selection is kept across pages and searches of the list until the tab is closed. */
import { closest } from "./page.js";

const KEY = "ticked";

/** @type {Set<string>} */
const ticked = new Set(JSON.parse(sessionStorage.getItem(KEY) ?? "[]"));

show();
document.addEventListener("htmx:after:swap", show);
document.addEventListener("change", (event) => {
  const box = event.target;
  if (!(box instanceof HTMLInputElement) || !box.matches("#list input[type=checkbox][name=ids]"))
    return;
  if (box.checked) ticked.add(box.value);
  else ticked.delete(box.value);
  keep();
});
document.addEventListener("click", (event) => {
  if (!closest(event, "[data-untick]")) return;
  ticked.clear();
  keep();
});

function keep() {
  sessionStorage.setItem(KEY, JSON.stringify([...ticked]));
  show();
}

/** Restores the checkboxes, adds hidden fields for sessions that are not on this page, and labels the button. */
function show() {
  const button = document.querySelector("[data-compare]");
  const form = button?.closest("form");
  if (!(button instanceof HTMLButtonElement) || !form) return;
  for (const hidden of form.querySelectorAll("input[type=hidden][name=ids]")) hidden.remove();
  const away = new Set(ticked);
  for (const box of form.querySelectorAll("input[type=checkbox][name=ids]")) {
    if (!(box instanceof HTMLInputElement)) continue;
    box.checked = ticked.has(box.value);
    away.delete(box.value);
  }
  for (const id of away) {
    const hidden = document.createElement("input");
    Object.assign(hidden, { type: "hidden", name: "ids", value: id });
    form.append(hidden);
  }

  const most = Number(button.dataset.compare);
  button.disabled = ticked.size < 2 || ticked.size > most;
  button.textContent = label(ticked.size, most);
  const untick = form.querySelector("[data-untick]");
  if (untick instanceof HTMLElement) untick.hidden = ticked.size === 0;
}

/** @param {number} count @param {number} most */
function label(count, most) {
  if (count < 2) return `Compare: select 2 to ${most}`;
  return count > most ? `Compare: at most ${most}, ${count} selected` : `Compare ${count}`;
}
