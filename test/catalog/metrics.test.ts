import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { distribution, overTime, statistics } from "../../src/core/comparison.ts";
import { metricNames, rollups, sessionMetrics } from "../../src/catalog/metrics.ts";
import { publish } from "../../src/catalog/publish.ts";
import { newSketch, packSketch } from "../../src/core/sketch.ts";
import { metric, NOON, publication } from "./publication.ts";

const db = env.CATALOG;

/** A gauge that took these values, one a second, beginning with its session. */
function gauge(name: string, startedAt: number, values: number[], more: object = {}) {
  const sketch = newSketch();
  for (const value of values) sketch.accept(value);
  return metric(name, {
    points: values.length,
    count: values.length,
    sum: values.reduce((a, b) => a + b, 0),
    sum_squares: values.reduce((a, b) => a + b * b, 0),
    min: Math.min(...values),
    max: Math.max(...values),
    first: values[0] ?? 0,
    last: values.at(-1) ?? 0,
    first_at: startedAt,
    last_at: startedAt + (values.length - 1) * 1_000,
    sketch: JSON.stringify(packSketch(sketch)),
    rollup: JSON.stringify({
      from: startedAt,
      step_ms: 1_000,
      count: values.map(() => 1),
      sum: values,
      min: values,
      max: values,
    }),
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

test("only series with all the tags count, and only sessions that pass the filter", async () => {
  const count = async (query: object) =>
    (await sessionMetrics(db, { name: "requests", ...query })).items.length;
  expect(await count({ tags: ["web"] })).toBe(1);
  expect(await count({ tags: ["web", "us"] })).toBe(0);
  expect(await count({ type: "gauge" })).toBe(0);
  expect(await count({ version: "1.0" })).toBe(0);
});

test("metric names come with type and unit, by prefix", async () => {
  expect(await metricNames(db)).toEqual([
    { name: "fps", type: "gauge", unit: "" },
    { name: "requests", type: "counter", unit: "" },
    { name: "rss", type: "gauge", unit: "" },
  ]);
  expect((await metricNames(db, "r")).map((row) => row.name)).toEqual(["requests", "rss"]);
});

test("a list gets the rollup of a metric for each of its sessions", async () => {
  const found = await rollups(db, ["a", "b", "c", "unknown"], "fps");
  expect([...found.keys()].toSorted()).toEqual(["a", "b"]);
  expect(found.get("a")).toMatchObject({ rollup: { max: [60, 58, 20] }, last: 20, unit: "" });
});
