/** `datacat sessions`: the newest sessions. */
import { nameLabel } from "../../../src/core/text/recorded-text.ts";
import { type Command, Option } from "commander";
import { type Found, FOUND_LABELS } from "../../../src/core/answers/found.ts";
import type { Page } from "../../../src/core/answers/page.ts";
import type { SessionRow } from "../../../src/core/answers/session-row.ts";
import { formatCount, formatDuration } from "../../../src/core/text/format.ts";
import { VALUE_TYPES } from "../../../src/core/state/values.ts";
import { STATUSES } from "../../../src/core/vocabulary.ts";
import { count, JSON_OPTION, tagOption, withServer } from "../options.ts";
import type { Server } from "../server.ts";
import {
  bold,
  clock,
  dim,
  moment,
  print,
  printJson,
  printTable,
  outcomeLine,
} from "../terminal.ts";

type ListOptions = {
  product?: string;
  versionLabel?: string;
  status?: string;
  text?: string;
  tag?: string;
  event?: string;
  exception?: string;
  metric?: string;
  statePath?: string;
  stateValue?: string;
  stateType?: string;
  cursor?: string;
  limit: number;
  json?: boolean;
};

export function addSessions(program: Command): void {
  program
    .command("sessions")
    .description("List sessions, newest first.")
    .argument(
      "[query...]",
      "List only sessions that pass this query, as in the page's search box: 'product:game version:>=1.2 -is:ended'.",
    )
    .option("--product <name>", "List only sessions of this product.")
    .option("--version-label <version>", "List only sessions of this version.")
    .option(
      "--status <status>",
      `List only these statuses, separated by commas: ${STATUSES.join(", ")}, failed, succeeded, ever_hung.`,
    )
    .option(
      "--text <text>",
      "List only sessions with each of these texts, as a text of the query finds them: in exceptions, messages, state, tests, output, ….",
    )
    .option(
      "--tag <tag>",
      "List only sessions with this tag: key=value, or a key without a value.",
      tagOption,
    )
    .option("--event <name>", "List only sessions that logged an event of this name.")
    .option("--exception <fingerprint>", "List only sessions that had this exception.")
    .option("--metric <name>", "List only sessions that recorded this metric.")
    .option(
      "--state-path <path>",
      "List only sessions whose state ever had this path: keys joined by dots, a dot in a key as \\., or a JSON list of keys.",
    )
    .option("--state-value <value>", "List only sessions whose state ever had this value there.")
    .addOption(
      new Option(
        "--state-type <type>",
        "Compare the value as this type (default: as text, and as what it reads as). Without a value, string is the empty text.",
      ).choices(VALUE_TYPES),
    )
    .option("-n, --limit <count>", "List at most this many.", count, 20)
    .option("--cursor <cursor>", "Continue a list: the cursor that it printed.")
    .option(...JSON_OPTION)
    .action((query: string[], options: ListOptions) =>
      withServer((server) => listSessions(server, query.join(" "), options)),
    );
}

async function listSessions(server: Server, query: string, options: ListOptions): Promise<void> {
  const { versionLabel, statePath, stateValue, stateType, json, ...filters } = options;
  const page = await server.get<SessionPage>("/api/sessions", {
    ...filters,
    q: query === "" ? undefined : query,
    found: true,
    version: versionLabel,
    state_path: statePath,
    state_value: stateValue,
    state_type: stateType,
  });
  if (json) return printJson(page);
  if (page.items.length === 0) print(page.partial ? "No sessions so far." : "No sessions.");
  else printRows(page.items);
  printRest(page);
}

type Row = SessionRow & { found: Found[]; found_in_log: string[] };
type SessionPage = Page<Row> & {
  partial: boolean;
  searched_to: number | null;
  published_to: number | null;
};

/** How far the list looked, and how to continue. */
function printRest({ items, next, searched_to, published_to }: SessionPage): void {
  if (items.length === 0 && published_to !== null)
    print(dim(`What was recorded after ${moment(published_to)} may be missing.`));
  const unsure = items.filter((row) => row.unsure).length;
  if (unsure > 0)
    print(
      dim(`${formatCount(unsure, "session")} marked "maybe" could not be searched completely.`),
    );
  if (searched_to !== null) print(dim(`Searched back to ${moment(searched_to)}.`));
  if (next !== null) print(dim(`More: the same command with --cursor ${next}`));
}

function printRows(items: Row[]): void {
  printTable(
    ["id", "product", "version", "began", "lasted", "status", ""],
    items.map((row) => [
      row.unsure ? `${row.id} (maybe)` : row.id,
      nameLabel(row.product, ""),
      nameLabel(row.version, ""),
      moment(row.created_at),
      formatDuration(row.ran_ms),
      outcomeLine(row),
      [headlineOf(row), row.damaged > 0 ? "(damaged)" : ""].filter(Boolean).join(" "),
    ]),
    (index) => foundLines(items[index]),
  );
}

/** What the query found in a session, when, and where. */
function foundLines(row: Row | undefined): string[] {
  const { found = [], found_in_log = [] } = row ?? {};
  return [
    ...found.map(({ kind, name, at, before, match, after }) =>
      [
        dim(clock(at)),
        dim([FOUND_LABELS[kind], nameLabel(name ?? "", "")].filter(Boolean).join(" ")),
        `${before}${bold(match)}${after}`,
      ].join("  "),
    ),
    ...found_in_log.map((term) => dim(`“${term}” is in its log`)),
  ];
}

function headlineOf({ status, headline, status_ms }: SessionRow): string {
  if (status === "active") return "";
  const line = nameLabel(headline, "");
  return status === "hung" ? `${line} for ${formatDuration(status_ms)}` : line;
}
