/** A counter that is incremented at a constant rate is drawn as a level line, from the program through the daemon to the chart. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Aggregate } from "../../../daemon/send/aggregate.ts";
import { ChartBuilder } from "../../../src/core/metrics/chart.ts";
import { overTime } from "../../../src/core/comparison/over-time.ts";
import { Projection } from "../../../src/core/session/projection.ts";
import { RollupBuilder } from "../../../src/core/metrics/rollup.ts";
import { append, type Contents, newContents } from "../../../src/core/segments/contents.ts";
import {
  type SegmentSeries,
  summariseSegment,
} from "../../../src/core/segments/segment-summary.ts";
import type { Columns } from "../../../src/core/metrics/columns.ts";
import { summarise } from "../../../src/core/metrics/series.ts";
import type { Metric, Op } from "../../../src/core/wire.ts";

const NOON = Date.UTC(2026, 10, 23, 12);

type Increment = { at: number; delta?: number; value?: number };
type Sent = { lane: string; increments: Increment[] };

/** Increments of one lane in batches that end at these times. */
function batchesOf(lane: string, increments: Increment[], cuts: number[]): Sent[] {
  const ends = [...cuts.toSorted((a, b) => a - b), Infinity];
  return ends
    .map((end, i) => ({
      lane,
      increments: increments.filter(({ at }) => at < end && at >= (ends[i - 1] ?? -Infinity)),
    }))
    .filter((batch) => batch.increments.length > 0);
}

/** The session's segments after these batches arrived, each of so many batches, and the series. */
function stored(batches: Sent[], perSegment: number) {
  const projection = Projection.open("s", NOON, { now: NOON, sentAt: null });
  const sequences = new Map<string, number>();
  const segments: Contents[] = [];
  batches.forEach(({ lane, increments }, i) => {
    const ops: Op[] = [];
    const aggregate = new Aggregate(ops);
    for (const increment of increments) {
      const metric: Metric = { op: "metric", type: "counter", name: "pixels", ...increment };
      aggregate.add(metric);
    }
    const first = (sequences.get(lane) ?? 0) + 1;
    const last = first + increments.length - 1;
    sequences.set(lane, last);
    const batch = {
      session: "s",
      lane,
      first,
      last,
      ops: JSON.parse(JSON.stringify(ops)) as Op[],
      aggregated: increments.length,
    };
    const { contents } = projection.apply(batch, { now: NOON + 86_400_000, sentAt: null });
    if (i % perSegment === 0) segments.push(newContents());
    append(segments.at(-1) ?? newContents(), contents);
  });
  const [series] = projection.index.series;
  if (!series) throw new Error("no series");
  return {
    series,
    segments: segments.flatMap((contents) => {
      const columns = contents.series.get(series.id);
      const [summary] = summariseSegment(contents, () => series).series;
      if (!columns || !summary) return [];
      return [{ columns, summary: JSON.parse(JSON.stringify(summary)) as SegmentSeries }];
    }),
  };
}

function read({ at, fields }: Columns) {
  return {
    at: Float64Array.from(at),
    fields: fields.map((field) => Float64Array.from(field)),
  };
}

type Drawn = { from: number; to: number; buckets: number; perSegment: number };

/** All rates of the chart, of its buckets that are a second or longer, and of the catalog's chart. */
function ratesOf(batches: Sent[], { from, to, buckets, perSegment }: Drawn): number[] {
  const { series, segments } = stored(batches, perSegment);
  const chart = new ChartBuilder(series, from, to, buckets);
  const range = { from: series.firstAt, to: series.lastAt, points: series.points };
  const rollup = new RollupBuilder(series, range);
  for (const { columns, summary } of segments) {
    if (!chart.addSummary(summary)) chart.addColumns(read(columns));
    if (!rollup.addSummary(summary)) rollup.add(read(columns));
  }
  const rates = (chart.rates() ?? []).map(({ rate }) => rate);
  const isWide = (to - from) / buckets >= 1_000;
  if (isWide) rates.push(...chart.buckets().flatMap(({ rate }) => (rate ? [rate] : [])));
  const { rate } = summarise(series);
  if (rate !== undefined) rates.push(rate);
  const across = overTime(
    [
      {
        session: {
          id: "s",
          product: "",
          version: "",
          status: "ended",
          machine_id: "",
          hostname: "",
          created_at: NOON,
        },
        type: "counter",
        points: series.points,
        count: series.points,
        sum: 0,
        sum_low: 0,
        sum_scale: 1,
        deviation: 0,
        min: series.min,
        max: series.max,
        first: series.first,
        last: series.last,
        first_at: series.firstAt,
        last_at: series.lastAt,
        increase: series.increase ?? 0,
        distribution: null,
        rollup: rollup.rollup,
        quantile_steps: null,
      },
    ],
    { axis: "elapsed" },
  );
  for (const step of across.groups[0]?.steps ?? []) if (step.rate !== null) rates.push(step.rate);
  return rates;
}

