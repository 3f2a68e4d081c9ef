/** The tests of a product over its runs, and the history of one test. */
import { Hono } from "hono";
import { type AccessEnv, requires } from "../access/access.ts";
import {
  branchesOf,
  findTests,
  flakyTests,
  namedSlowTests,
  testHistory,
  testRuns,
} from "../catalog/tests.ts";
import type { TestsQuery } from "../core/tests/table.ts";
import { DAY_MS, DEFAULT_PAGE } from "../core/limits.ts";
import { ofOneProduct } from "../core/tests/asked.ts";
import { PRODUCT_TEST_LIST } from "../core/tests/fields.ts";
import { TREND_DAYS } from "../catalog/limits.ts";
import { Refusal } from "../core/refusal.ts";
import { sessionOf } from "../session/client.ts";
import * as query from "./request/query.ts";
import { parseQuery, queryOf } from "./request/query.ts";

export const tests = new Hono<AccessEnv>();

type Asked = { product: string; branch?: string | undefined };

/** The product of the caller's key, or the one that is named. */
function runsOf({ product, branch }: Partial<Asked>, bound: string | null): Asked {
  const named = bound ?? product;
  if (named === undefined)
    throw new Refusal(
      "invalid_query",
      "Name the product: `?product=shop`. Tests are those of one.",
    );
  return { product: named, branch };
}

tests.get("/tests", requires("read"), async (c) => {
  const { q, cursor, limit = DEFAULT_PAGE, ...runs } = parseQuery(query.ProductTests, c.req.url);
  const written = queryOf(PRODUCT_TEST_LIST, q);
  const { product, query: searched } = written ? ofOneProduct(written) : {};
  const bound = c.var.access.product;
  if (product !== undefined && bound !== null && product !== bound)
    throw new Refusal("forbidden", `This key is for the product "${bound}".`);
  const asked = runsOf(product === undefined ? runs : { ...runs, product }, bound);
  const from = Date.now() - TREND_DAYS * DAY_MS;
  const ask = (id: string, wanted: TestsQuery) =>
    sessionOf(c.env, c.var.access, id).ask("tests", wanted);
  const names = (id: string, keys: string[]) => ask(id, { keys, limit: keys.length });
  const [items, flaky, slowest, found] = await Promise.all([
    testRuns(c.env.CATALOG, asked),
    flakyTests(c.env.CATALOG, asked, from),
    namedSlowTests(c.env.CATALOG, asked, names),
    searched && findTests(c.env.CATALOG, asked, { query: searched, from, cursor, limit }, ask),
  ]);
  return c.json({
    items,
    next: null,
    branches: branchesOf(items),
    flaky: flaky.items,
    flaky_from: from,
    flaky_partial: flaky.partial,
    slowest,
    tests: found, // with `q`
  });
});

tests.get("/tests/:key", requires("read"), async (c) => {
  const asked = runsOf(parseQuery(query.Tests, c.req.url), c.var.access.product);
  return c.json(await testHistory(c.env.CATALOG, c.req.param("key"), asked));
});
