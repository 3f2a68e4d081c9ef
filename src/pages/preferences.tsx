/** The viewer's theme and time zone, in two cookies, so that the server renders the page with them. */
import { type Context, Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import type { Env } from "../env.ts";

const THEMES = ["system", "light", "dark"];
const ZONES = ["local", "utc"];

export function preferencesOf(c: Context): { theme: string; zone: string } {
  return { theme: oneOf(THEMES, getCookie(c, "theme")), zone: oneOf(ZONES, getCookie(c, "zone")) };
}

export const preferences = new Hono<{ Bindings: Env }>();

preferences.post("/preferences", async (c) => {
  const form = await c.req.parseBody();
  // Not HttpOnly: page.js sets the same cookies without a request.
  const lasting = { path: "/", maxAge: 31_536_000, sameSite: "Lax" } as const;
  if (typeof form.theme === "string") setCookie(c, "theme", oneOf(THEMES, form.theme), lasting);
  if (typeof form.zone === "string") setCookie(c, "zone", oneOf(ZONES, form.zone), lasting);
  return c.redirect(ownPath(form.back), 303);
});

function oneOf(choices: string[], choice: string | undefined): string {
  return choices.find((each) => each === choice) ?? choices[0] ?? "";
}

/** Only a path of this server: `//elsewhere` and `/\elsewhere` would leave it. */
export function ownPath(path: unknown): string {
  return typeof path === "string" && /^\/(?![/\\])/.test(path) ? path : "/";
}
