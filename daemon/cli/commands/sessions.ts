/** `datacat sessions`: the newest sessions. */
import { nameLabel } from "../../../src/core/recorded-text.ts";
import type { Command } from "commander";
import type { Page, SessionRow } from "../../../src/core/answers.ts";
import { formatDuration } from "../../../src/core/format.ts";
import { STATUSES } from "../../../src/core/vocabulary.ts";
import { count, JSON_OPTION, withServer } from "../options.ts";
import type { Server } from "../server.ts";
import { dim, moment, print, printJson, printTable, outcomeLine } from "../terminal.ts";

type ListOptions = {
  product?: string;
  versionLabel?: string;
  status?: string;
  text?: string;
  limit: number;
  json?: boolean;
};

export function addSessions(program: Command): void {
  program
    .command("sessions")
    .description("List sessions, newest first.")
    .option("--product <name>", "List only sessions of this product.")
    .option("--version-label <version>", "List only sessions of this version.")
    .option(
      "--status <status>",
      `List only these statuses, separated by commas: ${STATUSES.join(", ")}, ever_hung.`,
    )
    .option(
      "--text <text>",
      "List only sessions with this text in id, product, version, host, headline or tags.",
    )
    .option("-n, --limit <count>", "List at most this many.", count, 20)
    .option(...JSON_OPTION)
    .action((options: ListOptions) => withServer((server) => listSessions(server, options)));
}

async function listSessions(server: Server, options: ListOptions): Promise<void> {
  const { product, versionLabel, status: statuses, text, limit } = options;
  const page = await server.get<Page<SessionRow>>("/api/sessions", {
    product,
    version: versionLabel,
    status: statuses,
    text,
    limit,
  });
  if (options.json) return printJson(page);
  if (page.items.length === 0) return print("No sessions.");
  printTable(
    ["id", "product", "version", "began", "lasted", "status", ""],
    page.items.map((row) => [
      row.id,
      nameLabel(row.product, ""),
      nameLabel(row.version, ""),
      moment(row.created_at),
      formatDuration(row.ran_ms),
      outcomeLine(row),
      headlineOf(row),
    ]),
  );
  if (page.next !== null) print(dim(`More: --limit ${options.limit * 2}`));
}

function headlineOf({ status, headline, status_ms }: SessionRow): string {
  if (status === "active") return "";
  return status === "hung" ? `${headline} for ${formatDuration(status_ms)}` : headline;
}
