/** `datacat export`: everything that the server has of a session. */
import { writeFileSync } from "node:fs";
import type { Command } from "commander";
import { formatBytes, formatCount } from "../../../src/core/text/format.ts";
import { safeJson } from "../../../src/core/text/recorded-text.ts";
import { EXPORT_TIMEOUT_MS } from "../limits.ts";
import { ALWAYS_JSON_OPTION, SESSION_ID, withServer } from "../options.ts";
import type { Server } from "../server.ts";
import { print, progress } from "../terminal.ts";

export function addExport(program: Command): void {
  program
    .command("export")
    .description("Print everything of a session, one JSON object per line.")
    .argument("<id>", SESSION_ID)
    .option("-o, --output <file>", "Write to a file instead of standard output.")
    .option(...ALWAYS_JSON_OPTION)
    .action((id: string, { output }) =>
      withServer(async (server) => exportSession(server, await server.findSession(id), output)),
    );
}

async function exportSession(server: Server, id: string, file?: string): Promise<void> {
  progress("exporting…");
  const path = `/api/sessions/${encodeURIComponent(id)}/export`;
  const text = await server.getText(path, {}, EXPORT_TIMEOUT_MS);
  progress("");
  if (file === undefined) {
    await new Promise((resolve) => process.stdout.write(safeJson(text), resolve));
    return;
  }
  writeFileSync(file, text);
  const lines = text.split("\n").length - 1;
  print(`${file}: ${formatCount(lines, "line")}, ${formatBytes(Buffer.byteLength(text))}`);
}
