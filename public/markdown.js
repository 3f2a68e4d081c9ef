/** The session page as Markdown for an issue tracker: the verdict, its evidence, the last events, a link. */
import { moment } from "./time.js";

/** @param {number} at the cursor's moment @param {string} link to it */
export function markdownOf(at, link) {
  const what = [...document.querySelectorAll(".crumbs a:not(.tool)")].slice(1).map(text).join(" ");
  const evidence = [...document.querySelectorAll(".evidence .evidence-text")].map(text);
  const events = [...document.querySelectorAll(".last-events .line")].map((line) =>
    [...line.querySelectorAll("time, .event-name, .event-message")].map(text).join(" "),
  );
  return [
    `**${code(text(document.querySelector("#verdict h1")))}** ${what === "" ? "" : code(what)}`,
    "",
    ...evidence.map((each) => `- ${code(each)}`),
    "",
    "Last events:",
    "",
    ...events.map((line) => `- ${code(line)}`),
    "",
    `[The session at ${moment(at)}](${link})`,
    "",
  ].join("\n");
}

/** @param {Element | null} element */
function text(element) {
  return (element?.textContent ?? "").trim().replaceAll(/\s+/g, " ");
}

/** Recorded text must not become a heading, a picture or a mention. @param {string} recorded */
function code(recorded) {
  return `\`${recorded.replaceAll("`", "'")}\``;
}
