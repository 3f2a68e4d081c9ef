/**
 * Statements of one transaction, each over a list of rows of several sessions, so that many sessions cost as many statements as one. A list is one
 * parameter, and a longer one becomes several statements.
 */
import { PARAMETER_LENGTH } from "../limits.ts";

/** A row, as an object or as JSON text, of the sessions at these places of a list. */
export type BatchRow = { places: number[]; row: object | string };

export class Batch {
  readonly #db: D1Database;
  readonly #statements: { statement: D1PreparedStatement; places: number[] }[] = [];

  constructor(db: D1Database) {
    this.#db = db;
  }

  /** `sql`: its parameter ?1 is a JSON list of the rows. Without rows it is left out. */
  add(sql: string, rows: BatchRow[]): void {
    const texts = rows.map(({ places, row }) => ({
      places,
      text: typeof row === "string" ? row : JSON.stringify(row, finite),
    }));
    for (const portion of portions(texts)) {
      const list = `[${portion.map(({ text }) => text).join()}]`;
      const places = portion.flatMap((row) => row.places);
      this.#statements.push({ statement: this.#db.prepare(sql).bind(list), places });
    }
  }

  /** Returns the rows written for each of so many places. Those of one statement are divided equally among the places of its rows. */
  async run(places: number): Promise<number[]> {
    const shares = Array.from({ length: places }, () => 0);
    if (this.#statements.length === 0) return shares;
    const results = await this.#db.batch(this.#statements.map(({ statement }) => statement));
    for (const [index, { places: of }] of this.#statements.entries()) {
      const rows = results[index]?.meta.rows_written ?? 0;
      for (const place of of) shares[place] = (shares[place] ?? 0) + rows / of.length;
    }
    return rounded(shares);
  }
}

/** Whole numbers with the same sum. */
function rounded(shares: number[]): number[] {
  let [exact, shared] = [0, 0];
  return shares.map((share) => {
    exact += share;
    const whole = Math.round(exact) - shared;
    shared += whole;
    return whole;
  });
}

/** JSON has no infinity, and the columns refuse null. */
function finite(_: string, value: unknown): unknown {
  if (typeof value !== "number" || Number.isFinite(value)) return value;
  return Number.isNaN(value) ? 0 : Math.sign(value) * Number.MAX_VALUE;
}

/** Items whose lengths add up to at most PARAMETER_LENGTH, or one longer item. */
function portions<Item extends { text: string }>(items: Item[]): Item[][] {
  const all: Item[][] = [];
  let room = 0;
  for (const item of items) {
    const length = item.text.length + 1;
    if (length > room) {
      all.push([]);
      room = PARAMETER_LENGTH;
    }
    all.at(-1)?.push(item);
    room -= length;
  }
  return all;
}
