/** Exceptions in groups, their trends, and what people decided about them. */
import { Hono } from "hono";
import * as v from "valibot";
import { type AccessEnv, requires } from "../access/access.ts";
import {
  decideGroup,
  exceptionDays,
  exceptionGroup,
  exceptionGroups,
  GROUP_STATUSES,
} from "../catalog/exceptions.ts";
import { parse } from "../core/parse.ts";
import { Refusal } from "../core/refusal.ts";
import { readJson } from "./body.ts";
import * as query from "./query.ts";
import { filterOf, parseQuery } from "./query.ts";

export const exceptions = new Hono<AccessEnv>();

exceptions.get("/exceptions", requires("read"), async (c) => {
  const asked = filterOf(parseQuery(query.Groups, c.req.url), c.var.access.product);
  return c.json(await exceptionGroups(c.env.CATALOG, asked));
});

/** The groups of one fingerprint (one per product), each with its days. */
exceptions.get("/exceptions/:fingerprint", requires("read"), async (c) => {
  const fingerprint = c.req.param("fingerprint");
  const { days, product } = filterOf(parseQuery(query.Days, c.req.url), c.var.access.product);
  const groups = await exceptionGroup(c.env.CATALOG, fingerprint, product);
  if (groups.length === 0) throw new Refusal("not_found", "There is no such group of exceptions.");
  const items = groups.map(async (group) => ({
    ...group,
    days: await exceptionDays(c.env.CATALOG, group.product, fingerprint, Date.now(), days),
  }));
  return c.json({ items: await Promise.all(items) });
});

const Decision = v.object({
  product: v.string(),
  status: v.picklist(GROUP_STATUSES),
  /** The version that mends it, if that is known. */
  version: v.optional(v.string()),
});

exceptions.post("/exceptions/:fingerprint", requires("admin"), async (c) => {
  const { product, status, version } = parse(Decision, await readJson(c.req.raw), "The body");
  const fingerprint = c.req.param("fingerprint");
  if (c.var.access.product !== null && c.var.access.product !== product) {
    throw new Refusal("forbidden", `This key is for the product "${c.var.access.product}".`);
  }
  const decision = { product, fingerprint, status, ...(version !== undefined && { version }) };
  await decideGroup(c.env.CATALOG, decision, Date.now());
  return c.json({ items: await exceptionGroup(c.env.CATALOG, fingerprint, product) });
});
