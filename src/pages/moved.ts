/** The page addresses of datacat 1.x, which lead to the same pages here. */
import { Hono } from "hono";
import type { Env } from "../env.ts";
import { address } from "./ui/address.ts";

export const moved = new Hono<{ Bindings: Env }>();

moved.get("/session/:id", (c) => c.redirect(`/sessions/${encodeURIComponent(c.req.param("id"))}`));
moved.get("/static/favicon.ico", (c) => c.redirect("/favicon.ico"));
moved.get("/sessions", async (c, next) => {
  const query = movedQuery(new URL(c.req.url).searchParams, Date.now());
  if (query === undefined) return next();
  return c.redirect(address("/sessions", query));
});

const DAY_MS = 86_400_000;
/** Days of 1.x's time ranges. `all` and `custom` have none. */
const RANGE_DAYS: { [range: string]: number } = { "1d": 1, "1w": 7, "2w": 14, "1m": 30, "3m": 90 };
/** Parameters that only 1.x had; the others have the same names here. */
const ONLY_LEGACY = ["time_range", "start_time", "end_time", "state_key", "event_name", "page"];

/** The query of 1.x's list of sessions as one of ours; undefined if it has no parameter that only 1.x had. */
export function movedQuery(
  query: URLSearchParams,
  now: number,
): Record<string, string | number | undefined> | undefined {
  if (!ONLY_LEGACY.some((name) => query.has(name))) return undefined;
  const read = (name: string): string | undefined => query.get(name) || undefined;
  const range = query.get("time_range") ?? "";
  const days = RANGE_DAYS[range];
  const isCustom = range === "custom";
  return {
    product: read("product"),
    version: read("version"),
    status: read("status"),
    from: days === undefined ? (isCustom ? read("start_time") : undefined) : now - days * DAY_MS,
    to: isCustom ? read("end_time") : undefined,
    path: read("state_key"),
    value: read("state_key") && read("state_value"),
    event: read("event_name"),
    sort: read("sort") === "metrics" ? "points" : read("sort"),
    order: read("order"),
  };
}
