/** What a session can be exported as. Each is text in pieces, which are made at the pace of their reader. */
import type { Source } from "../questions/questions.ts";
import { exportDocument } from "./document.ts";
import { legacySession } from "./legacy.ts";
import { PIECE_LENGTH } from "./limits.ts";
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

/** In pieces of about PIECE_LENGTH. */
export function* exportOf(source: Source, query: ExportQuery): Generator<string, void> {
  let texts: string[] = [];
  let length = 0;
  for (const text of textsOf(source, query)) {
    texts.push(text);
    length += text.length;
    if (length < PIECE_LENGTH) continue;
    yield texts.join("");
    [texts, length] = [[], 0];
  }
  if (texts.length > 0) yield texts.join("");
}

function textsOf(source: Source, query: ExportQuery): Generator<string> {
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
