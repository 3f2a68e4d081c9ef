import { describe, expect, test } from "vitest";
import { SEGMENT_BYTES } from "../../../src/core/limits.ts";
import type { Op } from "../../../src/core/wire.ts";
import { bulky, event, gauge, NOON, start, state, World } from "../world.ts";

const points = (at: number, name: string, values: number[], step = 100): Op => ({
  op: "points",
  at,
  type: "gauge",
  name,
  dt: values.map((_, i) => (i === 0 ? 0 : step)),
  values,
});

/** 40,000 points at 100 ms with one spike, noisy enough to fill several segments. */
async function measured() {
  const world = new World();
  await world.send([start()]);
  const all = Array.from({ length: 40_000 }, (_, i) =>
    i === 23_456 ? 9_999 : Math.sin(i) * 50 + 0.001 * i,
  );
  for (let i = 0; i < all.length; i += 2_000)
    await world.send([points(NOON + i * 100, "noise", all.slice(i, i + 2_000))]);
  expect((await world.segments()).filter(({ sealed }) => sealed).length).toBeGreaterThan(3);
  return { world, all };
}

describe("a chart", () => {
  test("has at most the buckets asked for, every point counted, the spike in it, rested or not", async () => {
    const { world, all } = await measured();
    const awake = await world.client.ask("charts", { name: "noise", points: 100 });
    await world.evict();
    const rested = await world.client.ask("charts", { name: "noise", points: 100 });
    expect(JSON.stringify(rested[0]?.buckets)).toBe(JSON.stringify(awake[0]?.buckets));
    const [chart] = rested;
    expect(chart).toMatchObject({ from: NOON, to: NOON + 3_999_900, total: 40_000, points: null });
    const buckets = chart?.buckets ?? [];
    expect(buckets.length).toBeLessThanOrEqual(100);
    expect(buckets.reduce((sum, { count }) => sum + count, 0)).toBe(40_000);
    const spikes = buckets.filter(({ max }) => max === 9_999);
    expect(spikes).toHaveLength(1);
    expect(spikes[0]?.from).toBeLessThanOrEqual(NOON + 2_345_600);
    expect(spikes[0]?.to).toBeGreaterThan(NOON + 2_345_600);
    expect(Math.min(...buckets.map(({ min }) => min))).toBe(Math.min(...all));
  });

  test("of a range counts the points in it: N of M", async () => {
    const { world } = await measured();
    const [chart] = await world.client.ask("charts", {
      name: "noise",
      from: NOON + 100_000,
      to: NOON + 300_000,
      points: 50,
    });
    expect(chart).toMatchObject({ total: 2_001, series: { points: 40_000 } });
    expect(chart?.buckets?.reduce((sum, { count }) => sum + count, 0)).toBe(2_001);
  });

  test("is the raw points when they fit, each exactly as it came", async () => {
    const { world, all } = await measured();
    await world.evict();
    const [chart] = await world.client.ask("charts", {
      name: "noise",
      from: NOON + 2_345_000,
      to: NOON + 2_346_000,
    });
    const expected = all
      .slice(23_450, 23_461)
      .map((value, i) => [NOON + 2_345_000 + i * 100, value]);
    expect(chart).toMatchObject({ total: 11, buckets: null, points: expected });
    const [justFits] = await world.client.ask("charts", {
      name: "noise",
      from: NOON + 2_345_000,
      to: NOON + 2_346_000,
      points: 11,
    });
    expect(justFits?.points).toHaveLength(11);
    const [doesNot] = await world.client.ask("charts", {
      name: "noise",
      from: NOON + 2_345_000,
      to: NOON + 2_346_000,
      points: 10,
    });
    expect(doesNot).toMatchObject({ points: null, total: 11 });
  });

  test("of all bits a double has: exact after eviction", async () => {
    const world = new World();
    const values = [0.1 + 0.2, -0, 5e-324, -1.7976931348623157e308, Math.PI, 1e21, 2 ** 53 + 2];
    await world.send([start(), points(NOON, "odd", values, 1)]);
    await world.evict();
    const [chart] = await world.client.ask("charts", { name: "odd" });
    const restored = chart?.points?.map(([, value]) => value) ?? [];
    expect(restored).toEqual(values.map((value) => value + 0)); // JSON has no minus zero
  });

  test("is chosen by name and tags", async () => {
    const world = new World();
    const tagged = (tags: string[], value: number): Op => ({
      op: "metric",
      at: NOON,
      type: "gauge",
      name: "load",
      tags,
      value,
    });
    await world.send([
      start(),
      tagged(["core:1", "cpu"], 1),
      tagged(["cpu", "core:2"], 2),
      tagged(["cpu", "core:1"], 3),
    ]);
    expect(await world.client.ask("charts", { name: "load", tags: ["core:1"] })).toMatchObject([
      { series: { tags: ["core:1", "cpu"], points: 2 } },
    ]);
    expect(await world.client.ask("charts", { tags: ["cpu"] })).toHaveLength(2);
    expect(await world.client.ask("charts", { name: "nothing" })).toEqual([]);
  });
});

