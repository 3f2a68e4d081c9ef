/** Brings a local database up to date, as `wrangler d1 migrations apply` does on Cloudflare, with the same table of what was done. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { D1Database } from "@cloudflare/workers-types";

/** The migrations in `folder`, in the order of their numbers. */
export function listMigrations(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(".sql"))
    .sort();
}

/** Applies what `database` does not have yet, each migration whole or not at all; answers how many. */
export async function migrate(database: D1Database, folder: string): Promise<number> {
  await database
    .prepare(
      `CREATE TABLE IF NOT EXISTS d1_migrations (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT UNIQUE,
        applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
      )`,
    )
    .run();
  const done = await database.prepare("SELECT name FROM d1_migrations").raw<[string]>();
  const applied = new Set(done.map(([name]) => name));
  const pending = listMigrations(folder).filter((name) => !applied.has(name));

  for (const name of pending) {
    // What drizzle-kit writes between statements. wrangler could tell them apart too, but takes a second to load.
    const statements = readFileSync(join(folder, name), "utf8").split("--> statement-breakpoint");
    try {
      await database.batch([
        ...statements.map((statement) => database.prepare(statement)),
        database.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name),
      ]);
    } catch (error) {
      throw new Error(`Migration ${name} could not be applied.`, { cause: error });
    }
  }
  return pending.length;
}
