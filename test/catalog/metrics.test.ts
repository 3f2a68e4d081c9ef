import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { distribution } from "../../src/core/metrics/bars.ts";
import { overTime, quantilesOverTime } from "../../src/core/comparison/over-time.ts";
import { statistics } from "../../src/core/comparison/statistics.ts";
import { metricNames, rollups, sessionMetrics } from "../../src/catalog/metrics.ts";
import { publish } from "../../src/catalog/publication/publish.ts";
import { addValues, newMoments } from "../../src/core/metrics/moments.ts";
import { RollupBuilder } from "../../src/core/metrics/rollup.ts";
import { metric, NOON, publication } from "./publication.ts";

const db = env.CATALOG;

/** A gauge that took these values, one a second, beginning with its session. */
function gauge(name: string, startedAt: number, values: number[], more: object = {}) {
  const moments = newMoments();
  addValues(moments, values);
  const builder = new RollupBuilder({ type: "gauge" });
  const at = Float64Array.from(values, (_, i) => startedAt + i * 1_000);
  builder.add({ at, fields: [Float64Array.from(values)] });
  return metric(name, {
    points: values.length,
    count: values.length,
    sum: moments.sum,
    sum_low: moments.low,
    sum_scale: moments.scale,
    deviation: moments.deviation,
    min: Math.min(...values),
    max: Math.max(...values),
    first: values[0] ?? 0,
    last: values.at(-1) ?? 0,
    first_at: startedAt,
    last_at: startedAt + (values.length - 1) * 1_000,
    distribution: JSON.stringify(builder.distribution().pack()),
    rollup: JSON.stringify(builder.rollup),
    quantile_steps: JSON.stringify(builder.quantileSteps()),
    ...more,
  });
}

beforeAll(async () => {
  const hour = NOON + 3_600_000;
  await publish(
    db,
    publication("a", {
      session: { version: "1.0" },
      metrics: [gauge("fps", NOON, [60, 58, 20]), gauge("rss", NOON, [1])],
    }),
  );
  await publish(
    db,
    publication("b", {
      session: { version: "2.0", created_at: hour },
      metrics: [gauge("fps", hour, [60, -5])],
    }),
  );
  await publish(
    db,
    publication("c", {
      session: { version: "2.0", created_at: hour },
      metrics: [gauge("requests", hour, [0, 5, 20], { type: "counter", tags: '["eu","web"]' })],
    }),
  );
});

test("a metric's series come whole, of all sessions that have it", async () => {
  const { items, sessions, partial } = await sessionMetrics(db, { name: "fps" });
  expect([sessions, partial]).toEqual([2, false]);
  expect(statistics(items)).toMatchObject([
    { sessions: 2, points: 5, count: 5, sum: 193, mean: 38.6, min: -5, max: 60, rate: null },
  ]);
  expect(statistics(items, "version").map(({ group, points }) => [group, points])).toEqual([
    ["game 1.0", 3],
    ["game 2.0", 2],
  ]);
  expect(overTime(items, { axis: "elapsed", buckets: 3 }).groups[0]?.steps).toHaveLength(3);
  expect(distribution(items)).not.toEqual([]);
});

test("quantiles over time come when they are asked for", async () => {
  const { items } = await sessionMetrics(db, { name: "fps" });
  expect(items.map(({ quantile_steps }) => quantile_steps)).toEqual([null, null]);
  const asked = await sessionMetrics(db, { name: "fps", quantile_steps: true });
  expect(quantilesOverTime(asked.items, { axis: "elapsed" }).groups[0]?.steps).toMatchObject([
    { at: 0, count: 5, p50: 58, exact: true },
  ]);
});

test("only series with all the tags count, and only sessions that pass the filter", async () => {
  const count = async (query: object) =>
    (await sessionMetrics(db, { name: "requests", ...query })).items.length;
  expect(await count({ tags: ["web"] })).toBe(1);
  expect(await count({ tags: ["web", "us"] })).toBe(0);
  expect(await count({ type: "gauge" })).toBe(0);
  expect(await count({ version: "1.0" })).toBe(0);
});

test("metric names come with type and unit, by prefix", async () => {
  expect((await metricNames(db)).items).toEqual([
    { name: "fps", type: "gauge", unit: "" },
    { name: "requests", type: "counter", unit: "" },
    { name: "rss", type: "gauge", unit: "" },
  ]);
  expect((await metricNames(db, { prefix: "r" })).items.map((row) => row.name)).toEqual([
    "requests",
    "rss",
  ]);
});

test("a list gets the rollup of a metric for each of its sessions", async () => {
  const found = await rollups(db, ["a", "b", "c", "unknown"], "fps");
  expect([...found.keys()].toSorted()).toEqual(["a", "b"]);
  expect(found.get("a")).toMatchObject({ rollup: { max: [60, 58, 20] }, last: 20, unit: "" });
});

test("the largest and smallest doubles come as they were published", async () => {
  const { MAX_VALUE: most, MIN_VALUE: least } = Number;
  const values = [most, -most, most, least, 1.7e308, 0.1 + 0.2];
  const metrics = [gauge("extremes", NOON, values)];
  await publish(db, publication("extremes", { metrics }));
  const [item] = (await sessionMetrics(db, { name: "extremes" })).items;
  expect(item).toMatchObject({ ...metrics[0], ...JSON_COLUMNS });
  expect(item?.distribution?.sketch).toEqual(values);
});
const JSON_COLUMNS = {
  tags: [],
  rollup: expect.anything(),
  distribution: expect.anything(),
  quantile_steps: null,
};
