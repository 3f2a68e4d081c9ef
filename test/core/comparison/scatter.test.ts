import { expect, test } from "vitest";
import { figureOf, scatter } from "../../../src/core/comparison/scatter.ts";
import { statistics } from "../../../src/core/comparison/statistics.ts";
import { figuresOf, NOON, series } from "./series.ts";

test("a session with both metrics is one point, in its group", () => {
  const versions = ["1", "2", "1"];
  const fps = versions.map((version, i) =>
    series(`s${i}`, NOON, [60 - i, 58 - i], { session: { version } }),
  );
  const memory = versions.map((version, i) =>
    series(`s${i + 1}`, NOON, [100, 200 + i], { session: { version } }),
  );
  const found = scatter(memory, fps, { by: "version", x: "max", y: "mean" });
  expect(found.points).toEqual([
    { session: "s1", group: "game 2", x: 200, y: 58 },
    { session: "s2", group: "game 1", x: 201, y: 57 },
  ]);
  // s0 has no memory, and s3 no fps.
  expect(found.missing).toBe(2);
});

test("the series of a session are one figure; the last value is that of its newest point", () => {
  const two = [series("s", NOON, [1, 2, 3]), series("s", NOON + 500, [10, 20])];
  expect(figureOf(two, "sum")).toBe(36);
  expect(figureOf(two, "max")).toBe(20);
  expect(figureOf(two, "last")).toBe(3);
  expect(figureOf(two, "rate")).toBeNull();
});

test("quantiles of one series are those that were recorded with it, and of several only known from all distributions", () => {
  const values = Array.from({ length: 101 }, (_, i) => i);
  const one = series("s", NOON, values);
  expect(figureOf([figuresOf(one)], "p95")).toBe(95);
  expect(statistics([figuresOf(one)])[0]).toMatchObject({ p50: 50, quantiles_exact: true });
  expect(figureOf([one, series("s", NOON, [0])], "p50")).toBeCloseTo(49.5, -0.5);
  expect(figureOf([one, figuresOf(one)], "p50")).toBeNull();
  expect(figureOf([one, figuresOf(one)], "mean")).toBe(50);
});

test("quantiles of a part of a group's sessions are stated as such", () => {
  const read = series("a", NOON, [1, 2, 3]);
  const unread = figuresOf(series("b", NOON, [100]));
  expect(statistics([read, unread])[0]).toMatchObject({
    sessions: 2,
    max: 100,
    p99: 2.98,
    quantiles_sessions: 1,
  });
  expect(statistics([read])[0]?.quantiles_sessions).toBeUndefined();
  const counter = figuresOf(series("c", NOON, [1, 2], { type: "counter" }));
  expect(statistics([read, counter])[0]?.quantiles_sessions).toBeUndefined();
});
