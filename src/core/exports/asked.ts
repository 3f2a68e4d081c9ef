/** What the parameters of the API and the options of the command ask to export. */
import { Refusal } from "../refusal.ts";
import type { ExportQuery } from "./exports.ts";
import type { TableQuery } from "./tables.ts";

export const FORMATS = ["ndjson", "json", "csv", "datacat"] as const;
export const SEPARATORS = ["comma", "semicolon", "tab"] as const;
const SEPARATOR_CHARACTERS = { comma: ",", semicolon: ";", tab: "\t" } as const;
export const DECIMALS = ["point", "comma"] as const;

export type ExportParameters = Partial<
  Pick<TableQuery, "table" | "bom" | "from" | "to" | "metrics">
> & {
  /** Default: ndjson. */
  format?: (typeof FORMATS)[number] | undefined;
  separator?: (typeof SEPARATORS)[number] | undefined;
  decimal?: (typeof DECIMALS)[number] | undefined;
  /** Milliseconds. */
  step?: number | undefined;
};

/** file: the session as a session file, which is no text. */
export type Asked = ExportQuery | { kind: "file" };

/** Throws a Refusal (invalid_query) for parameters that exclude each other. */
export function exportAsked(parameters: ExportParameters): Asked {
  const { format = "ndjson", table = "events", separator = "comma", ...rest } = parameters;
  if (format === "ndjson") return { kind: "lines" };
  if (format === "json") return { kind: "document" };
  if (format === "datacat") return { kind: "file" };

  const { decimal = "point", step, ...filter } = rest;
  if (decimal === "comma" && separator === "comma")
    throw new Refusal(
      "invalid_query",
      "With decimal=comma, the separator has to be another one: separator=semicolon or separator=tab.",
    );
  if (step !== undefined && table !== "metrics_wide")
    throw new Refusal("invalid_query", "step is for table=metrics_wide: a row for each step.");
  return {
    kind: "table",
    table,
    separator: SEPARATOR_CHARACTERS[separator],
    decimal: decimal === "comma" ? "," : ".",
    stepMs: step,
    ...filter,
  };
}
