import fc from "fast-check";
import { expect, test } from "vitest";
import { StateChartBuilder, type StateSpan } from "../../../src/core/state/charts.ts";
import type { Json } from "../../../src/core/wire.ts";

function spansOf(changes: [at: number, value?: Json][], { to = 100, points = 100 } = {}) {
  const builder = new StateChartBuilder(0, to, points);
  for (const [at, value] of changes) builder.add(at, value);
  return builder.spans;
}

test("each value is a span from when it began, with its number", () => {
  expect(spansOf([[0], [10, 3], [20, "3"], [30]])).toEqual([
    { at: 0, last_at: 0, changes: 0 },
    { at: 10, last_at: 10, changes: 1, text: "3", number: 3, least: 3, most: 3 },
    { at: 20, last_at: 20, changes: 1, text: "3", has_text: true },
    { at: 30, last_at: 30, changes: 1 },
  ]);
});

test("lists are JSON, objects have no text of their own, and long values are cut", () => {
  const texts = spansOf([
    [0, ["a", null]],
    [10, { a: 1, b: {} }],
    [20, null],
    [30, "x".repeat(300)],
  ]).map(({ text }) => text);
  expect(texts).toEqual(['["a",null]', "{…}", "null", `${"x".repeat(200)}…`]);
});

test("changes within one part of the range are one span, with the last value and the range of the numbers", () => {
  expect(
    spansOf(
      [
        [0, 5],
        [11, 9],
        [14, -2],
        [18, 4],
        [21, "a"],
        [22, 7],
      ],
      { points: 10 },
    ),
  ).toEqual([
    { at: 0, last_at: 0, changes: 0, text: "5", number: 5, least: 5, most: 5 },
    { at: 11, last_at: 18, changes: 3, text: "4", number: 4, least: -2, most: 9 },
    { at: 21, last_at: 22, changes: 2, text: "7", number: 7, least: 7, most: 7, has_text: true },
  ]);
});

test("a value that is removed within one part leaves none", () => {
  expect(
    spansOf(
      [
        [0, "a"],
        [1, "b"],
        [2, undefined],
      ],
      { points: 10 },
    ).at(-1),
  ).toEqual({ at: 1, last_at: 2, changes: 2, has_text: true });
});

test("whatever changes, the spans are as many as there are parts, and each value that is stated was there", () => {
  const change = fc.record({
    after: fc.integer({ min: 0, max: 30 }),
    value: fc.option(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom("a", "b")), {
      nil: undefined,
    }),
  });
  fc.assert(
    fc.property(
      fc.array(change, { maxLength: 80 }),
      fc.integer({ min: 1, max: 40 }),
      (all, points) => {
        let at = 0;
        const changes = all.map(({ after, value }): [number, Json?] => [(at += after), value]);
        const spans = spansOf([[0, "first"], ...changes], { to: Math.max(1, at), points });
        // The part at the end of the range has no width.
        expect(spans.length).toBeLessThanOrEqual(points + 2);
        expect(sum(spans)).toBe(changes.length);
        for (let moment = 0; moment <= at; moment++) {
          const span = spans.findLast((each) => each.at <= moment);
          const [, value] = changes.findLast(([since]) => since <= moment) ?? [0, "first"];
          if (!span || moment < span.last_at) continue;
          expect(span.text).toBe(value === undefined ? undefined : String(value));
          expect(span.number).toBe(typeof value === "number" ? value : undefined);
        }
      },
    ),
  );
});

function sum(spans: StateSpan[]): number {
  return spans.reduce((all, { changes }) => all + changes, 0);
}
