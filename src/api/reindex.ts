/**
 * `POST /api/reindex` publishes sessions to the catalog again. Without a body it publishes every session of the registry's roster, in
 * steps: `cursor` is the `next` of the answer before. This rebuilds a lost catalog. With `sessions` (their ids) or `objects` (ids of
 * Durable Objects, as Cloudflare lists them) it publishes only those.
 */
import { Hono } from "hono";
import { type AccessEnv, requires, requiresAllProducts } from "../access/access.ts";
import { parse, parseJson } from "../core/parse.ts";
import { rebuildStep, reindexObjects, reindexSessions } from "../session/publication/reindex.ts";
import { Reindex } from "./request/bodies.ts";
import { readText } from "./request/body.ts";

export const reindex = new Hono<AccessEnv>();

reindex.post("/reindex", requires("admin"), requiresAllProducts, async (c) => {
  const body = parseJson((await readText(c.req.raw)) || "{}", "The body");
  const { sessions, objects, cursor } = parse(Reindex, body, "The body");
  if (objects) return c.json({ ...(await reindexObjects(c.env, objects)), next: null });
  if (sessions) return c.json({ ...(await reindexSessions(c.env, sessions)), next: null });
  return c.json(await rebuildStep(c.env, cursor));
});
