/** `datacat import`: records the reports of test runners, JUnit XML and TAP, as sessions, and stores session files on the server. */
import type { Command } from "commander";
import { formatCount } from "../../../src/core/text/format.ts";
import { ensureDaemon } from "../daemon-process.ts";
import { type Group, groupsOf } from "../import/files.ts";
import { readReport, type ReadFile } from "../import/read.ts";
import { type Counts, type ImportOptions, nameOf, recordReports } from "../import/record.ts";
import { BadReport } from "../import/report.ts";
import { importSessions } from "../import/session-file.ts";
import { DATACAT } from "../invocation.ts";
import { asCode, sessionLink, writeJobSummary } from "../link.ts";
import { collectTag, JSON_OPTION } from "../options.ts";
import { isSessionFile } from "../session/path.ts";
import { print, printJson } from "../terminal.ts";
import { Trouble } from "../trouble.ts";

type Options = ImportOptions & { asNewId?: string | true; json?: boolean };
type Line = { session: string; link: string; files: number; tests: number; counts: Counts };

export function addImport(program: Command): void {
  program
    .command("import")
    .description(
      "Record the reports of test runners (JUnit XML and TAP), or store session files on the server.",
    )
    .argument(
      "<file...>",
      "files, folders and globs; a folder is one session, all other files together are one",
    )
    .option(
      "--product <name>",
      "Record them under this product (default: DATACAT_PRODUCT, else the folder's name).",
    )
    .option(
      "--version-label <version>",
      "Record them as this version (default: DATACAT_VERSION, else the git commit).",
    )
    .option(
      "--tag <tag>",
      "Add a tag to the sessions, key=value or a key; may be repeated (also: DATACAT_TAGS).",
      collectTag,
      [],
    )
    .option(
      "--as-new-id [id]",
      "Of a session file: give the session this id, or a new one, where the server has its own already.",
    )
    .option(...JSON_OPTION)
    .addHelpText(
      "after",
      `
A folder is searched for files that end with .xml or .tap. JUnit XML is what most runners write: Maven Surefire, Gradle, pytest, Jest,
Mocha, PHPUnit, RSpec, CTest, cargo-nextest, go-junit-report. Importing the same files again changes nothing.
A file that can't be read is named with its line; the others are recorded, and the exit code is 1.

A session file (from \`export -o FILE.datacat\`) is the same session on the server that DATACAT_URL names, with the key of this machine.
Importing it again changes nothing. Of several, one that is refused is named; the others are stored, and the exit code is 1.

Examples:
  ${DATACAT} import results.xml
  ${DATACAT} import --product app target/surefire-reports
  ${DATACAT} import 'build/**/TEST-*.xml'
  ${DATACAT} import crash.datacat`,
    )
    .action(async (names: string[], options: Options) => {
      const files = names.filter(isSessionFile);
      const reports = names.filter((name) => !files.includes(name));
      if (options.asNewId !== undefined && files.length !== 1)
        throw new Trouble("usage", "--as-new-id is for one session file.");
      if (reports.length > 0) await importReports(reports, options);
      if (files.length > 0) await importSessions(files, options);
    });
}

async function importReports(names: string[], options: Options): Promise<void> {
  const env = process.env;
  const lines: Line[] = [];
  let bad = 0;
  for (const group of groupsOf(names)) {
    const { files, badCount } = readGroup(group);
    bad += badCount;
    if (files.length === 0) continue;
    const name = nameOf(group.folder ?? ".");
    const { session, counts, tests } = await recordReports(files, name, options, env).catch(
      (error: unknown) => {
        throw new Trouble("failed", `The reports are not recorded: ${reasonOf(error)}`);
      },
    );
    lines.push({ session, link: sessionLink(env, session), files: files.length, tests, counts });
  }
  if (lines.length > 0) ensureDaemon(env);
  if (options.json) printJson(lines);
  for (const line of lines) {
    if (!options.json) print(`${described(line)}\ndatacat: ${line.link}`);
    writeJobSummary(
      env,
      `### ${asCode(described(line))}\n\n[Session in Datacat](${line.link})\n\n`,
    );
  }
  if (bad > 0) throw new Trouble("failed", `${formatCount(bad, "file")} could not be read.`);
  if (lines.length === 0) throw new Trouble("not_found", "None of the files is a report of tests.");
}

/** The reports of a group that can be read; the others are named on standard error. */
function readGroup({ files }: Group): { files: (ReadFile & { path: string })[]; badCount: number } {
  const read: (ReadFile & { path: string })[] = [];
  let badCount = 0;
  for (const { path, isNamed } of files) {
    try {
      read.push({ path, ...readReport(path, process.cwd()) });
    } catch (error) {
      if (error instanceof BadReport && error.isOther && !isNamed) continue; // a folder has other XML, too
      const line = error instanceof BadReport && error.line !== undefined ? `:${error.line}` : "";
      process.stderr.write(`datacat: ${path}${line}: ${reasonOf(error)}\n`);
      badCount += 1;
    }
  }
  return { files: read, badCount };
}

function described({ files, tests, counts }: Line): string {
  const listed = Object.entries(counts).map(
    ([name, count]) => `${count} ${name.replaceAll("_", " ")}`,
  );
  return `${formatCount(tests, "test")} in ${formatCount(files, "file")}: ${listed.join(", ") || "none ran"}`;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
