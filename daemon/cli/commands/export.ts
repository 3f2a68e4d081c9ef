/** `datacat export`: everything that the server has of a session, or a table of it. */
import { closeSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import { type Command, Option } from "commander";
import { TABLES } from "../../../src/core/exports/tables.ts";
import { formatBytes, formatCount } from "../../../src/core/text/format.ts";
import { plainText, safeJson } from "../../../src/core/text/recorded-text.ts";
import { DATACAT } from "../invocation.ts";
import { ALWAYS_JSON_OPTION, collect, SESSION_ID, withServer } from "../options.ts";
import type { Server } from "../server.ts";
import { print, progress } from "../terminal.ts";

const FORMATS = ["ndjson", "json", "csv"] as const;

type Options = {
  output?: string;
  format?: (typeof FORMATS)[number];
  table?: string;
  metric: string[];
  step?: string;
  separator?: string;
  decimal?: string;
  bom?: true;
};

export function addExport(program: Command): void {
  program
    .command("export")
    .description("Print everything of a session, or a table of its events or metrics.")
    .argument("<id>", SESSION_ID)
    .option("-o, --output <file>", "Write to a file instead of standard output.")
    .addOption(
      new Option(
        "--format <format>",
        "ndjson: one JSON object per line (default). json: one document. csv: a table. Default with -o: by the end of the file's name.",
      ).choices(FORMATS),
    )
    .addOption(
      new Option(
        "--table <table>",
        "With csv: events (default), metrics (a row per point), or metrics_wide (a row per time, a column per series).",
      ).choices(TABLES),
    )
    .option("--metric <name>", "Only this metric; may be repeated.", collect, [])
    .option("--step <ms>", "With metrics_wide: a row per step, with the last value of each series.")
    .addOption(
      new Option("--separator <name>", "Between the cells of a row.").choices([
        "comma",
        "semicolon",
        "tab",
      ]),
    )
    .addOption(new Option("--decimal <name>", "In numbers.").choices(["point", "comma"]))
    .option("--bom", "Begin with a byte order mark, by which Excel recognises UTF-8.")
    .option(...ALWAYS_JSON_OPTION)
    .addHelpText(
      "after",
      `\nExamples:\n  ${DATACAT} export last -o events.csv\n  ${DATACAT} export last --table metrics_wide --step 1000 -o metrics.csv`,
    )
    .action((id: string, options: Options) =>
      withServer(async (server) => exportSession(server, await server.findSession(id), options)),
    );
}

async function exportSession(server: Server, id: string, options: Options): Promise<void> {
  const { output, metric, ...rest } = options;
  const format = formatOf(options);
  const { table, step, separator, decimal, bom } = rest;
  const metrics = metric.length > 0 ? JSON.stringify(metric) : undefined;
  const query = { format, table, step, separator, decimal, bom, metrics };
  const path = `/api/sessions/${encodeURIComponent(id)}/export`;
  if (output !== undefined) return writeTo(output, server, path, query);
  const decoder = new StringDecoder("utf8");
  const shown = format === "csv" ? shownTable : safeJson;
  await server.getParts(path, query, (part) => toStandardOutput(shown(decoder.write(part))));
}

/** Stores the file under its name when it is complete. */
async function writeTo(
  file: string,
  server: Server,
  path: string,
  query: Parameters<Server["getParts"]>[1],
): Promise<void> {
  const unfinished = `${file}.part`;
  const descriptor = openSync(unfinished, "w");
  let bytes = 0;
  let lines = 0;
  try {
    await server.getParts(path, query, (part) => {
      for (let written = 0; written < part.length;) written += writeSync(descriptor, part, written);
      for (const byte of part) if (byte === LINE_FEED) lines++;
      progress(formatBytes((bytes += part.length)));
    });
    closeSync(descriptor);
  } catch (error) {
    closeSync(descriptor);
    rmSync(unfinished, { force: true });
    throw error;
  } finally {
    progress("");
  }
  renameSync(unfinished, file);
  print(`${file}: ${formatCount(lines, "line")}, ${formatBytes(bytes)}`);
}

const LINE_FEED = 10;

/** `--table` is of CSV alone. */
function formatOf({ format, table, output = "" }: Options): Options["format"] {
  if (format !== undefined || table !== undefined) return format ?? "csv";
  return FORMATS.find((each) => output.endsWith(`.${each}`));
}

/** A terminal would act on control characters. */
function shownTable(text: string): string {
  return process.stdout.isTTY ? plainText(text) : text;
}

function toStandardOutput(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(text, () => resolve()));
}
