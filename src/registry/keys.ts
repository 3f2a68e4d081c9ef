/** API keys. The stored hash identifies a key, but cannot be used as one. */
import { and, desc, eq, isNull, ne, or } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { KeyKind } from "../core/vocabulary.ts";
import { keys } from "./schema.ts";

/** What may be shown of a key. */
export type KeyRow = {
  id: string;
  kind: KeyKind;
  /** Null: all products. */
  product: string | null;
  label: string;
  created_at: number;
  revoked_at: number | null;
  /** It may continue sessions and lanes that other keys opened. */
  continues_others: boolean;
  /** The UTC day of its last use, as days since 1970. */
  used_day: number | null;
};
export type StoredKey = KeyRow & { sha256: string };

export async function listKeys(db: D1Database): Promise<KeyRow[]> {
  return drizzle(db).select(SHOWN).from(keys).orderBy(desc(keys.created_at), keys.id);
}

export async function findKey(db: D1Database, id: string): Promise<StoredKey | undefined> {
  const [key] = await drizzle(db).select().from(keys).where(eq(keys.id, id));
  return key;
}

export async function storeKey(db: D1Database, key: StoredKey): Promise<void> {
  await drizzle(db).insert(keys).values(key);
}

/** True if there was such a key; revoking it again keeps the first time. */
export async function revokeKey(db: D1Database, id: string, now: number): Promise<boolean> {
  await drizzle(db)
    .update(keys)
    .set({ revoked_at: now })
    .where(and(eq(keys.id, id), isNull(keys.revoked_at)));
  return (await findKey(db, id)) !== undefined;
}

/** True if there is such a key. */
export async function setContinuesOthers(
  db: D1Database,
  id: string,
  continues_others: boolean,
): Promise<boolean> {
  await drizzle(db).update(keys).set({ continues_others }).where(eq(keys.id, id));
  return (await findKey(db, id)) !== undefined;
}

/** Stores the day of the last use, at most once a day, because each time writes a row. */
export async function noteUse(db: D1Database, id: string, day: number): Promise<void> {
  await drizzle(db)
    .update(keys)
    .set({ used_day: day })
    .where(and(eq(keys.id, id), or(isNull(keys.used_day), ne(keys.used_day, day))));
}

const SHOWN = {
  id: keys.id,
  kind: keys.kind,
  product: keys.product,
  label: keys.label,
  created_at: keys.created_at,
  revoked_at: keys.revoked_at,
  continues_others: keys.continues_others,
  used_day: keys.used_day,
};
