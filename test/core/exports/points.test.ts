import fc from "fast-check";
import { expect, test } from "vitest";
import { MAX_SORTED_POINTS } from "../../../src/core/exports/limits.ts";
import { pointsInOrder } from "../../../src/core/exports/points.ts";
import { MemorySession, NOON } from "./memory.ts";

const gauge = (name: string, times: number[], at = NOON) => {
  let before = at;
  const dt = times.map((time) => {
    const step = time - before;
    before = time;
    return step;
  });
  return { op: "points" as const, at, type: "gauge" as const, name, dt, values: times };
};

function inOrder(session: MemorySession, range = {}) {
  const { store, index } = session.source();
  return [...pointsInOrder(store, index.series, range)].flatMap((points) =>
    points.map(({ at, series, columns, i }) => {
      expect(columns.at[i]).toBe(at);
      return [at, series.name, columns.fields[0]?.[i]] as const;
    }),
  );
}

test("points come in the order of their times, each once, whatever segments they are in", () => {
  const time = fc.integer({ min: NOON, max: NOON + 300 });
  const batch = fc.record({
    name: fc.constantFrom("a", "b"),
    times: fc.array(time, { minLength: 1, maxLength: 8 }),
    seals: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(batch, { maxLength: 20 }), time, time, (batches, one, other) => {
      const session = new MemorySession();
      const all: { at: number; name: string }[] = [];
      for (const { name, times, seals } of batches) {
        session.apply([gauge(name, times)]);
        if (seals) session.seal();
        all.push(...times.map((at) => ({ at, name })));
      }
      const sorted = inOrder(session);
      expect(sorted.map(([at]) => at)).toEqual(all.map(({ at }) => at).sort((a, b) => a - b));
      for (const called of ["a", "b"])
        expect(sorted.filter(([, name]) => name === called).length).toBe(
          all.filter(({ name }) => name === called).length,
        );
      const [from, to] = [Math.min(one, other), Math.max(one, other)];
      expect(inOrder(session, { from, to })).toEqual(
        sorted.filter(([at]) => at >= from && at <= to),
      );
    }),
  );
});

test("segments one after another are each read once", () => {
  const session = new MemorySession();
  for (let i = 0; i < 20; i++)
    session
      .apply([gauge("a", [NOON + i * 100, NOON + i * 100 + 99]), gauge("b", [NOON + i * 100 + 5])])
      .seal();
  expect(inOrder(session)).toHaveLength(60);
  expect(session.opened).toBe(20);
});

test("many points of overlapping segments are never in memory together", () => {
  const session = new MemorySession();
  const each = 50_000;
  for (let i = 0; i < 12; i++) {
    const times = Array.from({ length: each }, (_, n) => NOON + n);
    session.apply([gauge("a", times)]).seal();
  }
  const { store, index } = session.source();
  let count = 0;
  let last = 0;
  let isInOrder = true;
  for (const points of pointsInOrder(store, index.series)) {
    expect(points.length).toBeLessThan(MAX_SORTED_POINTS + each);
    for (const { at } of points) {
      isInOrder &&= at >= last;
      last = at;
    }
    count += points.length;
  }
  expect(isInOrder).toBe(true);
  expect(count).toBe(12 * each);
});

test("more points of one moment than memory may hold come in the order of their segments", () => {
  const session = new MemorySession();
  const times = Array.from({ length: 100_000 }, () => NOON + 5);
  for (let i = 0; i < 5; i++) session.apply([gauge("a", times)]).seal();
  const { store, index } = session.source();
  const parts = [...pointsInOrder(store, index.series)].map(({ length }) => length);
  expect(parts.reduce((sum, length) => sum + length)).toBe(500_000);
  expect(Math.max(...parts)).toBeLessThanOrEqual(MAX_SORTED_POINTS);
});
