/** What of a session's storage was found damaged: kept in a table, so that it is known after the object slept without reading all again. */
import type { DamagedPart } from "../../core/answers/damage.ts";
import type { Database } from "./database.ts";

type Part = DamagedPart["part"];
type Row = { segment: number; part: Part };

/** Stands in the table for the storage as a whole. */
const STORAGE = 0;

export class Damage {
  readonly #database: Database;
  readonly #parts = new Map<string, Row>();
  #isStored: boolean;
  /** Called when something new was found. */
  onFound = () => {};

  /** `isStored`: the table exists. */
  constructor(database: Database, isStored: boolean) {
    this.#database = database;
    this.#isStored = isStored;
    if (!isStored) return;
    for (const { segment, part } of database.rows<Row>("SELECT segment, part FROM damage"))
      this.#parts.set(`${segment} ${part}`, { segment, part });
  }

  get isFound(): boolean {
    return this.#database.isDamaged || this.#parts.size > 0;
  }

  /** Damaged parts, by segment; first the storage itself. */
  list(): { segment: number | null; part: Part }[] {
    if (this.#database.isDamaged) this.note(STORAGE, "storage");
    return [...this.#parts.values()]
      .sort((a, b) => a.segment - b.segment)
      .map(({ segment, part }) => ({ segment: segment === STORAGE ? null : segment, part }));
  }

  has(segment: number, part: Part): boolean {
    return this.#parts.has(`${segment} ${part}`);
  }

  note(segment: number, part: Part): void {
    if (this.has(segment, part)) return;
    this.#parts.set(`${segment} ${part}`, { segment, part });
    this.#store(segment, part);
    this.onFound();
  }

  clear(): void {
    this.#parts.clear();
    this.#isStored = false;
  }

  #store(segment: number, part: Part): void {
    try {
      if (!this.#isStored)
        this.#database.write(
          "CREATE TABLE IF NOT EXISTS damage (segment INTEGER NOT NULL, part TEXT NOT NULL, PRIMARY KEY (segment, part)) WITHOUT ROWID",
        );
      this.#isStored = true;
      this.#database.write("INSERT OR IGNORE INTO damage VALUES (?, ?)", segment, part);
    } catch {
      // A damaged or full storage: it is found again after the object slept.
    }
  }
}
