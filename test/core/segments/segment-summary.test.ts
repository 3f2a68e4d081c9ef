import fc from "fast-check";
import { expect, test } from "vitest";
import { bloomOf, mayContain } from "../../../src/core/segments/bloom.ts";
import {
  type SegmentSummary,
  summariseSegment,
  mayMatch,
} from "../../../src/core/segments/segment-summary.ts";
import { type EventFilter, eventRow, matches } from "../../../src/core/events/event.ts";
import { newContents } from "../../../src/core/segments/contents.ts";
import type { Event } from "../../../src/core/wire.ts";

const text = fc.oneof(
  fc.constantFrom(
    "door",
    "Door opened",
    "error",
    "info",
    "",
    'quo"te',
    "[a,b]",
    "ΟΔΟΣ",
    "İstanbul",
  ),
  fc.string({ unit: "grapheme", maxLength: 6 }),
);
const event: fc.Arbitrary<Event> = fc.record(
  {
    op: fc.constant("event" as const),
    at: fc.nat(100),
    name: text,
    category: text,
    group: text,
    labels: fc.array(text, { maxLength: 3 }),
    message: text,
    exception_type: text,
    exception_msg: text,
  },
  { requiredKeys: ["op", "at", "name"] },
);
/** Filters that match an event: a part of its fields, and a part of its text. */
const CRITERIA = ["from", "to", "name", "category", "group", "tag", "text"] as const;
function filterFor(op: Event, criteria: readonly (typeof CRITERIA)[number][]): EventFilter {
  const row = eventRow(op, 0);
  const all: EventFilter = {
    from: row.at,
    to: row.at,
    name: row.name,
    category: row.category,
    group: row.group ?? "",
    ...(row.labels?.[0] !== undefined && { tag: row.labels[0] }),
    text: (row.message ?? row.exception_msg ?? row.name).slice(1).toUpperCase(),
  };
  return Object.fromEntries(
    Object.entries(all).filter(([key]) => criteria.some((one) => one === key)),
  );
}

function summary(events: Event[]): SegmentSummary {
  const contents = newContents();
  events.forEach((op, seq) => contents.events.push(eventRow(op, seq)));
  return JSON.parse(JSON.stringify(summariseSegment(contents, () => undefined))) as SegmentSummary;
}

test("a segment with a matching event is never skipped", () => {
  const events = fc.array(event, { minLength: 1, maxLength: 6 });
  let matched = 0;
  fc.assert(
    fc.property(events, fc.nat(), fc.subarray([...CRITERIA]), (all, which, criteria) => {
      const [chosen] = all.slice(which % all.length);
      if (!chosen) return;
      const wanted = filterFor(chosen, criteria);
      if (!matches(eventRow(chosen, 0), wanted)) return; // upper case of some letters is not their lower case's
      matched++;
      expect(mayMatch(summary(all), wanted)).toBe(true);
    }),
    { numRuns: 3_000 },
  );
  expect(matched).toBeGreaterThan(2_000);
});

test("a segment without a match is skipped by its names, categories, groups, tags or times", () => {
  const one = summary([
    {
      op: "event",
      at: 50,
      name: "door",
      category: "info",
      labels: ["x", "room:attic"],
      message: "creaks",
    },
    { op: "event", at: 60, name: "exception", category: "error", group: "game" },
  ]);
  const passed: EventFilter[] = [
    { name: "window" },
    { name: "doo" },
    { category: "inf" },
    { name: "door", category: "error" },
    { group: "other" },
    { tag: "y" },
    { tag: "room:cellar" },
    { tag: "roo" },
    { text: "window frame" },
    { from: 61 },
    { to: 49 },
    { exceptions: true },
  ];
  for (const wanted of passed) expect([wanted, mayMatch(one, wanted)]).toEqual([wanted, false]);
  for (const tag of ["x", "room", "room:attic"]) expect(mayMatch(one, { tag })).toBe(true);
  expect(mayMatch(summary([]), {})).toBe(false);
});

test("with more names than are listed, every segment may match", () => {
  const events = Array.from({ length: 300 }, (_, i): Event => ({
    op: "event",
    at: 1,
    name: `n${i}`,
    labels: [`l${i}`],
    group: `g${i}`,
  }));
  const many = summary(events);
  expect(many.names).toBeNull();
  for (const wanted of [{ name: "n299" }, { tag: "l299" }, { group: "g299" }])
    expect(mayMatch(many, wanted)).toBe(true);
});

test("a Bloom filter has no false negatives", () => {
  const texts = fc.array(fc.string({ unit: "grapheme", maxLength: 30 }), { maxLength: 20 });
  fc.assert(
    fc.property(texts, fc.nat(), fc.nat(30), fc.nat(30), (all, which, from, length) => {
      const filterOf = bloomOf(all);
      const text = all[which % Math.max(1, all.length)] ?? "";
      expect(mayContain(filterOf, text.slice(from, from + length))).toBe(true);
      expect(JSON.parse(JSON.stringify(filterOf))).toBe(filterOf);
    }),
    { numRuns: 2_000 },
  );
});

test("a Bloom filter has few false positives", () => {
  const there = bloomOf(
    Array.from({ length: 400 }, (_, i) => `message number ${i} of the door ${i * 7}`),
  );
  const absent = Array.from({ length: 1_000 }, (_, i) => `xq${(i * 7919).toString(36)}zw`);
  expect(absent.filter((text) => mayContain(there, text)).length).toBeLessThan(100);
  expect(mayContain(bloomOf([]), "abc")).toBe(false);
  expect(mayContain(bloomOf([]), "ab")).toBe(true); // too short for the filter
});
