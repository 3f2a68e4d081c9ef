/**
 * API keys: `dc_<kind>_<id>.<secret>`. The id finds the key's row, and the SHA-256 of the whole key must match. Rows are cached for a
 * minute, so that not every request reads the registry; in other isolates a revoked key works for at most that time.
 */
import type { Context } from "hono";
import {
  findKey,
  type KeyRow,
  noteUse,
  type KeyChange,
  revokeKey,
  type StoredKey,
  storeKey,
  updateKey,
} from "../registry/keys.ts";
import type { Access } from "../core/authority.ts";
import { type Budgets, DEFAULT_BUDGETS, NO_BUDGETS } from "../core/budget.ts";
import { DAY_MS } from "../core/limits.ts";
import { Refusal } from "../core/refusal.ts";
import type { Env } from "../env.ts";
import { noteUsed } from "./budget.ts";
import { KEY_CACHE_MS, MAX_CACHED_KEYS } from "./limits.ts";
import { hasSha256, sha256Hex } from "./secret.ts";

const SHAPE = /^dc_(ingest|read|admin)_([0-9a-z]{12})\.([\w-]{43})$/;

const cached = new Map<string, { key: StoredKey | undefined; until: number }>();

/** Makes a key and stores what is needed to recognise it. Only this answer contains the key itself. */
export async function createKey(
  db: D1Database,
  {
    kind,
    product,
    label,
    continues_others,
    ...budgets
  }: Pick<KeyRow, "kind" | "product" | "label" | "continues_others"> & Partial<Budgets>,
  now: number,
): Promise<KeyRow & { key: string }> {
  const id = [...crypto.getRandomValues(new Uint8Array(12))]
    .map((byte) => (byte % 36).toString(36))
    .join("");
  const secret = crypto
    .getRandomValues(new Uint8Array(32))
    .toBase64({ alphabet: "base64url", omitPadding: true });
  const key = `dc_${kind}_${id}.${secret}`;
  const row: KeyRow = {
    ...(kind === "read" ? NO_BUDGETS : { ...DEFAULT_BUDGETS, ...budgets }),
    id,
    kind,
    product,
    label,
    created_at: now,
    revoked_at: null,
    continues_others,
    used_day: null,
  };
  await storeKey(db, { ...row, sha256: await sha256Hex(key) });
  cached.delete(id);
  return { ...row, key };
}

export async function revoke(db: D1Database, id: string, now: number): Promise<void> {
  const existed = await revokeKey(db, id, now);
  cached.delete(id);
  if (!existed) throw new Refusal("not_found", "There is no such key.");
}

/** In other isolates the change holds after KEY_CACHE_MS at most. */
export async function changeKey(db: D1Database, id: string, change: KeyChange): Promise<void> {
  const existed = await updateKey(db, id, change);
  cached.delete(id);
  if (!existed) throw new Refusal("not_found", "There is no such key.");
}

/** The caller whose key this is; undefined if it is unknown or revoked. */
export async function recognise(
  c: Pick<Context<{ Bindings: Env }>, "env" | "executionCtx">,
  token: string,
): Promise<(Access & { by: string; budgets: Budgets }) | undefined> {
  const id = SHAPE.exec(token)?.[2];
  if (id === undefined) return undefined;
  const now = Date.now();
  const key = await lookUp(c.env.REGISTRY, id, now);
  if (!key || key.revoked_at !== null || !(await hasSha256(token, key.sha256))) return undefined;

  const today = Math.floor(now / DAY_MS);
  if (key.used_day !== today) {
    key.used_day = today;
    c.executionCtx.waitUntil(noteUse(c.env.REGISTRY, id, today));
  }
  const { kind, product, continues_others: continuesOthers, ...budgets } = key;
  return { kind, product, key: id, continuesOthers, by: `key ${id}`, budgets };
}

async function lookUp(db: D1Database, id: string, now: number): Promise<StoredKey | undefined> {
  const known = cached.get(id);
  if (known && known.until > now) return known.key;
  const found = await findKey(db, id, now);
  if (cached.size >= MAX_CACHED_KEYS) cached.clear();
  cached.set(id, { key: found?.key, until: now + KEY_CACHE_MS });
  if (found) noteUsed(id, found.used, now);
  return found?.key;
}
