/** Creates, lists and revokes API keys. Only the answer that creates a key contains it. */
import { Hono } from "hono";
import * as v from "valibot";
import { type AccessEnv, requires, requiresAllProducts } from "../access/access.ts";
import { changeKey, createKey, revoke } from "../access/key.ts";
import { type BudgetName, UNUSED } from "../core/access/budget.ts";
import { MAX_BUDGET, MAX_NAME_LENGTH } from "../core/limits.ts";
import { parse } from "../core/parse.ts";
import { KEY_KINDS } from "../core/vocabulary.ts";
import { listKeys } from "../registry/keys.ts";
import { usageOfDay } from "../registry/usage.ts";
import { readJson } from "./request/body.ts";

export const keys = new Hono<AccessEnv>();

const name = v.pipe(v.string(), v.maxLength(MAX_NAME_LENGTH));
const budget = v.optional(
  v.nullable(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_BUDGET))),
);
/** Null: no limit. Absent: the default, or as it is. */
const budgets = {
  sessions_per_day: budget,
  rows_per_day: budget,
  requests_per_minute: budget,
  attachment_mib_per_day: budget,
} satisfies { [name in BudgetName]: typeof budget };
const NewKey = v.object({
  kind: v.picklist(KEY_KINDS),
  /** The only product that it is for. */
  product: v.optional(name),
  label: v.optional(name, ""),
  continues_others: v.optional(v.boolean(), false),
  ...budgets,
  /** The only web pages that may use it. */
  origins: v.optional(v.array(name), []),
});
const KeyChange = v.pipe(
  v.object({ continues_others: v.optional(v.boolean()), ...budgets }),
  v.check((change) => Object.keys(change).length > 0, "It names nothing to change."),
);

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
