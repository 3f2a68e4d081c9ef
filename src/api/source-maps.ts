/** Source maps of a product's versions: uploads by a key that can do nothing else, lists, deletes. A map itself is never answered. */
import { type Context, Hono } from "hono";
import { type AccessEnv, requires } from "../access/access.ts";
import { record } from "../access/audit.ts";
import { Spending } from "../access/budget.ts";
import { UNUSED } from "../core/access/budget.ts";
import { MAX_PAGE } from "../core/limits.ts";
import { Refusal, refusalOf } from "../core/refusal.ts";
import { MAX_MAP_BYTES } from "../core/sourcemaps/limits.ts";
import { listSourceMaps } from "../registry/source-maps.ts";
import { addUsage } from "../registry/usage.ts";
import { mapsOf, type Release, removeMap, removeMaps, uploadMap } from "../sourcemaps/client.ts";
import { readSent } from "./request/body.ts";
import * as query from "./request/query.ts";
import { parseQuery } from "./request/query.ts";

export const sourceMaps = new Hono<AccessEnv>();

/** With a version its files, else all versions. */
sourceMaps.get("/sourcemaps", requires("upload"), async (c) => {
  const { product = c.var.access.product ?? undefined, version } = parseQuery(
    query.SourceMapList,
    c.req.url,
  );
  if (product !== undefined) checkProduct(c, product);
  if (version === undefined) {
    const items = await listSourceMaps(c.env.REGISTRY, product, MAX_PAGE);
    return c.json({ items, next: null, partial: items.length === MAX_PAGE });
  }
  if (product === undefined)
    throw new Refusal("invalid_query", "A version is of a product: give `product` as well.");
  return c.json({ items: await mapsOf(c.env, { product, version }), next: null });
});

/** The body is the map, as JSON or gzip. */
sourceMaps.put("/sourcemaps", requires("upload"), async (c) => {
  const { file: of, ...release } = parseQuery(query.SourceMapPut, c.req.url);
  checkProduct(c, release.product);
  const { key, budgets, by } = c.var.access;
  const now = Date.now();
  const spending = new Spending(key, budgets, now);
  try {
    const sent = await readSent(c.req.raw);
    spending.received(sent.body.length);
    const upload = { file: of, ...sent, at: now, by };
    const { stored, rows } = await uploadMap(c.env, release, upload).catch((error: unknown) => {
      // It was decompressed and read, whatever its size was.
      if (refusalOf(error)) spending.received(MAX_MAP_BYTES);
      throw error;
    });
    const cost = { ...UNUSED, object_rows: rows, d1_rows: 3 };
    spending.add(cost);
    await addUsage(c.env.REGISTRY, key ?? "", cost, now);
    await record(c, "source_maps_uploaded", by, nameOf(release));
    return c.json(stored);
  } finally {
    spending.close();
  }
});

/** One file's map, or all of the version. */
sourceMaps.delete("/sourcemaps", requires("admin"), async (c) => {
  const { file: of, ...release } = parseQuery(query.SourceMapDelete, c.req.url);
  checkProduct(c, release.product);
  const { by } = c.var.access;
  let files: number;
  if (of === undefined) ({ files } = await removeMaps(c.env, release));
  else files = (await removeMap(c.env, release, { file: of, at: Date.now(), by })) ? 1 : 0;
  if (files === 0) throw new Refusal("not_found", `${nameOf(release)} has no such source map.`);
  await record(c, "source_maps_deleted", by, nameOf(release));
  return c.json({ ...release, files });
});

function checkProduct(c: Context<AccessEnv>, product: string): void {
  const own = c.var.access.product;
  if (own !== null && own !== product)
    throw new Refusal("forbidden", `This key is for the product "${own}".`);
}

function nameOf({ product, version }: Release): string {
  return `${product} ${version}`;
}
