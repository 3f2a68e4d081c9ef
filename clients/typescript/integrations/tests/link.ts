/** Where a person finds the session: the link that a run ends with, and the job summary on GitHub. */
import { appendFileSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { openHome } from "../../lane/home.ts";
import type { OpenOptions, Session } from "../../node.ts";
import type { TestCounts } from "./counts.ts";
import { firstLine } from "./failure.ts";
import { SUMMARY_FAILURES } from "./limits.ts";

/** The address of the server: the program's, else the one that `datacat login` gave the daemon. */
export function dashboardOf(session: Session, { url }: OpenOptions): string {
  const { DATACAT_URL, DATACAT_DAEMON_URL } = process.env;
  const own = url ?? DATACAT_URL;
  if (own) return own.replace(/\/+$/, "");
  if (DATACAT_DAEMON_URL) return session.url;
  return configured() ?? session.url;
}

/** `config.json` in the home is small; a larger file is not the daemon's. */
const MAX_CONFIG_BYTES = 1_048_576;

function configured(): string | undefined {
  try {
    const file = join(openHome(process.env, process.platform) ?? "", "config.json");
    if (statSync(file).size > MAX_CONFIG_BYTES) return undefined;
    const { server } = JSON.parse(readFileSync(file, "utf8")) as { server?: unknown };
    return typeof server === "string" && server !== "" ? server.replace(/\/+$/, "") : undefined;
  } catch {
    return undefined; // none was written
  }
}

export function linkLine(url: string): string {
  return `datacat: ${url}\n`;
}

type JobSummary = {
  title: string;
  counts: TestCounts | undefined;
  failures: readonly { name: string; line: string }[];
  url: string;
  exitCode: number;
};

/** @param file GitHub's variable GITHUB_STEP_SUMMARY: a file of Markdown to which steps append. Without it, nothing is written. */
export function writeJobSummary(file: string | undefined, summary: JobSummary): void {
  if (!file) return;
  try {
    appendFileSync(file, jobSummary(summary));
  } catch {
    // a full disk, or a step without that file
  }
}

function jobSummary({ title, counts, failures, url, exitCode }: JobSummary): string {
  const figures = Object.entries(counts ?? {})
    .filter(([name, count]) => count > 0 || name === "passed")
    .map(([name, count]) => `${count} ${name.replaceAll("_", " ")}`);
  const listed = failures
    .slice(0, SUMMARY_FAILURES)
    .map(({ name, line }) => (line === "" ? `- ${code(name)}` : `- ${code(name)}: ${code(line)}`));
  const left = failures.length - listed.length;
  return [
    `### ${exitCode === 0 ? "✅" : "❌"} ${title}`,
    "",
    `${figures.join(", ") || "No test ran"}. [Open in Datacat](${url})`,
    "",
    ...listed,
    ...(left > 0 ? [`- … and ${left} more`] : []),
    "",
    "",
  ].join("\n");
}

/** As code, in which Markdown and HTML have no meaning. */
function code(text: string): string {
  return `\`${firstLine(text).replaceAll("`", "'")}\``;
}
