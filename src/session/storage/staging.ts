/** What an import has stored of its session. It counts as nothing until the import is finished: a table marks it. */
import { packContents, sealContents } from "../../core/segments/segment.ts";
import type { Contents } from "../../core/segments/contents.ts";
import { summariseSegment } from "../../core/segments/segment-summary.ts";
import type { SessionIndex } from "../../core/session/session-index.ts";
import type { JsonObject } from "../../core/wire.ts";
import type { Chunks } from "../attachments/chunks.ts";
import type { Damage } from "./damage.ts";
import type { Database } from "./database.ts";
import { CODEC, type Numbers, packText } from "./row.ts";
import type { Rows } from "./rows.ts";

/** A segment of the file. Null: the source could not read it. */
type StagedSegment = {
  keyframe: JsonObject | null;
  contents: Contents;
  index: SessionIndex | null;
  hasSummary: boolean;
  /** Of the session at its end. */
  series: SessionIndex["series"];
};

/** The table that exists while an import is not finished. */
export const MARK = "importing";

type Parts = { database: Database; rows: Rows; damage: Damage; chunks: Chunks };

export class Staging {
  readonly #parts: Parts;
  #isOpen: boolean;

  /** `isOpen`: an import was interrupted. */
  constructor(parts: Parts, isOpen: boolean) {
    this.#parts = parts;
    this.#isOpen = isOpen;
  }

  /** Something is stored that does not count yet. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Throws a Refusal: storage_full. */
  begin(): void {
    this.drop();
    this.#parts.database.write(`CREATE TABLE ${MARK} (unused INTEGER)`);
    this.#isOpen = true;
  }

  /** Removes what an import stored that did not finish. */
  drop(): void {
    if (!this.#isOpen) return;
    const { database, chunks, damage } = this.#parts;
    for (const table of ["segments", "chunks", "damage", MARK])
      database.write(`DROP TABLE IF EXISTS ${table}`);
    chunks.clear();
    damage.clear();
    this.#isOpen = false;
  }

  /** Throws a Refusal: too_large, storage_full. */
  write(
    { id, isSealed, fromAt, firstSeq, lastSeq }: Omit<Numbers, "bodyBytes">,
    { keyframe, contents, index, series, hasSummary }: StagedSegment,
  ): void {
    const summary = isSealed ? summariseSegment(contents, (one) => series[one]) : null;
    const summaryText = summary && hasSummary ? JSON.stringify(summary) : null;
    const body = isSealed ? sealContents(contents, CODEC) : packContents(contents, CODEC);
    const textOf = (value: object | null) =>
      value ? packText(JSON.stringify(value), isSealed) : NOTHING;
    this.#parts.rows.write(
      { id, isSealed, fromAt, firstSeq, lastSeq, bodyBytes: body.length },
      [
        summary && (summaryText === null ? NOTHING : packText(summaryText, true)),
        textOf(index),
        textOf(keyframe),
        body,
      ],
      true,
    );
  }

  /** What is staged is the session from now on. */
  commit(): void {
    this.#parts.database.write(`DROP TABLE ${MARK}`);
    this.#isOpen = false;
    this.#parts.rows.exist = true;
  }
}

/** Stands for what the source of an import could not read. */
const NOTHING = new Uint8Array();
