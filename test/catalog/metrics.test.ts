import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { distribution, overTime, statistics } from "../../src/catalog/comparison.ts";
import {
  metricNames,
  type SessionMetric,
  sessionMetrics,
  rollups,
} from "../../src/catalog/metrics.ts";
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

test("a metric is summed up over sessions, exactly where that is possible and within 1 % where it is not", async () => {
  const { items, sessions, partial } = await sessionMetrics(db, { name: "fps" });
  expect([sessions, partial]).toEqual([2, false]);
  const [all] = statistics(items);
  expect(all).toMatchObject({
    sessions: 2,
    points: 5,
    count: 5,
    sum: 193,
    mean: 38.6,
    min: -5,
    max: 60,
    rate: null,
  });
  expect(all?.p50).toBeGreaterThan(57.4);
  expect(all?.p50).toBeLessThan(58.6);
  const mean = 193 / 5;
  expect(all?.stddev).toBeCloseTo(
    Math.sqrt([60, 58, 20, 60, -5].reduce((sum, x) => sum + (x - mean) ** 2, 0) / 5),
  );
  expect(statistics(items, "version").map(({ group, points }) => [group, points])).toEqual([
    ["game 1.0", 3],
    ["game 2.0", 2],
  ]);
});

test("over clock time sessions lie where they were; over elapsed time they begin together", async () => {
  const { items } = await sessionMetrics(db, { name: "fps" });
  const clock = overTime(items, { buckets: 3_602 });
  expect(clock.groups[0]?.steps.map((step) => (step.at - NOON) / 1_000)).toEqual([
    0, 1, 2, 3_600, 3_601,
  ]);
  const elapsed = overTime(items, { axis: "elapsed", buckets: 3 });
  expect(elapsed).toMatchObject({ from: 0, to: 3_000, step_ms: 1_000 });
  expect(elapsed.groups[0]?.steps).toMatchObject([
    { at: 0, count: 2, mean: 60 },
    { at: 1_000, count: 2, mean: 26.5, min: -5, max: 58 },
    { at: 2_000, count: 1, mean: 20 },
  ]);
});

test("a counter has its increase per second", async () => {
  const { items } = await sessionMetrics(db, { name: "requests" });
  expect(statistics(items)[0]).toMatchObject({ total: 20, rate: 10 });
  expect(
    overTime(items, { axis: "elapsed", buckets: 3 }).groups[0]?.steps.map((step) => step.rate),
  ).toEqual([0, 5, 15]);
});

/** A counter that rises by `each` a second, in buckets of `bucketMs`, in as many sessions as there are starts. */
function counters(starts: number[], each: number, bucketMs: number, seconds: number) {
  const [item] = requests;
  if (!item) throw new Error("no counter was published");
  return starts.map((start, index) => {
    const buckets = Array.from({ length: (seconds * 1_000) / bucketMs }, (_, n) => n);
    const total = (n: number) => (n * bucketMs * each) / 1_000;
    return {
      ...item,
      session: { ...item.session, id: `s${index}`, created_at: start },
      first: each,
      last: each * seconds,
      first_at: start + 1_000,
      last_at: start + seconds * 1_000,
      rollup: {
        from: start,
        step_ms: bucketMs,
        count: buckets.map(() => bucketMs / 1_000),
        sum: buckets.map((n) => total(n + 1)),
        min: buckets.map((n) => total(n) + each),
        max: buckets.map((n) => total(n + 1)),
      },
    };
  });
}
let requests: SessionMetric[] = [];
beforeAll(async () => {
  requests = (await sessionMetrics(db, { name: "requests" })).items;
});

test("a counter's rate is that of a session, however many sessions there are", () => {
  const hour = 3_600_000;
  for (const starts of [[NOON], [NOON, NOON + 500, NOON + hour, NOON + hour + 20_000]]) {
    const items = counters(starts, 3, 1_000, 60);
    expect(statistics(items)[0]?.rate).toBeCloseTo(3);
    const { groups } = overTime(items, { axis: "elapsed" });
    for (const { at, rate } of groups[0]?.steps.slice(1) ?? []) {
      expect({ at, rate }).toEqual({ at, rate: expect.closeTo(3) });
    }
  }
});

