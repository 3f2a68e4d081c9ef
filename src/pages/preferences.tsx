/** The viewer's theme and time zone, in two cookies, so that the server renders the page with them. */
import { type Context, Hono } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import type { Env } from "../env.ts";
import { ownPath, readForm } from "./form.ts";

const THEMES = ["system", "light", "dark"];
const ZONES = ["local", "utc"];

export function preferencesOf(c: Context): { theme: string; zone: string } {
  return { theme: oneOf(THEMES, getCookie(c, "theme")), zone: oneOf(ZONES, getCookie(c, "zone")) };
}

export const preferences = new Hono<{ Bindings: Env }>();

preferences.post("/preferences", async (c) => {
  const field = await readForm(c);
  // Not HttpOnly: page.js sets the same cookies without a request.
  const lasting = { path: "/", maxAge: 31_536_000, sameSite: "Lax" } as const;
  const [theme, zone] = [field("theme"), field("zone")];
  if (theme !== "") setCookie(c, "theme", oneOf(THEMES, theme), lasting);
  if (zone !== "") setCookie(c, "zone", oneOf(ZONES, zone), lasting);
  return c.redirect(ownPath(field("back")), 303);
});

function oneOf(choices: string[], choice: string | undefined): string {
  return choices.find((each) => each === choice) ?? choices[0] ?? "";
}