function expectLevel(rates: number[], truth: number, share = 0.05) {
  expect(rates.length).toBeGreaterThan(0);
  const [least, most] = [Math.min(...rates), Math.max(...rates)];
  const isLevel = least >= truth * (1 - share) && most <= truth * (1 + share);
  expect({ least, most, truth, isLevel }).toEqual({ least, most, truth, isLevel: true });
}

const chance = (seed: number) => () => {
  seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
  return seed / 2 ** 31;
};

/** 60 frames a second, each adding 320 to 350, at whole milliseconds. */
function frames(seconds: number, seed: number, start = NOON): Increment[] {
  const random = chance(seed);
  return Array.from({ length: seconds * 60 }, (_, i) => ({
    at: Math.round(start + (i * 1_000) / 60),
    delta: 320 + Math.floor(random() * 31),
  }));
}
const FRAME_RATE = 335 * 60;

const cuts = (seconds: number) =>
  fc.array(fc.integer({ min: 0, max: seconds * 1_000 }), { maxLength: 30 });
const drawn = fc
  .tuple(
    fc.nat(20_000),
    fc.integer({ min: 2_000, max: 40_000 }),
    fc.integer({ min: 1, max: 600 }),
    fc.integer({ min: 1, max: 7 }),
  )
  .map(([since, length, buckets, perSegment]): Drawn => ({
    from: NOON + since,
    to: NOON + since + length,
    buckets,
    perSegment,
  }));

test("wherever batches, segments, buckets and the range end", () => {
  fc.assert(
    fc.property(cuts(30), drawn, fc.nat(1_000), (ends, chart, seed) => {
      const batches = batchesOf(
        "a",
        frames(30, seed),
        ends.map((ms) => NOON + ms),
      );
      expectLevel(ratesOf(batches, chart), FRAME_RATE);
    }),
    { numRuns: 100 },
  );
});

test("when two processes add to it, and the batches of one are late", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 8 }), drawn, fc.nat(1_000), (late, chart, seed) => {
      const ends = Array.from({ length: 8 }, (_, i) => NOON + (i + 1) * 5_000);
      const punctual = batchesOf("a", frames(40, seed), ends);
      const delayed = batchesOf(
        "b",
        frames(40, seed + 1, NOON + 300),
        ends.map((end) => end + 700),
      );
      const order = [
        ...punctual.map((batch, i) => ({ batch, at: i })),
        ...delayed.map((batch, i) => ({ batch, at: i + late + 0.5 })),
      ].toSorted((x, y) => x.at - y.at);
      // At its ends only one of them is known to run.
      const [from, to] = [Math.max(chart.from, NOON + 3_000), Math.min(chart.to, NOON + 38_000)];
      const inner = { ...chart, from, to: Math.max(to, from + 2_000) };
      const { series, segments } = stored(
        order.map(({ batch }) => batch),
        chart.perSegment,
      );
      const builder = new ChartBuilder(series, inner.from, inner.to, inner.buckets);
      for (const { columns, summary } of segments)
        if (!builder.addSummary(summary)) builder.addColumns(read(columns));
      expectLevel(
        (builder.rates() ?? []).map(({ rate }) => rate),
        2 * FRAME_RATE,
      );
      expect(series.increase).toBeGreaterThan(0);
    }),
    { numRuns: 60 },
  );
});

test("when batches arrive in another order than they were recorded", () => {
  fc.assert(
    fc.property(fc.infiniteStream(fc.nat()), drawn, fc.nat(1_000), (keys, chart, seed) => {
      // Each from a lane of its own, as from one daemon after another.
      const all = Array.from({ length: 6 }, (_, i) => i).flatMap((i) =>
        batchesOf(`lane-${i}`, frames(5, seed + i, NOON + i * 5_000), []),
      );
      const order = all
        .map((batch) => ({ batch, key: keys.next().value ?? 0 }))
        .toSorted((x, y) => x.key - y.key);
      expectLevel(
        ratesOf(
          order.map(({ batch }) => batch),
          chart,
        ),
        FRAME_RATE,
      );
    }),
    { numRuns: 60 },
  );
});

test("across restarts of a program that sets its total", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 200 }), drawn, (every, chart) => {
      // 10 a point, four points a second, from 10 again after each restart.
      const increments = Array.from({ length: 240 }, (_, i) => ({
        at: NOON + i * 250,
        value: ((i % every) + 1) * 10,
      }));
      const ends = [7_300, 21_000, 40_400].map((ms) => NOON + ms);
      expectLevel(ratesOf(batchesOf("a", increments, ends), chart), 40);
    }),
    { numRuns: 60 },
  );
});

test("when it is incremented rarely", () => {
  fc.assert(
    fc.property(cuts(600), fc.integer({ min: 1_500, max: 90_000 }), (ends, everyMs) => {
      const increments = Array.from({ length: 12 }, (_, i) => ({
        at: NOON + i * everyMs,
        delta: 1,
      }));
      const chart = { from: NOON, to: NOON + 11 * everyMs, buckets: 120, perSegment: 2 };
      const batches = batchesOf(
        "a",
        increments,
        ends.map((ms) => NOON + ms),
      );
      expectLevel(ratesOf(batches, chart), 1_000 / everyMs);
    }),
    { numRuns: 60 },
  );
});