describe("a series' summary", () => {
  test("is the same from memory and from the log, and its quantiles are within 1 %", async () => {
    const { world, all } = await measured();
    const awake = await world.client.ask("series");
    await world.evict();
    expect(await world.client.ask("series")).toEqual(awake);
    const [summary] = awake;
    const sorted = all.toSorted((a, b) => a - b);
    for (const [name, q] of [
      ["p50", 0.5],
      ["p95", 0.95],
      ["p99", 0.99],
    ] as const) {
      const truth = sorted[Math.floor(q * (sorted.length - 1))] ?? NaN;
      expect(Math.abs((summary?.quantiles?.[name] ?? NaN) - truth)).toBeLessThanOrEqual(
        Math.abs(truth) * 0.0101,
      );
    }
    expect(summary).toMatchObject({ points: 40_000, min: Math.min(...all), max: 9_999 });
    expect(summary?.mean).toBeCloseTo(all.reduce((a, b) => a + b) / all.length);
  });

  test("of each type has its statistics", async () => {
    const world = new World();
    await world.send([
      start(),
      { op: "metric", at: NOON, type: "counter", name: "kills", delta: 2, unit: "kills" },
      {
        op: "points",
        at: NOON,
        type: "counter",
        name: "kills",
        dt: [1_000, 1_000],
        values: [3, 5],
      },
      {
        op: "metric",
        at: NOON,
        type: "timer",
        name: "load",
        value: 1.5,
        count: 3,
        unit: "seconds",
        metadata: { level: 1 },
      },
      ...[0.5, 3, 700].map((value): Op => ({
        op: "metric",
        at: NOON,
        type: "histogram",
        name: "size",
        value,
        buckets: [1, 10],
      })),
    ]);
    await world.evict();
    expect(await world.client.ask("series")).toMatchObject([
      {
        name: "kills",
        type: "counter",
        unit: "kills",
        points: 3,
        last: 10,
        rate: 4,
        quantiles: null,
      },
      { name: "load", type: "timer", metadata: { level: 1 }, last: 1.5, quantiles: { p50: 1.5 } },
      {
        name: "size",
        type: "histogram",
        points: 3,
        stddev: null,
        buckets: [
          { le: 1, count: 1 },
          { le: 10, count: 1 },
          { le: null, count: 1 },
        ],
      },
    ]);
    const [timer] = await world.client.ask("charts", { name: "load" });
    expect(timer?.points).toEqual([[NOON, 1.5, 3]]);
  });

  test("has exact quantiles up to a thousand points, and marks those of more", async () => {
    const world = new World();
    const many = Array.from({ length: 1_000 }, (_, i) => (i % 20 === 0 ? 100 : 1));
    await world.send([start(), points(NOON, "steps", many.slice(0, 400), 1)]);
    await world.send([bulky(NOON, SEGMENT_BYTES), bulky(NOON, SEGMENT_BYTES)]); // seals a segment
    await world.send([points(NOON + 400, "steps", many.slice(400), 1)]);
    for (const isRested of [false, true]) {
      if (isRested) await world.evict();
      const [{ quantiles } = { quantiles: null }] = await world.client.ask("series");
      expect(quantiles).toMatchObject({ p50: 1, p99: 100, exact: true });
      expect(quantiles?.p95).toBeCloseTo(5.95, 10);
    }
    await world.send([points(NOON + 2_000, "steps", [1], 1)]);
    expect(await world.client.ask("series")).toMatchObject([{ quantiles: { exact: false } }]);

    const ask = (from: number, to: number) =>
      world.client.ask("charts", { from: NOON + from, to: NOON + to, points: 10, quantiles: true });
    const [few] = await ask(0, 999);
    expect(few).toMatchObject({ total: 1_000, points: null, quantiles: { p50: 1, exact: true } });
    expect(few?.quantiles?.p95).toBeCloseTo(5.95, 10);
    expect(few?.buckets?.[0]?.quantiles).toMatchObject({ p50: 1, exact: true });
    expect(await ask(0, 2_000)).toMatchObject([{ quantiles: { exact: false } }]);
  });

  test("has a deviation that does not vanish, over batches, segments and evictions", async () => {
    const world = new World();
    const START = 1_795_864_000_000;
    await world.send([start()]);
    for (let i = 0; i < 60; i += 10) {
      const values = Array.from({ length: 10 }, (_, k) => START + (i + k) * 1_000);
      await world.send([points(NOON + i * 100, "clock", values), bulky(NOON, SEGMENT_BYTES)]);
      await world.evict();
    }
    await world.send([
      points(NOON, "close", [1e12, 1e12 + 1]),
      points(NOON, "far", [1.7e308, -1.7e308]),
    ]);
    const all = await world.client.ask("series");
    expect(all.find(({ name }) => name === "clock")?.stddev).toBeCloseTo(17_318.102, 3);
    expect(all.find(({ name }) => name === "close")?.stddev).toBe(0.5);
    expect(all.find(({ name }) => name === "far")).toMatchObject({ mean: 0, stddev: 1.7e308 });
  });

  test("and chart of a counter have its rate, whatever is asked, rested or not", async () => {
    const world = new World();
    await world.send([start()]);
    // 100 a second; each batch is sealed in a segment of its own.
    for (let i = 0; i < 6; i++) {
      const counted: Op = {
        op: "points",
        at: NOON + i * 10_000,
        type: "counter",
        name: "hits",
        dt: Array.from({ length: 10 }, () => 1_000),
        values: Array.from({ length: 10 }, () => 100),
      };
      await world.send([counted, bulky(NOON, SEGMENT_BYTES), bulky(NOON, SEGMENT_BYTES)]);
    }
    for (const isRested of [false, true]) {
      if (isRested) await world.evict();
      for (const [from, to, buckets] of [
        [0, 60_000, 600],
        [0, 60_000, 4],
        [12_345, 43_210, 7],
        [20_500, 21_000, 100],
      ] as const) {
        const query = { name: "hits", from: NOON + from, to: NOON + to, points: buckets };
        const [chart] = await world.client.ask("charts", query);
        expect(chart?.series.rate).toBeCloseTo(100);
        expect(chart?.rates?.length).toBeGreaterThan(0);
        for (const { rate } of chart?.rates ?? []) expect(rate).toBeCloseTo(100);
        for (const { rate } of chart?.buckets ?? []) expect(rate).toBeCloseTo(100);
      }
    }
  });

  test("of a histogram has quantiles within their bucket", async () => {
    const world = new World();
    const samples = Array.from({ length: 100 }, (_, i): Op => ({
      op: "metric",
      at: NOON,
      type: "histogram",
      name: "h",
      value: i + 1,
      buckets: [10, 50, 90],
    }));
    await world.send([start(), ...samples]);
    const [summary] = await world.client.ask("series");
    const { p50 = 0, p95 = 0, p99 = 0 } = summary?.quantiles ?? {};
    expect(p50).toBeGreaterThan(10);
    expect(p50).toBeLessThanOrEqual(50);
    expect(p95).toBeGreaterThan(90);
    expect(p99).toBeLessThanOrEqual(100);
    expect(p99).toBeGreaterThanOrEqual(p95);
  });
});

