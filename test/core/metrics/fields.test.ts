/** Random queries over random series, compared with predicates that use neither the parser nor the evaluation. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { SeriesSummary } from "../../../src/core/answers/metrics.ts";
import {
  METRIC_LIST,
  metricsPassing,
  SERIES_LIST,
  seriesPassing,
} from "../../../src/core/metrics/fields.ts";
import { parseQueryOf } from "../../../src/core/query/parse.ts";
import { METRIC_TYPES } from "../../../src/core/vocabulary.ts";
import { type Case, queriesOf } from "../query/cases.ts";

const value = fc.integer({ min: -5, max: 100 });
const series: fc.Arbitrary<SeriesSummary> = fc
  .record({
    name: fc.constantFrom("fps", "frame.time", "bytes sent", "Größe"),
    type: fc.constantFrom(...METRIC_TYPES),
    unit: fc.constantFrom("", "ms", "1/s"),
    tags: fc.constantFrom<string[]>(
      [],
      ["main"],
      ["device:gpu", "main"],
      ["device:cpu"],
      ["device"],
    ),
    points: fc.integer({ min: 1, max: 2_000 }),
    low: value,
    high: value,
    hasQuantiles: fc.boolean(),
  })
  .map(({ low, high, hasQuantiles, ...rest }) => {
    const isCounter = rest.type === "counter";
    const [min, max] = [Math.min(low, high), Math.max(low, high)];
    const mean = (min + max) / 2;
    return {
      ...rest,
      id: 1,
      metadata: null,
      first_at: 0,
      last_at: 1,
      first: low,
      last: high,
      min,
      max,
      mean,
      stddev: rest.type === "histogram" ? null : max - min,
      sum: mean * rest.points,
      ...(isCounter && { rate: max - min }),
      quantiles:
        isCounter || !hasQuantiles ? null : { p50: mean, p95: max - 1, p99: max, exact: true },
    };
  });

const leaves: Case<SeriesSummary>[] = [
  { text: "name:fps", of: ({ name }) => name === "fps" },
  { text: "metric:f*", of: ({ name }) => name.startsWith("f") },
  { text: 'name:"bytes sent",fps', of: ({ name }) => name === "bytes sent" || name === "fps" },
  { text: "type:counter,timer", of: ({ type }) => type === "counter" || type === "timer" },
  { text: "type:!gauge", of: ({ type }) => type !== "gauge" },
  { text: "unit:ms", of: ({ unit }) => unit === "ms" },
  { text: "unit:*", of: ({ unit }) => unit !== "" },
  { text: "unit:!ms", of: ({ unit }) => unit === "1/s" },
  { text: "tag:main", of: ({ tags }) => tags.includes("main") },
  { text: "tag.device", of: ({ tags }) => tags.some((tag) => tag.startsWith("device")) },
  { text: "tag.device:gpu", of: ({ tags }) => tags.includes("device:gpu") },
  { text: "-tag.device", of: ({ tags }) => tags.length === 0 || tags[0] === "main" },
  { text: "points:>1000", of: ({ points }) => points > 1_000 },
  { text: "min:<0", of: ({ min }) => min < 0 },
  { text: "max:10..50", of: ({ max }) => max >= 10 && max <= 50 },
  { text: "mean:>=30", of: ({ mean, type }) => type !== "counter" && mean >= 30 },
  { text: "mean:!0", of: ({ mean, type }) => type !== "counter" && mean !== 0 },
  {
    text: "stddev:>20",
    of: (s) => !["counter", "histogram"].includes(s.type) && s.max - s.min > 20,
  },
  { text: "sum:<1e3", of: ({ sum, type }) => type !== "counter" && sum < 1_000 },
  { text: "first:0..9", of: ({ first }) => first >= 0 && first <= 9 },
  { text: "last:-1", of: ({ last }) => last === -1 },
  { text: "rate:>1.5", of: ({ rate }) => (rate ?? 0) > 1.5 },
  { text: "p50:>40", of: ({ quantiles }) => (quantiles?.p50 ?? 0) > 40 },
  { text: "p95:<30", of: ({ quantiles }) => quantiles !== null && quantiles.p95 < 30 },
  { text: "-p99:*", of: ({ quantiles }) => quantiles === null },
  { text: "FRAME", of: ({ name }) => name === "frame.time" },
  { text: "GRÖSSE", of: ({ name }) => name === "Größe" },
  { text: "gpu", of: ({ tags }) => tags.includes("device:gpu") },
  { text: "counter", of: ({ type }) => type === "counter" },
];

const found = (text: string, all: SeriesSummary[]) =>
  seriesPassing(all, parseQueryOf(SERIES_LIST, text, 0));

test.each(leaves)("$text", ({ text, of }) => {
  fc.assert(
    fc.property(series, (one) => {
      expect(found(text, [one]), JSON.stringify(one)).toEqual(of(one) ? [one] : []);
    }),
    { numRuns: 300 },
  );
});

test("a query finds the series that it means", () => {
  fc.assert(
    fc.property(queriesOf(leaves), fc.array(series, { maxLength: 20 }), ({ text, of }, all) => {
      expect(found(text, all), text).toEqual(all.filter(of));
    }),
    { numRuns: 2_000 },
  );
});

test("without a query all series pass", () => {
  fc.assert(fc.property(fc.array(series), (all) => seriesPassing(all, undefined) === all));
});

const OF_NAMES = /^-?(name|metric|type|unit|[^:]+$)/;

test("a query finds the metrics of all sessions that it means", () => {
  const some = leaves.filter(({ text }) => OF_NAMES.test(text) && !/tag|gpu/.test(text));
  expect(some.length).toBeGreaterThan(8);
  fc.assert(
    fc.property(queriesOf(some), fc.array(series, { maxLength: 20 }), ({ text, of }, all) => {
      const query = parseQueryOf(METRIC_LIST, text, 0);
      expect(metricsPassing(all, query), text).toEqual(all.filter(of));
    }),
    { numRuns: 500 },
  );
  expect(() => parseQueryOf(METRIC_LIST, "p95:>3", 0)).toThrow("There is no field p95");
});
