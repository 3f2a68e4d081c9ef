/** Exceptions in groups, their trends, and what people decided about them. */
import { Hono } from "hono";
import * as v from "valibot";
import { type AccessEnv, requires } from "../access/access.ts";
import { exceptionDays, exceptionGroup, exceptionGroups } from "../catalog/exceptions.ts";
import { parse } from "../core/parse.ts";
import { Refusal } from "../core/refusal.ts";
import { GROUP_STATUSES } from "../core/vocabulary.ts";
import { decide, listDecisions } from "../registry/decisions.ts";
import type { Env } from "../env.ts";
import { readJson } from "./request/body.ts";
import * as query from "./request/query.ts";
import { filterOf, parseQuery } from "./request/query.ts";

export const exceptions = new Hono<AccessEnv>();

exceptions.get("/exceptions", requires("read"), async (c) => {
  const asked = filterOf(parseQuery(query.Groups, c.req.url), c.var.access.product);
  const decisions = await listDecisions(c.env.REGISTRY, asked.product);
  return c.json(await exceptionGroups(c.env.CATALOG, asked, decisions));
});

/** The groups of one fingerprint (one per product), each with its days. */
exceptions.get("/exceptions/:fingerprint", requires("read"), async (c) => {
  const fingerprint = c.req.param("fingerprint");
  const { days, product } = filterOf(parseQuery(query.Days, c.req.url), c.var.access.product);
  const groups = await findGroups(c.env, fingerprint, product);
  const trends = await exceptionDays(c.env.CATALOG, groups, Date.now(), days);
  const items = groups.map((group, index) => ({ ...group, days: trends[index] ?? [] }));
  return c.json({ items, next: null });
});

const Decision = v.object({
  product: v.string(),
  status: v.picklist(GROUP_STATUSES),
  /** The version that contains the fix, if it is known. */
  version: v.optional(v.string()),
});

exceptions.post("/exceptions/:fingerprint", requires("admin"), async (c) => {
  const { product, status, version } = parse(Decision, await readJson(c.req.raw), "The body");
  const fingerprint = c.req.param("fingerprint");
  if (c.var.access.product !== null && c.var.access.product !== product) {
    throw new Refusal("forbidden", `This key is for the product "${c.var.access.product}".`);
  }
  await findGroups(c.env, fingerprint, product);
  const { by } = c.var.access;
  await decide(c.env.REGISTRY, { product, fingerprint, status, version, by }, Date.now());
  return c.json({ items: await findGroups(c.env, fingerprint, product) });
});

/** The groups of one fingerprint with their decisions; refuses if there is none. */
async function findGroups(env: Env, fingerprint: string, product?: string) {
  const decisions = await listDecisions(env.REGISTRY, product);
  const groups = await exceptionGroup(env.CATALOG, fingerprint, product, decisions);
  if (groups.length === 0) throw new Refusal("not_found", "There is no such group of exceptions.");
  return groups;
}
