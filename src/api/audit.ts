/** The audit list as JSON. */
import { Hono } from "hono";
import { type AccessEnv, requires, requiresAllProducts } from "../access/access.ts";
import { writeRefused } from "../access/audit.ts";
import { DEFAULT_PAGE } from "../core/limits.ts";
import { listAudit } from "../registry/audit.ts";
import * as query from "./request/query.ts";
import { parseQuery } from "./request/query.ts";

export const audit = new Hono<AccessEnv>();

audit.get("/audit", requires("admin"), requiresAllProducts, async (c) => {
  const { limit = DEFAULT_PAGE, cursor } = parseQuery(query.Page, c.req.url);
  await writeRefused(c.env.REGISTRY);
  return c.json(await listAudit(c.env.REGISTRY, limit, cursor));
});
