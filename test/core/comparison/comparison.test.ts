/** What sessions' series add up to: exact where that is possible, within 1 % where it is not. */
import { expect, test } from "vitest";
import { distribution } from "../../../src/core/metrics/bars.ts";
import type { ComparedSeries } from "../../../src/core/comparison/comparison.ts";
import { overTime, quantilesOverTime } from "../../../src/core/comparison/over-time.ts";
import { statistics } from "../../../src/core/comparison/statistics.ts";
import { RESET } from "../../../src/core/metrics/rate.ts";
import { RollupBuilder } from "../../../src/core/metrics/rollup.ts";
import { exactDeviation } from "../exact.ts";
import { HOUR, NOON, series } from "./series.ts";

const fps = [
  series("b", NOON + HOUR, [60, -5], { session: { version: "2.0" } }),
  series("a", NOON, [60, 58, 20]),
];
const requests = series("c", NOON + HOUR, [0, 5, 20], {
  type: "counter",
  session: { version: "2.0" },
});

test("sums, extremes and deviation of a group are exact, and quantiles of few values", () => {
  const [all] = statistics(fps);
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
  expect(all).toMatchObject({ p50: 58, p99: 60, quantiles_exact: true });
  expect(all?.stddev).toBeCloseTo(exactDeviation([60, 58, 20, 60, -5]), 12);
  expect(statistics(fps, "version").map(({ group, points }) => [group, points])).toEqual([
    ["game 1.0", 3],
    ["game 2.0", 2],
  ]);
});

test("by clock time steps are at their own times, by elapsed time all sessions begin at 0", () => {
  const clock = overTime(fps, { buckets: 3_602 });
  expect(clock.groups[0]?.steps.map((step) => (step.at - NOON) / 1_000)).toEqual([
    0, 1, 2, 3_600, 3_601,
  ]);
  const elapsed = overTime(fps, { axis: "elapsed", buckets: 3 });
  expect(elapsed).toMatchObject({ from: 0, to: 3_000, step_ms: 1_000 });
  expect(elapsed.groups[0]?.steps).toMatchObject([
    { at: 0, count: 2, mean: 60 },
    { at: 1_000, count: 2, mean: 26.5, min: -5, max: 58 },
    { at: 2_000, count: 1, mean: 20 },
  ]);
});

test("a counter has its increase per second", () => {
  expect(statistics([requests])[0]).toMatchObject({ total: 20, rate: 10 });
  expect(
    overTime([requests], { axis: "elapsed", buckets: 3 }).groups[0]?.steps.map((step) => step.rate),
  ).toEqual([5, 15, null]); // after the last point nothing is known
});

/** A counter that rises by `each` a second, every `everyMs`, in as many sessions as there are starts. */
function counters(starts: number[], each: number, everyMs: number, seconds: number) {
  return starts.map((start, index) => {
    const at = Array.from({ length: (seconds * 1_000) / everyMs }, (_, n) => (n + 1) * everyMs);
    const builder = new RollupBuilder({ type: "counter" });
    const totals = at.map((ms) => (ms / 1_000) * each);
    builder.add({
      at: Float64Array.from(at, (ms) => start + ms),
      fields: [Float64Array.from(totals)],
    });
    return {
      ...requests,
      session: { ...requests.session, id: `s${index}`, created_at: start },
      first: totals[0] ?? 0,
      last: totals.at(-1) ?? 0,
      first_at: start + everyMs,
      last_at: start + seconds * 1_000,
      increase: (totals.at(-1) ?? 0) - (totals[0] ?? 0),
      rollup: builder.rollup,
    };
  });
}

test("a counter's rate is that of a session, however many sessions there are", () => {
  for (const starts of [[NOON], [NOON, NOON + 500, NOON + HOUR, NOON + HOUR + 20_000]]) {
    const items = counters(starts, 3, 1_000, 60);
    expect(statistics(items)[0]?.rate).toBeCloseTo(3);
    const { groups } = overTime(items, { axis: "elapsed" });
    for (const { at, rate } of groups[0]?.steps.slice(1, -1) ?? []) {
      expect({ at, rate }).toEqual({ at, rate: expect.closeTo(3) });
    }
  }
});

