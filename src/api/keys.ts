/** Creates, lists and revokes API keys. Only the answer that creates a key contains it. */
import { Hono } from "hono";
import { type AccessEnv, requires, requiresAllProducts } from "../access/access.ts";
import { changeKey, createKey, revoke } from "../access/key.ts";
import { UNUSED } from "../core/access/budget.ts";
import { parse } from "../core/parse.ts";
import { listKeys } from "../registry/keys.ts";
import { usageOfDay } from "../registry/usage.ts";
import { KeyChange, NewKey } from "./request/bodies.ts";
import { readJson } from "./request/body.ts";

export const keys = new Hono<AccessEnv>();

// Otherwise a key for one product could create a key for all products.
keys.use("/keys/*", requires("admin"), requiresAllProducts);

keys.get("/keys", async (c) => {
  const [items, used] = await Promise.all([
    listKeys(c.env.REGISTRY),
    usageOfDay(c.env.REGISTRY, Date.now()),
  ]);
  const withUsed = items.map((key) => ({ ...key, used_today: used.get(key.id) ?? UNUSED }));
  return c.json({ items: withUsed, next: null });
});

keys.post("/keys", async (c) => {
  const { product = null, ...key } = parse(NewKey, await readJson(c.req.raw), "The body");
  return c.json(await createKey(c, c.var.access.by, { ...key, product }));
});

keys.post("/keys/:id", async (c) => {
  const id = c.req.param("id");
  const change = parse(KeyChange, await readJson(c.req.raw), "The body");
  await changeKey(c, c.var.access.by, id, change);
  return c.json({ id, ...change });
});

keys.delete("/keys/:id", async (c) => {
  const id = c.req.param("id");
  await revoke(c, c.var.access.by, id);
  return c.json({ revoked: id });
});
