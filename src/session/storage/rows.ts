/**
 * The table of segments: reading and writing rows, as Database does. In a damaged file a query of many rows may end at the damage, so there
 * rows are found from both ends and read part by part.
 */
import { MAX_ROW_BYTES } from "../../core/limits.ts";
import { Refusal } from "../../core/refusal.ts";
import type { Database } from "./database.ts";
import { CREATE_SEGMENTS, NUMBERS, type Numbers, numbersCrc, PARTS, type Row } from "./row.ts";

export class Rows {
  readonly #database: Database;
  /** There are rows of the session. For an unknown session there is not even a table; those of an unfinished import do not count. */
  exist: boolean;

  constructor(database: Database, exist: boolean) {
    this.#database = database;
    this.exist = exist;
  }

  /** What the whole file takes. */
  get bytes(): number {
    return this.exist ? this.#database.size : 0;
  }

  /** Ids of all segments. In a damaged file: those that are found from both ends. */
  ids(): number[] {
    if (!this.exist) return [];
    if (!this.#database.isDamaged) {
      const [row] = this.#database.rows<{ last: number | null }>(
        "SELECT max(id) AS last FROM segments",
      );
      if (!this.#database.isDamaged)
        return Array.from({ length: row?.last ?? 0 }, (_, index) => index + 1);
    }
    const ids = ["ASC", "DESC"].flatMap((order) =>
      this.#database.rows<{ id: number }>(`SELECT id FROM segments ORDER BY id ${order}`),
    );
    return [...new Set(ids.map(({ id }) => id))].sort((a, b) => a - b);
  }

  /** A row, part by part if its file is damaged. Undefined if there is none. */
  read(id: number): Row | undefined {
    if (!this.#database.isDamaged) {
      const [row] = this.#database.rows<Row>("SELECT * FROM segments WHERE id = ?", id);
      if (!this.#database.isDamaged) return row;
    }
    const [numbers] = this.#database.rows<Row>(`SELECT ${NUMBERS} FROM segments WHERE id = ?`, id);
    if (!numbers) return undefined;
    const parts = PARTS.map((part) => {
      const [row] = this.#database.rows<Row>(`SELECT ${part} FROM segments WHERE id = ?`, id);
      return [part, row?.[part] ?? null] as const;
    });
    return { ...numbers, ...Object.fromEntries(parts) };
  }

  /** The row with the highest id below `bound`. */
  newestBelow(bound: number): Row | undefined {
    if (!this.#database.isDamaged) {
      const query = "SELECT * FROM segments WHERE id < ? ORDER BY id DESC LIMIT 1";
      const [row] = this.#database.rows<Row>(query, Math.min(bound, Number.MAX_SAFE_INTEGER));
      if (!this.#database.isDamaged) return row;
    }
    for (const id of this.ids().toReversed()) {
      const row = id < bound ? this.read(id) : undefined;
      if (row) return row;
    }
    return undefined;
  }

  /** The rows after `known`, oldest first, with their summaries; in a damaged file with all parts. */
  after(known: number): Row[] {
    if (!this.exist) return [];
    const query = `SELECT ${NUMBERS}, summary FROM segments WHERE id > ? ORDER BY id`;
    const rows = this.#database.rows<Row>(query, known);
    if (!this.#database.isDamaged) return rows;
    return this.ids()
      .filter((id) => id > known)
      .flatMap((id) => this.read(id) ?? []);
  }

  /** The numbers of the last row whose `column` is at most `bound`, and of the row after it. */
  lastUpTo(column: "first_seq" | "from_at", bound: number): Row[] {
    if (!this.exist) return [];
    return this.#database.rows<Row>(
      `SELECT ${NUMBERS} FROM segments WHERE id >= (SELECT id FROM segments WHERE ${column} <= ? ORDER BY id DESC LIMIT 1) ORDER BY id LIMIT 2`,
      bound,
    );
  }

  /** Writes a whole row. Throws a Refusal: too_large, damaged, storage_full. */
  write(numbers: Numbers, parts: Parts, isNew: boolean): void {
    const bytes = parts.reduce((sum, part) => sum + (part?.length ?? 0), 0);
    if (bytes > MAX_ROW_BYTES) {
      throw new Refusal(
        "too_large",
        "This batch and the state do not fit into one row of storage together; send smaller batches.",
      );
    }
    const { id, isSealed, fromAt, firstSeq, lastSeq, bodyBytes } = numbers;
    const written = [isSealed ? 1 : 0, lastSeq, bodyBytes, numbersCrc(numbers), ...parts];
    if (isNew) {
      this.#database.write(CREATE_SEGMENTS);
      this.#database.write(
        "INSERT INTO segments (sealed, last_seq, body_bytes, crc, summary, session_index, keyframe, body, id, from_at, first_seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ...written,
        id,
        fromAt,
        firstSeq,
      );
    } else
      this.#database.write(
        "UPDATE segments SET sealed = ?, last_seq = ?, body_bytes = ?, crc = ?, summary = ?, session_index = ?, keyframe = ?, body = ? WHERE id = ?",
        ...written,
        id,
      );
  }

  writeIndex(id: number, packed: Uint8Array): void {
    this.#database.write("UPDATE segments SET session_index = ? WHERE id = ?", packed, id);
  }
}

/** The values of the columns PARTS. */
type Parts = (Uint8Array | null)[];
