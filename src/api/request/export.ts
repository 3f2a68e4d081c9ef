/** The file as which an export is downloaded. */
import type { ExportParameters } from "../../core/exports/asked.ts";

/** `name`: what follows the session's id in the name of the file. */
export function fileOf({ format = "ndjson", table = "events" }: ExportParameters): {
  name: string;
  type: string;
} {
  switch (format) {
    case "ndjson":
      return { name: ".ndjson", type: "application/x-ndjson; charset=utf-8" };
    case "json":
      return { name: ".json", type: "application/json; charset=utf-8" };
    case "csv":
      return { name: `-${table.replace("_", "-")}.csv`, type: "text/csv; charset=utf-8" };
    case "datacat":
      return { name: ".datacat", type: "application/octet-stream" };
  }
}
