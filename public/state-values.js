/** The values of the state beside their charts, at the cursor or under the pointer. */

/** A value: from when on, from when on it is the last of several, its text, and what is known before. @typedef {[number, number, string, string?]} Span */

/** The attribute of each row, and what it holds. @type {WeakMap<Element, { json: string, spans: Span[] }>} */
const parsed = new WeakMap();

/** Writes the value of each path: the last one that was recorded at or before the moment. @param {number} at */
export function readStateValues(at) {
  const section = document.getElementById("state-charts");
  if (!section || section.hidden) return;
  /** @type {[number, number][]} */
  const unknown = JSON.parse(section.dataset.unknown ?? "[]");
  const isUnknown = unknown.some(([from, to]) => from <= at && at < to);
  for (const row of section.querySelectorAll("[data-spans]")) {
    const output = row.querySelector("output");
    if (output) output.textContent = isUnknown ? "not known" : textAt(spansOf(row), at);
  }
}

/** @param {Span[]} spans @param {number} at */
function textAt(spans, at) {
  const span = spans.findLast(([since]) => since <= at);
  if (!span) return "–";
  const [, last, text, several] = span;
  return at < last && several !== undefined ? several : text;
}

/** @param {Element} row */
function spansOf(row) {
  const json = row.getAttribute("data-spans") ?? "[]";
  const known = parsed.get(row);
  if (known?.json === json) return known.spans;
  /** @type {Span[]} */
  const spans = JSON.parse(json);
  parsed.set(row, { json, spans });
  return spans;
}
