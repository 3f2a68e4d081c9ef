/** What an address asks to export, and the file that it is downloaded as. */
import type * as v from "valibot";
import type { ExportQuery } from "../../core/exports/exports.ts";
import type { StreamQuery } from "../../session/requests/stream.ts";
import { Refusal } from "../../core/refusal.ts";
import type { Export } from "./query.ts";

/** `name`: what follows the session's id in the name of the file. */
type Asked = { query: StreamQuery; name: string; type: string };

export function exportAsked(parameters: v.InferOutput<typeof Export>): Asked {
  const { format = "ndjson", table = "events", separator = "comma", ...rest } = parameters;
  if (format === "ndjson")
    return {
      query: { kind: "lines" },
      name: ".ndjson",
      type: "application/x-ndjson; charset=utf-8",
    };
  if (format === "json")
    return { query: { kind: "document" }, name: ".json", type: "application/json; charset=utf-8" };

  if (format === "datacat")
    return { query: { kind: "file" }, name: ".datacat", type: "application/octet-stream" };

  const { decimal = "point", step, ...filter } = rest;
  if (decimal === "comma" && separator === "comma")
    throw new Refusal(
      "invalid_query",
      "With decimal=comma, the separator has to be another one: separator=semicolon or separator=tab.",
    );
  if (step !== undefined && table !== "metrics_wide")
    throw new Refusal("invalid_query", "step is for table=metrics_wide: a row for each step.");
  const query: ExportQuery = {
    kind: "table",
    table,
    separator: SEPARATORS[separator],
    decimal: decimal === "comma" ? "," : ".",
    stepMs: step,
    ...filter,
  };
  return { query, name: `-${table.replace("_", "-")}.csv`, type: "text/csv; charset=utf-8" };
}

const SEPARATORS = { comma: ",", semicolon: ";", tab: "\t" } as const;
