/** The session page as Markdown for an issue tracker: the verdict, its place and evidence, the last events, links. */
import { moment } from "./time.js";

/** @param {number} at the cursor's moment @param {string} link to it */
export function markdownOf(at, link) {
  const what = [...document.querySelectorAll(".crumbs a:not(.tool)")].slice(1).map(text).join(" ");
  const evidence = [...document.querySelectorAll(".evidence .evidence-text")].map(text);
  const events = [...document.querySelectorAll(".last-events .line")].map((line) =>
    [...line.querySelectorAll("time, .event-name, .event-message")].map(text).join(" "),
  );
  const where = text(document.querySelector("#verdict .where-place"));
  const source = text(document.querySelector("#verdict .where-source"));
  const group = document.querySelector("#exceptions a[href^='/exceptions/']");
  const links =
    group instanceof HTMLAnchorElement
      ? [`[The exception in all sessions](${group.href})`, ""]
      : [];
  return [
    `**${code(text(document.querySelector("#verdict h1")))}** ${what === "" ? "" : code(what)}`,
    "",
    ...(where === ""
      ? []
      : [`Where: ${code(where)}${source === "" ? "" : `, ${code(source)}`}`, ""]),
    ...evidence.map((each) => `- ${code(each)}`),
    "",
    "Last events:",
    "",
    ...events.map((line) => `- ${code(line)}`),
    "",
    `[The session at ${moment(at)}](${link})`,
    "",
    ...links,
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