test("a session's series of one counter add up, over the same time", () => {
  const items = counters([NOON, NOON], 3, 1_000, 60);
  const ofOne = items.map((item) => ({ ...item, session: { ...item.session, id: "one" } }));
  expect(statistics(ofOne)[0]?.rate).toBeCloseTo(6);
  expect(overTime(ofOne).groups[0]?.steps[5]?.rate).toBeCloseTo(6);
});

test("a steady counter is drawn as a level line, however often it has points, whatever the steps", () => {
  for (const everyMs of [100, 500, 1_000, 1_500, 30_000]) {
    for (const buckets of [7, 100, 120]) {
      for (const seconds of [120, 600]) {
        const { groups } = overTime(counters([NOON + 300], 3, everyMs, seconds), {
          axis: "elapsed",
          buckets,
        });
        const known = groups[0]?.steps.filter(({ rate }) => rate !== null) ?? [];
        expect(known.length).toBeGreaterThan(2);
        for (const { at, rate } of known)
          expect({ at, rate }).toEqual({ at, rate: expect.closeTo(3) });
      }
    }
  }
});

test("a program that starts its counter again does not decrease the rate", () => {
  const builder = new RollupBuilder({ type: "counter" });
  const totals = Array.from({ length: 120 }, (_, i) => ((i % 50) + 1) * 10);
  const at = Float64Array.from(totals, (_, i) => NOON + i * 1_000);
  const marks = totals.map((total, i) => (i > 0 && total === 10 ? RESET : 0));
  const fields = [totals, totals.map(() => 0), marks].map((field) => Float64Array.from(field));
  builder.add({ at, fields });
  const item = { ...requests, rollup: builder.rollup, first_at: NOON, last_at: NOON + 119_000 };
  const rates = overTime([item])
    .groups[0]?.steps.slice(0, -1)
    .map(({ rate }) => rate);
  expect(rates).toEqual(rates?.map(() => expect.closeTo(10)));
});

test("a distribution counts every value once, in the bar that contains it", () => {
  const bars = distribution(fps, 13); // at least 5 wide: -5…60
  expect(bars.map((bar) => bar.count)).toEqual([1, 1, 3]);
  expect(bars.map(({ from, to }) => [Math.round(from), Math.round(to)])).toEqual([
    [-5, 0],
    [20, 25],
    [55, 60],
  ]);
  expect(bars.at(0)?.from).toBe(-5);
  expect(bars.at(-1)?.to).toBe(60);
});

test("values without gaps make bars without gaps, also where a bar is finer than the sketch", () => {
  const values = Array.from({ length: 2_000 }, (_, i) => 50 + i / 100);
  const bars = distribution([series("a", NOON, values)], 400);
  expect(bars.reduce((sum, bar) => sum + bar.count, 0)).toBe(2_000);
  expect(bars.slice(1).every((bar, index) => bar.from - (bars[index]?.to ?? 0) < 1e-9)).toBe(true);
  expect(bars.every((bar) => bar.to - bar.from < 2)).toBe(true);
});

test("elapsed time begins with the session, also if the rollup's first bucket begins before it", () => {
  const early = fps.map(({ session, ...item }) => ({
    ...item,
    session: { ...session, created_at: session.created_at + 900 },
  }));
  const { from, groups } = overTime(early, { axis: "elapsed" });
  expect([from, groups[0]?.steps[0]?.at]).toEqual([0, 0]);
  expect(groups[0]?.steps.reduce((sum, step) => sum + step.count, 0)).toBe(5);
});

test("without sessions there are no statistics, bars or lines", () => {
  expect([statistics([]), distribution([]), overTime([]).groups]).toEqual([[], [], []]);
  expect(overTime([])).toMatchObject({ from: 0, to: 1 });
});

