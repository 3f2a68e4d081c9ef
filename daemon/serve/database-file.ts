/**
 * The SQLite file of one D1 database of a local server, used while no server has it open: its path, its check for damage, and its
 * migrations, which are applied and listed in a table like those of `wrangler d1 migrations apply`.
 */
import { createHash, createHmac } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { root } from "./worker.ts";

export type Binding = "CATALOG" | "REGISTRY";

/** What is wrong with a file, as the end of the sentence "the catalog is …"; undefined: nothing. */
export type Damage = string | undefined;

/** SQLite's primary result codes (https://sqlite.org/rescode.html) that mean a damaged file; others are of the machine (full, busy). */
const DAMAGED = new Set([10 /* IOERR */, 11 /* CORRUPT */, 26 /* NOTADB */]);
const SQL_ERROR = 1;

const SIDE_FILES = ["", "-wal", "-shm"];

export class DatabaseFile {
  readonly path: string;
  readonly #migrations: string;

  constructor(data: string, binding: Binding) {
    this.path = join(data, "d1/miniflare-D1DatabaseObject", `${objectIdOf(binding)}.sqlite`);
    this.#migrations = join(root, "migrations", binding.toLowerCase());
  }

  get exists(): boolean {
    return existsSync(this.path);
  }

  /** Opens it, and closes it after `use`. Creates the file if it is missing. */
  open<Result>(use: (database: DatabaseSync) => Result): Result {
    mkdirSync(dirname(this.path), { recursive: true });
    const database = new DatabaseSync(this.path);
    try {
      return use(database);
    } finally {
      database.close();
    }
  }

  /** Replaces it by an empty database with all tables. */
  create(): void {
    this.remove();
    this.open((database) => migrate(database, this.#migrations));
  }

  /**
   * Applies the migrations that it does not have yet, then checks it. Reads all of it: 0.3 s for 100 MB. Whether the content of a
   * full-text index fits together is not checked, since that takes 2 s for 100,000 sessions: a query that meets such damage has the
   * server check everything (isDamaged).
   */
  update(): Damage {
    if (!this.exists) return "missing";
    try {
      return this.open((database) => {
        const damage = damageOf(database);
        if (damage !== undefined) return `damaged (${damage})`;
        if (tablesOf(database).length === 0) return "empty";
        migrate(database, this.#migrations);
        return isEqual(tablesOf(database), tablesOf(migrated(this.#migrations)))
          ? undefined
          : "half migrated";
      });
    } catch (error) {
      if (!(error instanceof Error) || !("errcode" in error)) throw error;
      const code = Number(error.errcode) & 0xff; // the rest of an extended code
      if (DAMAGED.has(code)) return `damaged (${error.message})`;
      if (code === SQL_ERROR) return `half migrated (${error.message})`;
      throw error;
    }
  }

  /** Whether SQLite finds damage. Only reads, so a server may have it open. */
  isDamaged(): boolean {
    try {
      const database = new DatabaseSync(this.path, { readOnly: true });
      try {
        const [checked] = database.prepare("PRAGMA quick_check(1)").all();
        return checked?.["quick_check"] !== "ok";
      } finally {
        database.close();
      }
    } catch (error) {
      if (error instanceof Error && "errcode" in error)
        return DAMAGED.has(Number(error.errcode) & 0xff);
      throw error;
    }
  }

  /** Adds rows, all with the same columns. */
  fill(table: string, rows: Record<string, unknown>[]): void {
    const columns = Object.keys(rows[0] ?? {});
    if (columns.length === 0) return;
    const values = columns.map((column) => `value ->> '${column}'`);
    this.open((database) =>
      database
        .prepare(
          `INSERT INTO ${table} (${columns.join()}) SELECT ${values.join()} FROM json_each(?)`,
        )
        .run(JSON.stringify(rows)),
    );
  }

  remove(): void {
    for (const suffix of SIDE_FILES) rmSync(this.path + suffix, { force: true });
  }

  /** Renames it, so that its content can still be recovered with other tools. */
  setAside(): void {
    for (const suffix of SIDE_FILES) {
      if (existsSync(this.path + suffix))
        renameSync(this.path + suffix, `${this.path}.damaged${suffix}`);
    }
  }
}

/** The file's name: workerd derives it from the class that Miniflare has for D1 and from the database's id, which here is its binding. */
function objectIdOf(binding: Binding): string {
  const key = createHash("sha256").update("miniflare-D1DatabaseObject").digest();
  const hmac = (value: string | Buffer) =>
    createHmac("sha256", key).update(value).digest().subarray(0, 16);
  const name = hmac(binding);
  return Buffer.concat([name, hmac(name)]).toString("hex");
}

function migrate(database: DatabaseSync, folder: string): void {
  database.exec(
    `CREATE TABLE IF NOT EXISTS d1_migrations (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      name TEXT UNIQUE,
      applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
    )`,
  );
  const applied = new Set(
    database
      .prepare("SELECT name FROM d1_migrations")
      .all()
      .map(({ name }) => name),
  );
  const files = readdirSync(folder).filter((name) => name.endsWith(".sql"));
  for (const name of files.sort()) {
    if (applied.has(name)) continue;
    database.exec("BEGIN");
    try {
      database.exec(readFileSync(join(folder, name), "utf8"));
      database.prepare("INSERT INTO d1_migrations (name) VALUES (?)").run(name);
      database.exec("COMMIT");
    } catch (error) {
      if (database.isTransaction) database.exec("ROLLBACK");
      throw error;
    }
  }
}

function migrated(folder: string): DatabaseSync {
  const database = new DatabaseSync(":memory:");
  migrate(database, folder);
  return database;
}

/** What SQLite finds first in the tables, those of a full-text index included. */
function damageOf(database: DatabaseSync): string | undefined {
  const tables = database
    .prepare(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'",
    )
    .all();
  for (const { name } of tables) {
    const [checked] = database.prepare(`PRAGMA quick_check('${String(name)}')`).all();
    if (checked?.["quick_check"] !== "ok") return String(checked?.["quick_check"]);
  }
  return undefined;
}

/** The definitions of our tables and indexes, without those of SQLite, workerd and the migrations. */
function tablesOf(database: DatabaseSync): string[] {
  return database
    .prepare(
      `SELECT type || ' ' || name || ' ' || coalesce(sql, '') AS made FROM sqlite_master
       WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\' AND name <> 'd1_migrations'
       ORDER BY 1`,
    )
    .all()
    .map(({ made }) => String(made));
}

function isEqual(one: string[], other: string[]): boolean {
  return one.length === other.length && one.every((text, index) => text === other[index]);
}
