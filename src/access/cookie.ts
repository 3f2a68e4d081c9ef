/** The pages' cookie: the time until which it is valid, signed with ADMIN_SECRET. A new secret ends all sign-ins. */
import type { Context } from "hono";
import { deleteCookie, getSignedCookie, setSignedCookie } from "hono/cookie";
import { type Env, isLocal } from "../env.ts";
import { SIGNED_IN_S } from "./limits.ts";
import { isSame } from "./secret.ts";
import { countWrongKey } from "./wrong-keys.ts";

type Cookie = { name: string; options: { path: "/"; secure: boolean; prefix?: "host" } };

/** Browsers may refuse a secure cookie of http://localhost, and they send a cookie to every port of a host. */
function cookieOf(c: Context): Cookie {
  if (!isLocal(c.env as Env)) {
    return { name: "datacat", options: { path: "/", secure: true, prefix: "host" } };
  }
  return { name: `datacat_${new URL(c.req.url).port}`, options: { path: "/", secure: false } };
}

/** Sets the cookie if `secret` is ADMIN_SECRET. True if it is. */
export async function signIn(c: Context, secret: string): Promise<boolean> {
  const { ADMIN_SECRET } = c.env as Env; // Hono's default Context knows no bindings
  if (!ADMIN_SECRET || !(await isSame(secret, ADMIN_SECRET))) {
    await countWrongKey(c);
    return false;
  }
  const until = Math.floor(Date.now() / 1_000) + SIGNED_IN_S;
  const { name, options } = cookieOf(c);
  await setSignedCookie(c, name, String(until), ADMIN_SECRET, {
    ...options,
    httpOnly: true,
    sameSite: "Lax",
    maxAge: SIGNED_IN_S,
  });
  return true;
}

export function signOut(c: Context): void {
  const { name, options } = cookieOf(c);
  deleteCookie(c, name, options);
}

export async function hasCookie(c: Context, secret: string): Promise<boolean> {
  const { name, options } = cookieOf(c);
  const until = await getSignedCookie(c, secret, name, options.prefix);
  return typeof until === "string" && Number(until) * 1_000 > Date.now();
}
