/** What a session can be exported as. Each is text in pieces, which a stream gives at its reader's pace. */
import type { Source } from "../questions/questions.ts";
import { exportDocument } from "./document.ts";
import { legacySession } from "./legacy.ts";
import { exportLines } from "./lines.ts";
import { exportTable, type TableQuery } from "./tables.ts";

/**
 * lines: everything, a JSON object a line. document: everything as one JSON object. table: events or points as CSV. legacy: what 1.x's
 * `GET /api/sessions/{id}` gave.
 */
export type ExportQuery =
  | { kind: "lines" }
  | { kind: "document" }
  | { kind: "legacy" }
  | ({ kind: "table" } & TableQuery);

export function exportOf(source: Source, query: ExportQuery): Generator<string> {
  switch (query.kind) {
    case "lines":
      return exportLines(source);
    case "document":
      return exportDocument(source);
    case "legacy":
      return legacySession(source);
    case "table":
      return exportTable(source, query);
  }
}