test("quantiles over time are those of all sessions' values in a step", () => {
  const many = ["a", "b", "c"].map((id, n) =>
    series(
      id,
      NOON + n * HOUR,
      Array.from({ length: 600 }, (_, i) => i + n),
    ),
  );
  const { step_ms, groups } = quantilesOverTime(many, { axis: "elapsed" });
  const steps = groups[0]?.steps ?? [];
  expect(steps.length).toBeGreaterThan(10);
  expect(steps.reduce((sum, { count }) => sum + count, 0)).toBe(1_800);
  for (const { at, p50, exact } of steps.slice(0, -1)) {
    expect(Math.abs(p50 - (at + step_ms / 2) / 1_000)).toBeLessThan(step_ms / 2_000 + 2);
    expect(exact).toBe(true);
  }
  expect(quantilesOverTime(many, { by: "session" }).groups).toHaveLength(3);
  expect(quantilesOverTime([requests]).groups[0]?.steps).toEqual([]);
});

/** A histogram of one session, of samples evenly spread from 0 to `most`. */
function histogram(id: string, bounds: number[], most: number, samples: number): ComparedSeries {
  const builder = new RollupBuilder({ type: "histogram", bounds });
  const counts = [...bounds, Infinity].map((bound, i) => {
    const from = Math.min(most, bounds[i - 1] ?? 0);
    return Math.round((samples * (Math.min(most, bound) - from)) / most);
  });
  const window = [samples, (samples * most) / 2, 0, most, ...counts];
  builder.add({
    at: Float64Array.of(NOON),
    fields: window.map((value) => Float64Array.of(value)),
  });
  return {
    ...series(id, NOON, [most / 2], { type: "gauge" }),
    type: "histogram",
    count: samples,
    sum: (samples * most) / 2,
    deviation: null,
    min: 0,
    max: most,
    distribution: builder.distribution().pack(),
    rollup: builder.rollup,
    quantile_steps: builder.quantileSteps(),
  };
}

test("histograms have quantiles and a distribution across sessions, also with different bounds", () => {
  const same = [histogram("a", [10, 20, 50], 40, 30_000), histogram("b", [10, 20, 50], 40, 400)];
  const others = [histogram("a", [10, 20, 50], 40, 1_000), histogram("b", [5, 25], 40, 1_000)];
  for (const items of [same, others]) {
    const [all] = statistics(items);
    expect(all).toMatchObject({ stddev: null, quantiles_exact: false });
    expect(all?.p50).toBeCloseTo(20, 5);
    expect(all?.p95).toBeCloseTo(38, 5);
    const bars = distribution(items);
    expect(bars.reduce((sum, { count }) => sum + count, 0)).toBe(all?.count);
    expect([bars[0]?.from, bars.at(-1)?.to]).toEqual([0, 40]);
    expect(bars.every(({ from }, i) => i === 0 || from >= (bars[i - 1]?.to ?? 0))).toBe(true);
    expect(quantilesOverTime(items).groups[0]?.steps).toMatchObject([{ exact: false }]);
  }
});

test("a thousand sessions of the largest doubles have finite statistics", () => {
  const items = [1.7e308, -1.7e308, 1.7e308].map((value, i) =>
    series(`s${i}`, NOON, [value, value]),
  );
  const [all] = statistics(items);
  for (const value of [all?.mean, all?.stddev, all?.p50, all?.p95, all?.sum])
    expect(Number.isFinite(value)).toBe(true);
  expect(all?.mean).toBeCloseTo(5.666666666666667e307, -295);
  for (const { mean } of overTime(items).groups[0]?.steps ?? [])
    expect(mean).toBeCloseTo(5.666666666666667e307, -295);
});

test("more series than a call can take as arguments are compared", () => {
  const one = { ...series("many", NOON, [3]), distribution: null };
  const many = Array.from({ length: 200_000 }, () => one);
  expect(statistics(many)[0]).toMatchObject({ points: 200_000, min: 3, max: 3 });
  expect(overTime(many).groups[0]?.steps[0]?.count).toBe(200_000);
});
