/** The browser tab's icon, one per status. */
import { Hono } from "hono";
import { STATUSES } from "../core/vocabulary.ts";
import type { Env } from "../env.ts";
import { iconFile } from "./ui/mark.tsx";

export const icons = new Hono<{ Bindings: Env }>();

icons.get("/icon/:name{[a-z]+\\.svg}", (c) => {
  const name = c.req.param("name").slice(0, -".svg".length);
  const status = STATUSES.find((each) => each === name) ?? "none";
  return c.body(iconFile(status), 200, {
    "content-type": "image/svg+xml",
    "cache-control": "public, max-age=86400",
  });
});

// Browsers request it when they show an answer that is not a page: an export, a state as JSON.
icons.get("/favicon.ico", (c) => c.redirect("/icon/none.svg", 301));
