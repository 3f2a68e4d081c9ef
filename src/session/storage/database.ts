/**
 * A session object's SQLite database. Reading a damaged file gives the rows before the damage, and is noted; writing to it is refused,
 * because that could spread the damage, and a sender keeps what is refused. A full disk is a refusal of its own.
 */
import { Refusal } from "../../core/refusal.ts";

type Values = Record<string, SqlStorageValue>;

const DAMAGE = /SQLITE_(CORRUPT|NOTADB|IOERR)|malformed|not a database/;
const FULL = /SQLITE_FULL|disk is full|storage .*(limit|exceeded)/i;

export class Database {
  readonly #sql: SqlStorage;
  /** SQLite could not read a part of the file. */
  isDamaged = false;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  get size(): number {
    try {
      return this.#sql.databaseSize;
    } catch (error) {
      this.#note(error);
      return 0;
    }
  }

  /** The rows of a query, as far as the file can be read. */
  rows<Row extends Values>(query: string, ...values: SqlStorageValue[]): Row[] {
    const rows: Row[] = [];
    try {
      for (const row of this.#sql.exec<Row>(query, ...values)) rows.push(row);
    } catch (error) {
      this.#note(error);
    }
    return rows;
  }

  /** Throws a Refusal: damaged, storage_full. */
  write(query: string, ...values: (SqlStorageValue | Uint8Array)[]): void {
    if (this.isDamaged) throw damagedStorage();
    try {
      this.#sql.exec(query, ...values);
    } catch (error) {
      const full = fullStorageOf(error);
      if (full) throw full;
      this.#note(error);
      throw damagedStorage();
    }
  }

  /** Notes damage. Throws any other error. */
  #note(error: unknown): void {
    if (!(error instanceof Error && DAMAGE.test(error.message))) throw error;
    this.isDamaged = true;
  }
}

export function damagedStorage(): Refusal {
  return new Refusal(
    "damaged",
    "The storage of this session is damaged. Restore it from a backup, or delete the session. Senders keep what they could not send.",
  );
}

/** The refusal for an error by which SQLite or the platform reports that nothing more can be stored; undefined for other errors. */
function fullStorageOf(error: unknown): Refusal | undefined {
  if (!(error instanceof Error && FULL.test(error.message))) return undefined;
  return new Refusal(
    "storage_full",
    "The storage of this session is full: the disk of the server, or the 10 GB that a session may have. Free space on the disk, or open a new session. Senders keep what they could not send.",
    { retry_after: 30 },
  );
}
