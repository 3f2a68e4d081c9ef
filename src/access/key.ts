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
import { record } from "./audit.ts";
import type { Access } from "../core/access/authority.ts";
import { type Budgets, DEFAULT_BUDGETS, NO_BUDGETS } from "../core/access/budget.ts";
import { DAY_MS } from "../core/limits.ts";
import { Refusal } from "../core/refusal.ts";
import type { KeyKind } from "../core/vocabulary.ts";
import type { Env } from "../env.ts";
import { noteUsed } from "./budget.ts";
import { networkOf } from "./address.ts";
import { countUnknown } from "./wrong-keys.ts";
import { KEY_CACHE_MS, MAX_CACHED_KEYS, MAX_ORIGINS } from "./limits.ts";
import { hasSha256, randomText, sha256Hex } from "./secret.ts";

const SHAPE = /^dc_(ingest|read|upload|admin)_([0-9a-z]{12})\.([\w-]{43})$/;

/** Whether this has the shape of a key, and so is no secret of a person. */
export function isKey(token: string): boolean {
  return SHAPE.test(token);
}

const cached = new Map<string, { key: StoredKey | undefined; until: number }>();

/** Makes a key and stores what is needed to recognise it. Only this answer contains the key itself. `who` makes it. */
export async function createKey(
  c: Context,
  who: string,
  asked: Pick<KeyRow, "kind" | "product" | "label" | "continues_others" | "origins"> &
    Partial<Budgets>,
): Promise<KeyRow & { key: string }> {
  const { REGISTRY } = c.env as Env; // Hono's default Context knows no bindings
  const id = [...crypto.getRandomValues(new Uint8Array(12))]
    .map((byte) => (byte % 36).toString(36))
    .join("");
  const key = `dc_${asked.kind}_${id}.${randomText(32)}`;
  const row: KeyRow = {
    ...DEFAULT_BUDGETS,
    ...asked,
    ...(asked.kind === "read" ? NO_BUDGETS : {}),
    id,
    created_at: Date.now(),
    revoked_at: null,
    origins: originsOf(asked.origins, asked.kind),
    used_day: null,
  };
  await storeKey(REGISTRY, { ...row, sha256: await sha256Hex(key) });
  cached.delete(id);
  await record(
    c,
    "key_created",
    who,
    `${nameOf(row)}, ${row.kind}, ${row.product ?? "all products"}`,
  );
  return { ...row, key };
}

export async function revoke(c: Context, who: string, id: string): Promise<void> {
  const revoked = await revokeKey((c.env as Env).REGISTRY, id, Date.now());
  cached.delete(id);
  if (!revoked) throw new Refusal("not_found", "There is no such key.");
  await record(c, "key_revoked", who, nameOf(revoked));
}

/** In other isolates the change holds after KEY_CACHE_MS at most. */
export async function changeKey(
  c: Context,
  who: string,
  id: string,
  change: KeyChange,
): Promise<void> {
  const changed = await updateKey((c.env as Env).REGISTRY, id, change);
  cached.delete(id);
  if (!changed) throw new Refusal("not_found", "There is no such key.");
  const what = Object.entries(change).map(([name, value]) => `${name} ${value ?? "unlimited"}`);
  await record(c, "key_changed", who, `${nameOf(changed)}: ${what.join(", ")}`);
}

/** The name of a key in lists. */
function nameOf({ id, label }: Pick<KeyRow, "id" | "label">): string {
  return label === "" ? `key ${id}` : `key ${id} (${label})`;
}

/** The origins as browsers send them. Throws if one is no origin, or if they do not fit the kind of key. */
function originsOf(addresses: string[], kind: KeyKind): string[] {
  if (addresses.length > 0 && kind !== "ingest")
    throw new Refusal("invalid_body", "Only a key of kind ingest is for pages of other origins.");
  if (addresses.length > MAX_ORIGINS)
    throw new Refusal("invalid_body", `A key may have ${MAX_ORIGINS} origins.`);
  return addresses.map((address) => {
    const url = URL.canParse(address) ? new URL(address) : undefined;
    if (url && /^https?:$/.test(url.protocol) && `${url.origin}/` === url.href) return url.origin;
    throw new Refusal(
      "invalid_body",
      `"${address.slice(0, 100)}" is no origin. One is like https://game.example.org.`,
    );
  });
}

/**
 * The caller whose key this is; undefined if it is unknown or revoked. A key with origins is refused to other pages and to programs. In
 * an address, where it may be logged and copied, only a key is taken that can't do more than a page of its own: one for a product, with origins.
 */
export async function recognise(
  c: Pick<Context<{ Bindings: Env }>, "env" | "executionCtx" | "req">,
  token: string,
  isInAddress: boolean,
): Promise<(Access & { by: string; budgets: Budgets }) | undefined> {
  const id = SHAPE.exec(token)?.[2];
  if (id === undefined) return undefined;
  const now = Date.now();
  const key = await lookUp(c, id, now);
  if (!key || key.revoked_at !== null || !(await hasSha256(token, key.sha256))) return undefined;
  if (key.origins.length > 0 && !key.origins.includes(c.req.header("origin") ?? ""))
    throw new Refusal("forbidden", `This key is for pages of ${key.origins.join(", ")} only.`);
  if (isInAddress && (key.origins.length === 0 || key.product === null))
    throw new Refusal(
      "forbidden",
      "Only an ingest key for one product, with allowed origins, may be in an address. Send others as `Authorization: Bearer KEY`.",
    );

  const today = Math.floor(now / DAY_MS);
  if (key.used_day !== today) {
    key.used_day = today;
    c.executionCtx.waitUntil(noteUse(c.env.REGISTRY, id, today));
  }
  const { kind, product, continues_others: continuesOthers, ...budgets } = key;
  return { kind, product, key: id, continuesOthers, by: nameOf(key), budgets };
}

async function lookUp(
  c: Pick<Context<{ Bindings: Env }>, "env" | "req">,
  id: string,
  now: number,
): Promise<StoredKey | undefined> {
  const known = cached.get(id);
  if (known && known.until > now) return known.key;
  const find = () => findKey(c.env.REGISTRY, id, now);
  const found = await (known?.key ? find() : countUnknown(networkOf(c), find, now));
  if (cached.size >= MAX_CACHED_KEYS) {
    for (const [other, { key }] of cached) if (!key) cached.delete(other);
    if (cached.size >= MAX_CACHED_KEYS) cached.clear();
  }
  cached.set(id, { key: found?.key, until: now + KEY_CACHE_MS });
  if (found) noteUsed(id, found.used, now);
  return found?.key;
}