test("a session's series of one counter add up, over the same time", () => {
  const [web, worker] = counters([NOON, NOON], 3, 1_000, 60);
  const items = [web, worker].flatMap((item) => (item ? [item] : []));
  const ofOne = items.map((item) => ({ ...item, session: { ...item.session, id: "one" } }));
  expect(statistics(ofOne)[0]?.rate).toBeCloseTo(6);
  expect(overTime(ofOne).groups[0]?.steps[5]?.rate).toBeCloseTo(6);
});

test("a steady counter is drawn as a level line, whatever the width of buckets and steps", () => {
  for (const [bucketMs, buckets] of [
    [1_000, 100],
    [2_000, 120],
    [4_000, 7],
  ] as const) {
    const { groups } = overTime(counters([NOON], 3, bucketMs, 120), { axis: "elapsed", buckets });
    const [, ...steps] = groups[0]?.steps ?? [];
    expect(steps.length).toBeGreaterThan(4);
    for (const { rate } of steps) expect(rate).toBeCloseTo(3);
    // All but the last, which the session does not fill, hold equally many points.
    expect(new Set(steps.slice(0, -1).map(({ count }) => count)).size).toBe(1);
  }
});

test("what a counter rose by between two points is spread over the time between them", () => {
  const [item] = counters([NOON], 3, 1_000, 60);
  const rollup = item?.rollup;
  if (!rollup) throw new Error("no rollup");
  const isSaid = (n: number) => n % 10 === 9;
  const min = rollup.min.map((value, n) => (isSaid(n) ? value : null));
  const max = rollup.max.map((value, n) => (isSaid(n) ? value : null));
  const count = rollup.count.map((value, n) => (isSaid(n) ? value : 0));
  const rare = { ...item, first_at: NOON + 9_500, rollup: { ...rollup, count, min, max } };
  const { groups } = overTime([rare], { axis: "elapsed", buckets: 60 });
  expect(groups[0]?.steps.slice(1).map(({ rate }) => Math.round(rate ?? 0))).toEqual([
    3, 3, 3, 3, 3,
  ]);
});

test("a distribution counts every value once, in the bar where it lies", async () => {
  const { items } = await sessionMetrics(db, { name: "fps" });
  const bars = distribution(items, 13); // at least 5 wide: -5…60
  expect(bars.map((bar) => bar.count)).toEqual([1, 1, 3]);
  expect(bars.map(({ from, to }) => [Math.round(from), Math.round(to)])).toEqual([
    [-5, 0],
    [20, 25],
    [55, 60],
  ]);
  expect(bars.at(0)?.from).toBe(-5);
  expect(bars.at(-1)?.to).toBe(60);
});

test("values without gaps make bars without gaps, also where a bar is finer than the sketch", async () => {
  const sketch = newSketch();
  for (let value = 50; value < 70; value += 0.01) sketch.accept(value);
  const { items } = await sessionMetrics(db, { name: "rss" });
  const bars = distribution(
    items.map((item) => ({ ...item, sketch: packSketch(sketch) })),
    400,
  );
  expect(bars.reduce((sum, bar) => sum + bar.count, 0)).toBe(sketch.count);
  expect(bars.slice(1).every((bar, index) => bar.from - (bars[index]?.to ?? 0) < 1e-9)).toBe(true);
  expect(bars.every((bar) => bar.to - bar.from < 2)).toBe(true);
});

test("time since the start begins with the session, wherever the rollup's first bucket does", async () => {
  const { items } = await sessionMetrics(db, { name: "fps" });
  const early = items.map(({ session, ...item }) => ({
    ...item,
    session: { ...session, created_at: session.created_at + 900 },
  }));
  const { from, groups } = overTime(early, { axis: "elapsed" });
  expect([from, groups[0]?.steps[0]?.at]).toEqual([0, 0]);
  expect(groups[0]?.steps.reduce((sum, step) => sum + step.count, 0)).toBe(5);
});

test("no session, no statistics", async () => {
  const { items } = await sessionMetrics(db, { name: "nothing" });
  expect([statistics(items), distribution(items), overTime(items).groups]).toEqual([[], [], []]);
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
