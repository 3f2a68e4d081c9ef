/**
 * The routes of Grafana's JSON data source (simpod-json-datasource; targets are metric names). Its Infinity data source reads
 * /api/metrics/{name}/sessions and /api/sessions as they are. 1.x's /api/grafana/sessions is in legacy.ts.
 */
import { Hono } from "hono";
import * as v from "valibot";
import { type AccessEnv, requires } from "../access/access.ts";
import { GROUPINGS, overTime, quantilesOverTime } from "../core/comparison/comparison.ts";
import { metricNames, sessionMetrics } from "../catalog/metrics.ts";
import { versions } from "../catalog/products.ts";
import { listSessions } from "../catalog/sessions.ts";
import { STATUS_KINDS } from "../catalog/filter.ts";
import { asking } from "../core/text/names.ts";
import { MAX_POINTS } from "../core/limits.ts";
import { parse } from "../core/parse.ts";
import { readJson } from "./request/body.ts";
import { name } from "./request/query.ts";
import { GRAFANA_ANNOTATIONS, GRAFANA_POINTS, GRAFANA_TARGETS } from "./limits.ts";

export const grafana = new Hono<AccessEnv>();
grafana.use("/grafana/*", requires("read"));

const QUANTILES = ["p50", "p95", "p99"] as const;
const AGGREGATES = ["mean", "min", "max", "sum", "count", "rate", ...QUANTILES] as const;

const when = v.pipe(v.string(), v.transform(Date.parse), v.number("must be a time"));
const Range = v.object({ from: when, to: when });
const Payload = v.object({
  product: name,
  version: name,
  status: v.optional(v.array(v.picklist(STATUS_KINDS))),
  machine: v.optional(v.string()),
  tag: v.optional(v.string()),
  tags: v.optional(v.array(v.string())),
  by: v.optional(v.picklist(GROUPINGS), "none"),
  aggregate: v.optional(v.picklist(AGGREGATES), "mean"),
});
const Query = v.object({
  range: Range,
  maxDataPoints: v.optional(
    v.pipe(v.number(), v.minValue(1), v.transform(Math.floor)),
    GRAFANA_POINTS,
  ),
  targets: v.pipe(
    v.array(
      v.object({
        target: v.string(),
        payload: v.optional(v.nullable(Payload)),
        refId: v.optional(v.string()),
      }),
    ),
    v.maxLength(GRAFANA_TARGETS),
  ),
});
const Annotations = v.object({
  range: Range,
  annotation: v.optional(v.record(v.string(), v.unknown())),
});
const Search = v.object({
  target: v.optional(v.nullable(v.string()), ""),
  metric: v.optional(v.nullable(v.string()), ""),
});
const TagValues = v.object({ key: v.string() });

/** "Save & test". */
grafana.get("/grafana", (c) => c.json({ status: "ok" }));

grafana.post("/grafana/search", async (c) => {
  const { target } = parse(Search, await readJson(c.req.raw), WHAT);
  const query = { prefix: target ?? "", product: c.var.access.product ?? undefined };
  const names = await metricNames(c.env.CATALOG, query);
  return c.json(names.items.map(({ name }) => name));
});

grafana.post("/grafana/metrics", async (c) => {
  const { metric } = parse(Search, await readJson(c.req.raw), WHAT);
  const query = { prefix: metric ?? "", product: c.var.access.product ?? undefined };
  const names = await metricNames(c.env.CATALOG, query);
  const select = (name: string, options: readonly string[]) => ({
    name,
    label: name,
    type: "select",
    options: options.map((value) => ({ label: value, value })),
  });
  const payloads = [
    select("aggregate", AGGREGATES),
    select("by", GROUPINGS),
    { name: "product", label: "product", type: "input" },
  ];
  return c.json(
    names.items.map(({ name, unit }) => ({
      label: unit ? `${name} (${unit})` : name,
      value: name,
      payloads,
    })),
  );
});

grafana.post("/grafana/query", async (c) => {
  const { range, targets, maxDataPoints } = parse(Query, await readJson(c.req.raw), WHAT);
  const buckets = Math.min(maxDataPoints, MAX_POINTS);
  const answers = targets.map(async ({ target, payload, refId }) => {
    const { by, aggregate, ...filter } = payload ?? parse(Payload, {}, WHAT);
    const { items } = await sessionMetrics(c.env.CATALOG, {
      ...filter,
      name: target,
      quantile_steps: isQuantile(aggregate),
      to: range.to, // sessions that started later have no points in the range
      product: c.var.access.product ?? filter.product,
    });
    const asked = { by, buckets, ...range };
    const groups = isQuantile(aggregate)
      ? pointsOf(quantilesOverTime(items, asked).groups, aggregate)
      : pointsOf(overTime(items, asked).groups, aggregate);
    return groups.map(({ group, datapoints }) => ({
      target: group === "" ? target : `${target} ${group}`,
      refId,
      datapoints,
    }));
  });
  return c.json((await Promise.all(answers)).flat());
});

/** Crashes in the range, as marks on a chart. */
grafana.post("/grafana/annotations", async (c) => {
  const { range, annotation = {} } = parse(Annotations, await readJson(c.req.raw), WHAT);
  const { items } = await listSessions(c.env.CATALOG, {
    status: ["crashed"],
    ...range,
    limit: GRAFANA_ANNOTATIONS,
    product: c.var.access.product ?? undefined,
  });
  return c.json(
    items.map((session) => ({
      annotation,
      time: session.ended_at ?? session.updated_at,
      title: `${session.product} ${session.version}`.trim() || session.id,
      text: session.headline,
      tags: ["crashed", ...session.tags],
    })),
  );
});

grafana.post("/grafana/tag-keys", (c) =>
  c.json(["product", "version", "status"].map((text) => ({ type: "string", text }))),
);

grafana.post("/grafana/tag-values", async (c) => {
  const { key } = parse(TagValues, await readJson(c.req.raw), WHAT);
  return c.json(
    (await valuesOf(c.env.CATALOG, key, c.var.access.product)).map((text) => ({ text })),
  );
});

/** Dashboard variables: the target is one of product, version, status, metric. */
grafana.post("/grafana/variable", async (c) => {
  const { payload } = parse(Variable, await readJson(c.req.raw), WHAT);
  const values = await valuesOf(c.env.CATALOG, payload.target, c.var.access.product);
  return c.json(values.map((value) => ({ __text: value, __value: value })));
});
const Variable = v.object({ payload: v.object({ target: v.string() }) });

const WHAT = "The body";

function isQuantile(
  aggregate: (typeof AGGREGATES)[number],
): aggregate is (typeof QUANTILES)[number] {
  return QUANTILES.some((each) => each === aggregate);
}

/** Grafana's pairs of value and time. */
function pointsOf<Key extends string>(
  groups: { group: string; steps: ({ at: number } & { [Name in Key]: number | null })[] }[],
  key: Key,
): { group: string; datapoints: [number | null, number][] }[] {
  return groups.map(({ group, steps }) => ({
    group,
    datapoints: steps.map((step): [number | null, number] => [step[key], step.at]),
  }));
}

async function valuesOf(db: D1Database, key: string, product: string | null): Promise<string[]> {
  if (key === "status") return [...STATUS_KINDS];
  if (key === "metric")
    return (await metricNames(db, { product: product ?? undefined })).items.map(({ name }) => name);
  if (key !== "product" && key !== "version") return [];
  return [...new Set((await versions(db, product ?? undefined)).map((row) => asking(row[key])))];
}
