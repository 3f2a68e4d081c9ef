/** Exceptions in groups, their trends, what people decided about them, and which they merged. */
import { Hono } from "hono";
import { type AccessEnv, requires } from "../access/access.ts";
import { record } from "../access/audit.ts";
import {
  type ExceptionGroup,
  exceptionDays,
  exceptionGroup,
  exceptionGroups,
} from "../catalog/exceptions.ts";
import type { Access } from "../core/access/authority.ts";
import { GROUP_LIST } from "../core/events/group-fields.ts";
import { parse } from "../core/parse.ts";
import { Refusal } from "../core/refusal.ts";
import { decide } from "../registry/decisions.ts";
import { listDecided, listMerges, merge, split } from "../registry/merges.ts";
import type { Env } from "../env.ts";
import { Decision, Merges } from "./request/bodies.ts";
import { readJson } from "./request/body.ts";
import * as query from "./request/query.ts";
import { ofProduct, parseQuery, queryOf } from "./request/query.ts";

export const exceptions = new Hono<AccessEnv>();

exceptions.get("/exceptions", requires("read"), async (c) => {
  const { q, ...asked } = ofProduct(parseQuery(query.Groups, c.req.url), c.var.access.product);
  const passing = { ...asked, query: queryOf(GROUP_LIST, q) };
  const decided = await listDecided(c.env.REGISTRY, asked.product);
  return c.json(await exceptionGroups(c.env.CATALOG, passing, decided));
});

/** The groups of one fingerprint (one per product), each with its days. */
exceptions.get("/exceptions/:fingerprint", requires("read"), async (c) => {
  const fingerprint = c.req.param("fingerprint");
  const { days, product } = ofProduct(parseQuery(query.Days, c.req.url), c.var.access.product);
  const groups = await findGroups(c.env, fingerprint, product);
  const trends = await exceptionDays(c.env.CATALOG, groups, Date.now(), days);
  const items = groups.map((group, index) => ({ ...group, days: trends[index] ?? [] }));
  return c.json({ items, next: null });
});

exceptions.post("/exceptions/:fingerprint", requires("admin"), async (c) => {
  const { product, status, version } = parse(Decision, await readJson(c.req.raw), "The body");
  checkProduct(c.var.access, product);
  const [group] = await findGroups(c.env, c.req.param("fingerprint"), product);
  const { fingerprint } = group;
  const { by } = c.var.access;
  await decide(c.env.REGISTRY, { product, fingerprint, status, version, by }, Date.now());
  return c.json({ items: await findGroups(c.env, fingerprint, product) });
});

/** The groups of which this one consists: who merged which into which, and when. */
exceptions.get("/exceptions/:fingerprint/merges", requires("read"), async (c) => {
  const { product } = ofProduct(parseQuery(query.OfProduct, c.req.url), c.var.access.product);
  const groups = await findGroups(c.env, c.req.param("fingerprint"), product);
  const merged = new Set(
    groups.flatMap((group) => group.fingerprints.map((each) => `${group.product}\n${each}`)),
  );
  const rows = await listMerges(c.env.REGISTRY, product);
  const items = rows.filter((row) => merged.has(`${row.product}\n${row.fingerprint}`));
  return c.json({ items, next: null });
});

exceptions.post("/exceptions/:fingerprint/merges", requires("admin"), async (c) => {
  const { product, fingerprints } = parse(Merges, await readJson(c.req.raw), "The body");
  checkProduct(c.var.access, product);
  const [{ fingerprint: into }] = await findGroups(c.env, c.req.param("fingerprint"), product);
  for (const each of fingerprints) await findGroups(c.env, each, product);
  const { by } = c.var.access;
  for (const fingerprint of fingerprints) {
    const isNew = await merge(c.env.REGISTRY, { product, fingerprint, into, by }, Date.now());
    if (isNew)
      await record(c, "exceptions_merged", by, `${fingerprint} into ${into} of ${product}`);
  }
  return c.json({ items: await findGroups(c.env, into, product) });
});

/** Splits a group off that was merged into another, with what was merged into it. */
exceptions.delete("/exceptions/:fingerprint/merges", requires("admin"), async (c) => {
  const { product } = ofProduct(parseQuery(query.OfProduct, c.req.url), c.var.access.product);
  const fingerprint = c.req.param("fingerprint");
  if (product === undefined)
    throw new Refusal(
      "invalid_query",
      "The parameter product is needed: groups are merged in one.",
    );
  if (!(await split(c.env.REGISTRY, { product, fingerprint })))
    throw new Refusal("not_found", "This group is not merged into another.");
  await record(c, "exceptions_split", c.var.access.by, `${fingerprint} of ${product}`);
  return c.json({ split: fingerprint });
});

function checkProduct(access: Access, product: string): void {
  if (access.product !== null && access.product !== product)
    throw new Refusal("forbidden", `This key is for the product "${access.product}".`);
}

/** The groups that have a fingerprint, with their decisions; refuses if there is none. */
async function findGroups(
  env: Env,
  fingerprint: string,
  product?: string,
): Promise<[ExceptionGroup, ...ExceptionGroup[]]> {
  const decided = await listDecided(env.REGISTRY, product);
  const [first, ...others] = await exceptionGroup(env.CATALOG, fingerprint, product, decided);
  if (!first) throw new Refusal("not_found", "There is no such group of exceptions.");
  return [first, ...others];
}
