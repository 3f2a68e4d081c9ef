import fc from "fast-check";
import { expect, test } from "vitest";
import { ChartBuilder } from "../../../src/core/metrics/chart.ts";
import { summariseSegment } from "../../../src/core/segments/segment-summary.ts";
import { newContents } from "../../../src/core/segments/contents.ts";
import type { ReadColumns } from "../../../src/core/segments/segment-reader.ts";
import { newSeries } from "../../../src/core/metrics/series.ts";
import type { MetricType } from "../../../src/core/vocabulary.ts";

type Row = { at: number; fields: number[] };

function columnsOf(rows: Row[]): ReadColumns {
  const width = Math.max(0, ...rows.map(({ fields }) => fields.length));
  return {
    at: Float64Array.from(rows, ({ at }) => at),
    fields: Array.from({ length: width }, (_, i) =>
      Float64Array.from(rows, ({ fields }) => fields[i] ?? 0),
    ),
  };
}

/** The summary as a sealed segment stores it: through JSON. */
function summaryOf(type: MetricType, rows: Row[]) {
  const { at, fields } = columnsOf(rows);
  const series = newSeries(
    0,
    { op: "metric", at: 0, type, name: "x" },
    type === "histogram" ? [1] : [],
  );
  const contents = newContents();
  contents.series.set(0, { at: [...at], fields: fields.map((field) => [...field]) });
  const [summary] = structuredClone(
    JSON.parse(JSON.stringify(summariseSegment(contents, () => series))),
  ).series;
  return summary;
}

const gauge: fc.Arbitrary<Row> = fc.record({
  at: fc.integer({ min: 0, max: 1_000 }),
  fields: fc.tuple(fc.integer({ min: -50, max: 50 })),
});
const histogram: fc.Arbitrary<Row> = fc
  .record({
    at: fc.integer({ min: 0, max: 1_000 }),
    samples: fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 5 }),
  })
  .map(({ at, samples }) => ({
    at,
    fields: [
      samples.length,
      samples.reduce((a, b) => a + b, 0),
      Math.min(...samples),
      Math.max(...samples),
      0,
      0,
    ],
  }));

/** The expected bucket, by filtering and sorting. */
function naive(type: MetricType, rows: Row[], from: number, to: number, buckets: number) {
  const width = (to - from) / buckets || 1;
  return Array.from({ length: buckets }, (_, i) => {
    const inside = rows.filter(
      ({ at }) =>
        at >= from && at <= to && Math.min(buckets - 1, Math.floor((at - from) / width)) === i,
    );
    if (inside.length === 0) return [];
    const samples = inside.map(({ at, fields: [a = 0, b = 0, c = 0, d = 0] }) =>
      type === "histogram"
        ? { at, value: b / a, sum: b, weight: a, min: c, max: d }
        : { at, value: a, sum: a, weight: 1, min: a, max: a },
    );
    const inTime = samples.toSorted((x, y) => x.at - y.at);
    const total = (key: "sum" | "weight") => samples.reduce((sum, one) => sum + one[key], 0);
    return [
      {
        from: from + i * width,
        to: from + i * width + width,
        count: inside.length,
        min: Math.min(...samples.map(({ min }) => min)),
        max: Math.max(...samples.map(({ max }) => max)),
        mean: total("sum") / total("weight"),
        first: inTime[0]?.value,
        last: inTime.at(-1)?.value,
        first_at: inTime[0]?.at,
        last_at: inTime.at(-1)?.at,
      },
    ];
  }).flat();
}

test.each([
  ["gauge", gauge],
  ["histogram", histogram],
] as const)("a chart of a %s by summaries is the chart of all its points", (type, row) => {
  const segments = fc.array(
    // Mostly in time order, as segments are, so that summaries get used.
    fc
      .tuple(fc.nat(1_000), fc.array(row, { minLength: 1, maxLength: 8 }))
      .map(([start, rows]) => rows.map((one) => ({ ...one, at: start + (one.at % 40) }))),
    { maxLength: 12 },
  );
  let used = 0;
  fc.assert(
    fc.property(
      segments,
      fc.nat(1_000),
      fc.nat(1_100),
      fc.integer({ min: 1, max: 40 }),
      (parts, a, b, buckets) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const chart = new ChartBuilder({ type, bounds: [1] }, from, to, buckets);
        for (const rows of parts)
          if (chart.addSummary(summaryOf(type, rows))) used++;
          else chart.addColumns(columnsOf(rows));
        const expected = naive(type, parts.flat(), from, to, buckets);
        const drawn = chart.buckets();
        expect(drawn.length).toBeLessThanOrEqual(buckets);
        expect(chart.total).toBe(parts.flat().filter(({ at }) => at >= from && at <= to).length);
        expect(drawn.map((bucket) => ({ ...bucket, mean: 0 }))).toEqual(
          expected.map((bucket) => ({ ...bucket, mean: 0 })),
        );
        drawn.forEach(({ mean }, i) => expect(mean).toBeCloseTo(expected[i]?.mean ?? NaN));
      },
    ),
    { numRuns: 1_000 },
  );
  expect(used).toBeGreaterThan(1_000);
});

