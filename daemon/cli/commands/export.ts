/** `datacat export`: everything that the server has of a session, or a table of it. */
import { closeSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import { type Command, InvalidArgumentError, Option } from "commander";
import {
  DECIMALS,
  exportAsked,
  type ExportParameters,
  FORMATS,
  SEPARATORS,
} from "../../../src/core/exports/asked.ts";
import { TABLES } from "../../../src/core/exports/tables.ts";
import { formatBytes, formatCount } from "../../../src/core/text/format.ts";
import { plainText, safeJson } from "../../../src/core/text/recorded-text.ts";
import { DATACAT } from "../invocation.ts";
import { reason } from "../../log.ts";
import type { Receive } from "../../send/transport.ts";
import { ALWAYS_JSON_OPTION, collect, SESSION_ID } from "../options.ts";
import { withSession } from "../session/named.ts";
import type { Session } from "../session/session.ts";
import { print, progress } from "../terminal.ts";
import { Trouble } from "../trouble.ts";

type Options = {
  output?: string;
  format?: ExportParameters["format"];
  table?: ExportParameters["table"];
  metric: string[];
  step?: number;
  separator?: ExportParameters["separator"];
  decimal?: ExportParameters["decimal"];
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
        "ndjson: one JSON object per line (default). json: one document. csv: a table. datacat: a session file. Default with -o: by the end of the file's name.",
      ).choices(FORMATS),
    )
    .addOption(
      new Option(
        "--table <table>",
        "With csv: events (default), metrics (a row per point), or metrics_wide (a row per time, a column per series).",
      ).choices(TABLES),
    )
    .option("--metric <name>", "Only this metric; may be repeated.", collect, [])
    .option(
      "--step <ms>",
      "With metrics_wide: a row per step, with the last value of each series.",
      milliseconds,
    )
    .addOption(
      new Option("--separator <name>", "Between the cells of a row (default: comma).").choices(
        SEPARATORS,
      ),
    )
    .addOption(new Option("--decimal <name>", "In numbers (default: point).").choices(DECIMALS))
    .option("--bom", "Begin with a byte order mark, by which Excel recognises UTF-8.")
    .option(...ALWAYS_JSON_OPTION)
    .addHelpText(
      "after",
      `\nExamples:\n  ${DATACAT} export last -o run.datacat\n  ${DATACAT} export last -o events.csv\n  ${DATACAT} export last --table metrics_wide --step 1000 -o metrics.csv`,
    )
    .action((id: string, options: Options) =>
      withSession(id, (session) => exportSession(session, options)),
    );
}

async function exportSession(session: Session, options: Options): Promise<void> {
  const { output, metric, table, step, separator, decimal, bom } = options;
  const format = formatOf(options);
  const metrics = metric.length > 0 ? metric : undefined;
  const parameters: ExportParameters = { format, table, step, separator, decimal, bom, metrics };
  if (output !== undefined) return writeTo(output, session, parameters);
  if (format === "datacat")
    throw new Trouble("usage", "A session file is no text: name a file with -o FILE.datacat.");
  const decoder = new StringDecoder("utf8");
  const shown = format === "csv" ? shownTable : safeJson;
  await asked(session, parameters, (part) => toStandardOutput(shown(decoder.write(part))));
}

/** Throws `usage` for options that exclude each other. */
async function asked(
  session: Session,
  parameters: ExportParameters,
  receive: Receive,
): Promise<void> {
  try {
    exportAsked(parameters);
  } catch (error) {
    throw new Trouble("usage", reason(error));
  }
  await session.export(parameters, receive);
}

/** Stores the file under its name when it is complete. */
async function writeTo(
  file: string,
  session: Session,
  parameters: ExportParameters,
): Promise<void> {
  const unfinished = `${file}.part`;
  const descriptor = openSync(unfinished, "w");
  let bytes = 0;
  let lines = 0;
  try {
    await asked(session, parameters, (part) => {
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
  const isText = parameters.format !== "datacat";
  print(`${file}: ${isText ? `${formatCount(lines, "line")}, ` : ""}${formatBytes(bytes)}`);
}

const LINE_FEED = 10;

function milliseconds(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError("It must be a whole number of milliseconds.");
  return value;
}

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
