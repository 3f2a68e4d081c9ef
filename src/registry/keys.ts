/** API keys. The stored hash identifies a key, but cannot be used as one. */
import { and, desc, eq, getTableColumns, isNull, ne, or } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { type Budgets, UNUSED, type Used } from "../core/access/budget.ts";
import type { KeyKind } from "../core/vocabulary.ts";
import { keys, usage } from "./schema.ts";
import { dayOf } from "./usage.ts";

/** What may be shown of a key. */
export type KeyRow = Budgets & {
  id: string;
  kind: KeyKind;
  /** Null: all products. */
  product: string | null;
  label: string;
  created_at: number;
  revoked_at: number | null;
  /** It may continue sessions and lanes that other keys opened. */
  continues_others: boolean;
  /** Origins of the only pages that may use it; empty: it is for programs. */
  origins: string[];
  /** The UTC day of its last use, as days since 1970. */
  used_day: number | null;
};
export type StoredKey = KeyRow & { sha256: string };

export async function listKeys(db: D1Database): Promise<KeyRow[]> {
  return drizzle(db).select(SHOWN).from(keys).orderBy(desc(keys.created_at), keys.id);
}

/** A key, and what was written with it today. */
export async function findKey(
  db: D1Database,
  id: string,
  now: number,
): Promise<{ key: StoredKey; used: Used } | undefined> {
  const [found] = await drizzle(db)
    .select({ key: keys, used: usage })
    .from(keys)
    .leftJoin(usage, and(eq(usage.key, keys.id), eq(usage.day, dayOf(now))))
    .where(eq(keys.id, id));
  return found && { key: found.key, used: found.used ?? UNUSED };
}

async function rowOf(db: D1Database, id: string): Promise<KeyRow | undefined> {
  const [row] = await drizzle(db).select(SHOWN).from(keys).where(eq(keys.id, id));
  return row;
}

export async function storeKey(db: D1Database, key: StoredKey): Promise<void> {
  await drizzle(db).insert(keys).values(key);
}

/** The key, if there is one; revoking it again keeps the first time. */
export async function revokeKey(
  db: D1Database,
  id: string,
  now: number,
): Promise<KeyRow | undefined> {
  await drizzle(db)
    .update(keys)
    .set({ revoked_at: now })
    .where(and(eq(keys.id, id), isNull(keys.revoked_at)));
  return rowOf(db, id);
}

/** What may be changed of a key. */
export type KeyChange = Partial<Pick<KeyRow, "continues_others"> & Budgets>;

/** The key, if there is one. */
export async function updateKey(
  db: D1Database,
  id: string,
  change: KeyChange,
): Promise<KeyRow | undefined> {
  await drizzle(db).update(keys).set(change).where(eq(keys.id, id));
  return rowOf(db, id);
}

/** Stores the day of the last use, at most once a day, because each time writes a row. */
export async function noteUse(db: D1Database, id: string, day: number): Promise<void> {
  await drizzle(db)
    .update(keys)
    .set({ used_day: day })
    .where(and(eq(keys.id, id), or(isNull(keys.used_day), ne(keys.used_day, day))));
}

const { sha256: _hash, ...SHOWN } = getTableColumns(keys);
