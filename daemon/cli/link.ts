/** The line with which a recorded command ends: the address of its session's page. */
import { appendFileSync } from "node:fs";
import { readConfig } from "../config.ts";
import { type Environment, home } from "../home.ts";

/** When `run` prints the link: after every command, after those that failed, or never. */
export const LINK_CHOICES = ["always", "failure", "never"] as const;
type LinkChoice = (typeof LINK_CHOICES)[number];

/** The choice of the option, else of DATACAT_LINK, else `always`. */
export function linkChoice(option: string | undefined, env: Environment): LinkChoice {
  const wanted = option ?? env["DATACAT_LINK"];
  return LINK_CHOICES.find((choice) => choice === wanted) ?? "always";
}

/** The address, without a user name and password that the server's may have. */
export function sessionLink(env: Environment, session: string): string {
  const own = { ...env, DATACAT_CONFIG: undefined }; // for daemons that 1.x's clients start
  const { server } = readConfig(own, "/", home(env, process.platform).config);
  const [, scheme = "", rest = server] = /^(https?:\/\/)(.*)$/.exec(server) ?? [];
  const end = rest.search(/[/?#]|$/);
  const host = rest.slice(0, end);
  return `${scheme}${host.slice(host.lastIndexOf("@") + 1)}${rest.slice(end)}/sessions/${session}`;
}

/** Adds text to the page of a GitHub job. */
export function writeJobSummary(env: Environment, markdown: string): void {
  const path = env["GITHUB_STEP_SUMMARY"];
  if (!path) return;
  try {
    appendFileSync(path, markdown);
  } catch {
    // The page of the job has no summary then.
  }
}

/** Text as HTML, so that nothing in it is Markdown. */
export function asCode(text: string): string {
  const escaped = text
    .replace(/\s+/g, " ")
    .slice(0, 1_000)
    .replace(/[&<>`|]/g, (character) => `&#${character.charCodeAt(0)};`);
  return `<code>${escaped}</code>`;
}
