/** What distinguishes a session from the last good ones, and the sessions of a filter from the others. */
import { Hono } from "hono";
import { type AccessEnv, requires } from "../access/access.ts";
import { changesOf, type Distinctions, distinctionsOf } from "../catalog/distinctions.ts";
import { amongGoodRuns, betweenGroups, subjectOf } from "../core/comparison/distinction-text.ts";
import type { Distinction } from "../core/comparison/distinctions.ts";
import { listMerged, withMerged } from "../registry/merges.ts";
import { askHeld, sessionOf } from "../session/client.ts";
import * as query from "./request/query.ts";
import { filterOf, parseQuery } from "./request/query.ts";

export const distinctions = new Hono<AccessEnv>();

distinctions.get("/sessions/:id/changes", requires("read"), async (c) => {
  const summary = await sessionOf(c.env, c.var.access, c.req.param("id")).ask("summary");
  const merged = await listMerged(c.env.REGISTRY, summary.product);
  return c.json(withTexts(await changesOf(c.env.CATALOG, summary, merged), amongGoodRuns));
});

distinctions.get("/distinctions", requires("read"), async (c) => {
  const filter = await withMerged(
    c.env.REGISTRY,
    filterOf(parseQuery(query.Filter, c.req.url), c.var.access.product),
  );
  const held = askHeld(c.env, c.var.access);
  const merged = await listMerged(c.env.REGISTRY, filter.product);
  const found = await distinctionsOf(c.env.CATALOG, filter, held, merged);
  return c.json(withTexts(found, betweenGroups));
});

/** Each with its sentence. */
function withTexts(found: Distinctions, counts: (distinction: Distinction) => string) {
  const items = found.items.map((item) => ({
    text: `${subjectOf(item)}: ${counts(item)}`,
    ...item,
  }));
  return { ...found, items };
}
