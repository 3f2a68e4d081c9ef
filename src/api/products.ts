/** Products and versions with their counts, exact crash-free, failure-free and hang-free rates, and trends. */
import { Hono } from "hono";
import { type AccessEnv, requires } from "../access/access.ts";
import { freeRate, versionDays, versions } from "../catalog/products.ts";
import * as query from "./request/query.ts";
import { ofProduct, parseQuery } from "./request/query.ts";

export const products = new Hono<AccessEnv>();

products.get("/products", requires("read"), async (c) => {
  const { product, days } = ofProduct(parseQuery(query.Days, c.req.url), c.var.access.product);
  const [counted, trend] = await Promise.all([
    versions(c.env.CATALOG, product),
    versionDays(c.env.CATALOG, Date.now(), { product, days }),
  ]);
  const items = counted.map((version) => ({
    ...version,
    crash_free: freeRate(version.sessions, version.crashed),
    failure_free: freeRate(version.sessions, version.crashed + version.failed),
    runs_passed: freeRate(version.test_runs, version.failed_runs),
    hang_free: freeRate(version.sessions, version.ever_hung),
  }));
  return c.json({ items, days: trend, next: null });
});
