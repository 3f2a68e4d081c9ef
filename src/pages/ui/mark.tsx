/** Datacat's logo. On a browser tab its colour is the session's status. */
import type { Status } from "../../core/vocabulary.ts";

const BODY = "M4 13 L6 3.5 L13 9 H19 L26 3.5 L28 13 V24 A4 4 0 0 1 24 28 H8 A4 4 0 0 1 4 24 Z";
const TRACE = "M7 19.5 H11.5 L13.5 15 L17 23.5 L19.5 17.5 L20.8 19.5 H25";

/** The light palette of styles/palette.css: an icon file has no stylesheet. */
const COLOURS: Record<Status | "none", string> = {
  none: "#e8590c",
  active: "#12805a",
  suspended: "#a96f00",
  hung: "#8546c4",
  crashed: "#cf1d3c",
  ended: "#5b7480",
};

export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <path class="mark-body" d={BODY} />
      <path class="mark-trace" d={TRACE} />
    </svg>
  );
}

/** The logo as an SVG file: a browser tab's icon. */
export function iconFile(status: Status | "none"): string {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="${BODY}" fill="${COLOURS[status]}"/>` +
    `<path d="${TRACE}" fill="none" stroke="#fff" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round"/></svg>`
  );
}
