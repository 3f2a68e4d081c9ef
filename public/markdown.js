/** What the session page says, in Markdown, as every tracker of tickets reads it: the verdict, its evidence, the last words, a link. */
import { moment } from "./time.js";

/** @param {number} at the cursor's moment @param {string} link to it */
export function markdownOf(at, link) {
  const what = [...document.querySelectorAll(".crumbs a:not(.tool)")].slice(1).map(said).join(" ");
  const evidence = [...document.querySelectorAll(".evidence .fact-text")].map(said);
  const words = [...document.querySelectorAll(".last-events .line")].map((line) =>
    [...line.querySelectorAll("time, .event-name, .event-said")].map(said).join(" "),
  );
  return [
    `**${code(said(document.querySelector("#verdict h1")))}** ${what === "" ? "" : code(what)}`,
    "",
    ...evidence.map((fact) => `- ${code(fact)}`),
    "",
    "Last words:",
    "",
    ...words.map((line) => `- ${code(line)}`),
    "",
    `[The recording at ${moment(at)}](${link})`,
    "",
  ].join("\n");
}

/** @param {Element | null} element */
function said(element) {
  return (element?.textContent ?? "").trim().replaceAll(/\s+/g, " ");
}

/** What a program said must not become a heading, a picture or a mention there. @param {string} text */
function code(text) {
  return `\`${text.replaceAll("`", "'")}\``;
}
