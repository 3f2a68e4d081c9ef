/**
 * Checks the catalog and the registry before a server opens them. A catalog that is missing, empty, half migrated or damaged is created
 * again, with a row that requests its rebuild. The registry cannot be rebuilt: if it is lost and there are sessions, the start is refused.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type Damage, DatabaseFile } from "./database-file.ts";

type Databases = { catalog: DatabaseFile; registry: DatabaseFile };

export function databasesIn(data: string): Databases {
  return {
    catalog: new DatabaseFile(data, "CATALOG"),
    registry: new DatabaseFile(data, "REGISTRY"),
  };
}

/** A rebuild that the server has to run. */
export type Rebuild = {
  /** Why, as the end of the sentence "the catalog is …". */
  damage: string;
  /** Sessions in the roster. */
  sessions: number;
};

type PrepareOptions = {
  /** Create an empty registry if there is no intact one; the old file is renamed. */
  newRegistry?: boolean | undefined;
};

/** The registry is missing or damaged, and there are sessions that it belongs to. */
export class RegistryLost extends Error {
  constructor(damage: string, { path }: DatabaseFile) {
    super(
      `The registry (keys, saved views, decisions about exceptions and which are merged, the list of sessions) is ${damage}.
  It cannot be rebuilt, so Datacat does not start without it. Restore this file from a backup, with its -wal if there is one:
    ${path}
  Without a backup, begin an empty registry. Sessions are kept; keys, views, decisions and merges are lost:
    npm start -- --new-registry`,
    );
    this.name = "RegistryLost";
  }
}

/** Repairs and migrates both databases. Returns the rebuild that the catalog needs, if any. */
export function prepareDatabases(data: string, options: PrepareOptions = {}): Rebuild | undefined {
  const { catalog, registry } = databasesIn(data);
  prepareRegistry(registry, data, options);
  const sessions = registry.open((database) =>
    countOf(database.prepare("SELECT count(*) AS n FROM roster").get()),
  );
  const damage = damageOf(catalog, sessions);
  if (damage === undefined) return undefined;

  if (damage !== UNFINISHED) catalog.create();
  if (sessions === 0) return undefined; // a first start
  if (damage !== UNFINISHED) {
    catalog.open((database) =>
      database
        .prepare("INSERT INTO rebuild (id, cursor, done, failed, total) VALUES (1, '', 0, 0, ?)")
        .run(sessions),
    );
  }
  return { damage, sessions };
}

function prepareRegistry(registry: DatabaseFile, data: string, { newRegistry }: PrepareOptions) {
  const damage = registry.update();
  if (damage === undefined) return;
  if (!newRegistry && objectsIn(data).length > 0) throw new RegistryLost(damage, registry);
  registry.setAside();
  registry.create();
}

const UNFINISHED = "not complete yet";

function damageOf(catalog: DatabaseFile, sessions: number): Damage {
  const damage = catalog.update();
  if (damage !== undefined || sessions === 0) return damage;
  return catalog.open((database) => {
    if (database.prepare("SELECT 1 FROM rebuild").get()) return UNFINISHED;
    return database.prepare("SELECT 1 FROM sessions LIMIT 1").get() ? undefined : "empty";
  });
}

/** Ids of the Durable Objects whose sessions are stored here, as 64 hex digits. */
export function objectsIn(data: string): string[] {
  const folder = join(data, "do/datacat-Session");
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((file) => /^([0-9a-f]{64})\.sqlite$/.exec(file)?.[1] ?? []);
}

function countOf(row: Record<string, unknown> | undefined): number {
  return Number(row?.["n"] ?? 0);
}
