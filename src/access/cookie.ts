/** The pages' cookie: the time until which it is valid, signed with ADMIN_SECRET. A new secret ends all sign-ins. */
import type { Context } from "hono";
import { deleteCookie, getSignedCookie, setSignedCookie } from "hono/cookie";
import type { Env } from "../env.ts";
import { SIGNED_IN_S } from "./limits.ts";
import { isSame } from "./secret.ts";
import { countWrongKey } from "./wrong-keys.ts";

const NAME = "datacat";

/** Sets the cookie if `secret` is ADMIN_SECRET. True if it is. */
export async function signIn(c: Context, secret: string): Promise<boolean> {
  const { ADMIN_SECRET } = c.env as Env; // Hono's default Context knows no bindings
  if (!ADMIN_SECRET || !(await isSame(secret, ADMIN_SECRET))) {
    await countWrongKey(c);
    return false;
  }
  const until = Math.floor(Date.now() / 1_000) + SIGNED_IN_S;
  await setSignedCookie(c, NAME, String(until), ADMIN_SECRET, {
    prefix: "host",
    path: "/",
    secure: true,
    httpOnly: true,
    sameSite: "Lax",
    maxAge: SIGNED_IN_S,
  });
  return true;
}

export function signOut(c: Context): void {
  deleteCookie(c, NAME, { prefix: "host", path: "/", secure: true });
}

export async function hasCookie(c: Context, secret: string): Promise<boolean> {
  const until = await getSignedCookie(c, secret, NAME, "host");
  return typeof until === "string" && Number(until) * 1_000 > Date.now();
}