test("one outlier among a million points is visible", () => {
  const SEGMENT = 10_000;
  const chart = new ChartBuilder({ type: "gauge" }, 0, 999_999, 500);
  for (let start = 0; start < 1_000_000; start += SEGMENT) {
    const rows = Array.from({ length: SEGMENT }, (_, i) => ({
      at: start + i,
      fields: [start + i === 654_321 ? 1e6 : 60],
    }));
    if (!chart.addSummary(summaryOf("gauge", rows))) chart.addColumns(columnsOf(rows));
  }
  expect(chart.total).toBe(1_000_000);
  const spikes = chart.buckets().filter(({ max }) => max === 1e6);
  expect(spikes).toHaveLength(1);
  expect(spikes[0]?.from).toBeLessThanOrEqual(654_321);
  expect(spikes[0]?.to).toBeGreaterThan(654_321);
});

test("points of one time are in one bucket", () => {
  const chart = new ChartBuilder({ type: "gauge" }, 5, 5, 10);
  chart.addColumns(
    columnsOf([
      { at: 5, fields: [1] },
      { at: 5, fields: [3] },
    ]),
  );
  expect(chart.buckets()).toEqual([
    {
      from: 5,
      to: 6,
      count: 2,
      min: 1,
      max: 3,
      mean: 2,
      first: 1,
      last: 3,
      first_at: 5,
      last_at: 5,
    },
  ]);
});

test("the mean of huge values is a number", () => {
  const chart = new ChartBuilder({ type: "gauge" }, 0, 1, 1);
  const max = Number.MAX_VALUE;
  chart.addColumns(
    columnsOf([max, max, max].map((value, at) => ({ at: at / 2, fields: [value] }))),
  );
  expect(Number.isFinite(chart.buckets()[0]?.mean)).toBe(true);
});

test("a counter's total at a time is the sum of the changes until then, whatever their order of arrival", () => {
  // Of several processes, whose batches come one after the other.
  const lane = fc.array(fc.tuple(fc.nat(1_000), fc.integer({ min: 1, max: 9 })), { maxLength: 9 });
  fc.assert(
    fc.property(
      fc.array(lane, { maxLength: 8 }),
      fc.nat(900),
      fc.integer({ min: 1, max: 40 }),
      fc.boolean(),
      (batches, from, buckets, keepsPoints) => {
        const chart = new ChartBuilder({ type: "counter", fromZero: true }, from, 1_000, buckets);
        let total = 0;
        const raw: [number, number][] = [];
        for (const batch of batches) {
          const rows = batch
            .toSorted((a, b) => a[0] - b[0])
            .map(([at, delta]) => ({
              at,
              fields: [(total += delta)],
            }));
          for (const { at, fields } of rows) if (at >= from) raw.push([at, fields[0] ?? 0]);
          // Points are only known of segments that were opened; those outside the range never are.
          const isOpened = rows.length === 0 || (keepsPoints && rows.some(({ at }) => at >= from));
          if (isOpened || !chart.addSummary(summaryOf("counter", rows)))
            chart.addColumns(columnsOf(rows));
        }
        const all = batches.flat();
        const until = (end: number) =>
          all.reduce((sum, [at, delta]) => sum + (at <= end ? delta : 0), 0);
        for (const { first, last, last_at, min, max } of chart.buckets()) {
          expect(last).toBe(until(last_at));
          expect([min, max]).toEqual([first, last]);
        }
        if (!keepsPoints || raw.length > buckets) return;
        const points = chart.inTime(raw);
        points.forEach(([at, value], i) => {
          if (at !== points[i + 1]?.[0]) expect(value).toBe(until(at));
        });
      },
    ),
    { numRuns: 300 },
  );
});
