/**
 * The pages' cookie: the id of a sign-in that the registry has, signed. The key of the signature comes from ADMIN_SECRET and from a random
 * key in the registry, so a new ADMIN_SECRET ends all sign-ins, and a cookie does not help to guess the secret.
 */
import type { Context } from "hono";
import { deleteCookie, getSignedCookie, setSignedCookie } from "hono/cookie";
import { type Env, isLocal } from "../env.ts";
import {
  endSignIn,
  endSignIns,
  findSignIn,
  renewSignIn,
  type SignIn,
  signingKey,
  storeSignIn,
} from "../registry/sign-ins.ts";
import { networkOf } from "./address.ts";
import { record, recordRefused } from "./audit.ts";
import {
  KEY_CACHE_MS,
  MAX_CACHED_KEYS,
  RENEW_MS,
  SIGN_IN_CACHE_MS,
  SIGNED_IN_MS,
} from "./limits.ts";
import { hmac, isSame, randomText } from "./secret.ts";
import { checkAttempts, countWrongKey, noteWrongSecret } from "./wrong-keys.ts";

/** The name of a sign-in in lists. The rest of its id is not shown. */
export function nameOf({ id }: Pick<SignIn, "id">): string {
  return `sign-in ${id.slice(0, 8)}`;
}

/** Sets the cookie if `secret` is ADMIN_SECRET. True if it is. */
export async function signIn(c: Context, secret: string): Promise<boolean> {
  const { ADMIN_SECRET, REGISTRY } = c.env as Env; // Hono's default Context knows no bindings
  checkAttempts(c);
  if (!ADMIN_SECRET || !(await isSame(secret, ADMIN_SECRET))) {
    recordRefused(c, "sign_in_failed");
    noteWrongSecret(c);
    await countWrongKey(c);
    return false;
  }
  const before = await signedIn(c);
  if (before) await forget(REGISTRY, before.id); // its cookie is replaced

  const now = Date.now();
  const made = { id: randomText(16), address: networkOf(c), started_at: now, used_at: now };
  await storeSignIn(REGISTRY, made, now - SIGNED_IN_MS);
  cached.delete(made.id);
  await setCookie(c, ADMIN_SECRET, made);
  await record(c, "signed_in", nameOf(made));
  return true;
}

/** The sign-in whose cookie the request has; undefined without one that is valid. */
export async function signedIn(c: Context): Promise<SignIn | undefined> {
  const { ADMIN_SECRET, REGISTRY } = c.env as Env;
  const { name, options } = cookieOf(c);
  if (!ADMIN_SECRET || !c.req.header("cookie")?.includes(name)) return undefined;
  const key = await keyOfCookies(REGISTRY, ADMIN_SECRET);
  const id = await getSignedCookie(c, key, name, options.prefix);
  if (typeof id !== "string") return undefined;
  const found = await lookUp(REGISTRY, id, Date.now());
  return found && found.used_at + SIGNED_IN_MS > Date.now() ? found : undefined;
}

/** Stores that the browser is used and lets its cookie last longer, at most once in RENEW_MS. */
export async function renew(c: Context, signIn: SignIn): Promise<void> {
  const { ADMIN_SECRET, REGISTRY } = c.env as Env;
  const now = Date.now();
  if (!ADMIN_SECRET || now - signIn.used_at < RENEW_MS) return;
  signIn.used_at = now; // in the cache
  c.executionCtx.waitUntil(renewSignIn(REGISTRY, signIn.id, now, now - RENEW_MS));
  await setCookie(c, ADMIN_SECRET, signIn);
}

/** Ends the sign-in of the request and removes its cookie. */
export async function signOut(c: Context): Promise<void> {
  const ended = await signedIn(c);
  const { name, options } = cookieOf(c);
  deleteCookie(c, name, options);
  if (!ended) return;
  await forget((c.env as Env).REGISTRY, ended.id);
  await record(c, "signed_out", nameOf(ended));
}

/** Ends every sign-in but the one of the request, if it has one. `who` does it. */
export async function signOutOthers(c: Context, who: string, own: SignIn | undefined) {
  const count = await endSignIns((c.env as Env).REGISTRY, own?.id);
  cached.clear();
  await record(c, "signed_out", who, `${own ? "all others" : "all"} (${count})`);
}

async function forget(registry: D1Database, id: string): Promise<void> {
  await endSignIn(registry, id);
  cached.delete(id);
}

type Cookie = { name: string; options: { path: "/"; secure: boolean; prefix?: "host" } };

/** Browsers may refuse a secure cookie of http://localhost, and they send a cookie to every port of a host. */
function cookieOf(c: Context): Cookie {
  if (!isLocal(c.env as Env)) {
    return { name: "datacat", options: { path: "/", secure: true, prefix: "host" } };
  }
  return { name: `datacat_${new URL(c.req.url).port}`, options: { path: "/", secure: false } };
}

async function setCookie(c: Context, secret: string, { id }: SignIn): Promise<void> {
  const { name, options } = cookieOf(c);
  await setSignedCookie(c, name, id, await keyOfCookies((c.env as Env).REGISTRY, secret), {
    ...options,
    httpOnly: true,
    sameSite: "Lax",
    maxAge: SIGNED_IN_MS / 1_000,
  });
}

let signing: { key: string; until: number } | undefined;

/** What signs the cookies. It is read again after a while, because the registry may be restored from a backup. */
async function keyOfCookies(registry: D1Database, secret: string): Promise<string> {
  const now = Date.now();
  if (!signing || signing.until <= now)
    signing = { key: await signingKey(registry, randomText(32)), until: now + KEY_CACHE_MS };
  return hmac(signing.key, secret);
}

const cached = new Map<string, { signIn: SignIn | undefined; until: number }>();

async function lookUp(registry: D1Database, id: string, now: number): Promise<SignIn | undefined> {
  const known = cached.get(id);
  if (known && known.until > now) return known.signIn;
  const signIn = await findSignIn(registry, id);
  if (cached.size >= MAX_CACHED_KEYS) cached.clear();
  cached.set(id, { signIn, until: now + SIGN_IN_CACHE_MS });
  return signIn;
}