test("a sealed session of regular gauges takes at most 2.5 bytes a point on disk in all", async () => {
  const world = new World();
  await world.send([start()]);
  const POINTS = 200_000;
  for (let i = 0; i < POINTS; i += 4_000) {
    const gauges = ["fps", "memory", "load", "entities"].map((name, n) =>
      points(
        NOON + i * 4,
        name,
        Array.from(
          { length: 1_000 },
          (_, k) => Math.round(600 + 20 * Math.sin((i + k) / 50 + n) + ((k * 7919) % 5)) / 10,
        ),
        16,
      ),
    );
    await world.send(gauges);
  }
  const [sealed] = await world.sql<{ bytes: number; share: number }>(
    "SELECT sum(length(body) + length(session_index) + length(keyframe) + length(summary)) AS bytes, 1 AS share FROM segments WHERE sealed = 1",
  );
  const [left] = await world.sql<{ bytes: number }>(
    "SELECT ifnull(sum(length(body)), 0) AS bytes FROM segments WHERE sealed = 0",
  );
  expect(((sealed?.bytes ?? 0) + (left?.bytes ?? 0)) / POINTS).toBeLessThanOrEqual(2.5);
});

test("the timeline counts everything, each in its place", async () => {
  const world = new World();
  await world.send([start()]);
  for (let i = 0; i < 20; i++) {
    const at = NOON + i * 1_000 + 500;
    await world.send([
      state(at, { i }),
      event(at, "e", i % 5 === 0 ? { exception_type: "E" } : {}),
      { op: "heartbeat", at },
      gauge(at, "g", i),
      gauge(at, "g", i),
    ]);
    if (i % 6 === 5) await world.send([bulky(at, SEGMENT_BYTES), bulky(at, SEGMENT_BYTES)]);
  }
  await world.evict();
  const line = await world.client.ask("timeline", { from: NOON, to: NOON + 20_000, buckets: 20 });
  expect(line).toMatchObject({ from: NOON, to: NOON + 20_000, step_ms: 1_000 });
  expect(line.states).toEqual(Array.from({ length: 20 }, () => 1));
  expect(line.heartbeats).toEqual(line.states);
  expect(line.events).toEqual(line.states.map((_, i) => (i === 5 || i === 11 || i === 17 ? 3 : 1)));
  expect(line.exceptions).toEqual(line.states.map((_, i) => (i % 5 === 0 ? 1 : 0)));
  expect(line.points).toEqual(line.states.map(() => 2));
  const part = await world.client.ask("timeline", {
    from: NOON + 5_000,
    to: NOON + 10_000,
    buckets: 5,
  });
  expect(part.states).toEqual([1, 1, 1, 1, 1]);
});

test("the timeline of many buckets loses no points of a sealed segment, and takes none from outside", async () => {
  const world = new World();
  const ops = Array.from({ length: 61 }, (_, i) => gauge(NOON + i * 1_000, "g", i));
  await world.send([start(), ...ops, bulky(NOON, SEGMENT_BYTES), bulky(NOON, SEGMENT_BYTES)]);
  const sum = async (from: number, to: number) =>
    (
      await world.client.ask("timeline", { from: NOON + from, to: NOON + to, buckets: 240 })
    ).points.reduce((a, b) => a + b);
  expect(await sum(0, 60_000)).toBe(61);
  expect(await sum(0, 600_000)).toBe(61);
  expect(Math.abs((await sum(15_000, 30_000)) - 15)).toBeLessThanOrEqual(1);
});
