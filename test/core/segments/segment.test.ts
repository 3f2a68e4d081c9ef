import { crc32, deflateRawSync, inflateRawSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { EventRow } from "../../../src/core/answers/events.ts";
import { MAX_COLUMNS } from "../../../src/core/limits.ts";
import {
  append,
  type Contents,
  isEmpty,
  newContents,
  type StoredOp,
  type StoredState,
} from "../../../src/core/segments/contents.ts";
import { type Codec, packContents, sealContents } from "../../../src/core/segments/segment.ts";
import { SegmentReader } from "../../../src/core/segments/segment-reader.ts";
import type { Columns } from "../../../src/core/metrics/columns.ts";
import { anyObject } from "../any-json.ts";

const codec: Codec = {
  inflate: (bytes) => new Uint8Array(inflateRawSync(bytes)),
  deflate: (bytes) => new Uint8Array(deflateRawSync(bytes)),
  checksum: (bytes, seed = 0) => crc32(bytes, seed),
};

const at = fc.oneof(fc.nat(2e12), fc.double({ min: 0, max: 8.64e15, noNaN: true }));
const number = fc.double({ noNaN: true, noDefaultInfinity: true });
const state: fc.Arbitrary<StoredState> = fc.record({
  seq: fc.nat(),
  at,
  patch: anyObject,
  effectiveAt: at,
  initial: fc.boolean(),
});
const event: fc.Arbitrary<EventRow> = fc.record(
  {
    seq: fc.nat(),
    at,
    name: fc.string({ unit: "grapheme" }),
    category: fc.string(),
    data: anyObject,
    exception_type: fc.string(),
  },
  { requiredKeys: ["seq", "at", "name", "category"] },
);
const other: fc.Arbitrary<StoredOp> = fc.record({
  seq: fc.nat(),
  op: fc.constant("dropped" as const),
  at,
  cause: fc.string(),
  count: fc.nat(),
});
/** Columns of one series; `counts` come with some batches and not with others. */
const columns: fc.Arbitrary<Columns> = fc
  .tuple(fc.array(fc.tuple(at, number, fc.nat()), { minLength: 1 }), fc.boolean())
  .chain(([points, counted]) => fc.boolean().map((corrected) => ({ points, counted, corrected })))
  .map(({ points, counted, corrected }) => ({
    at: points.map(([time]) => time),
    fields: [
      points.map(([, value]) => value),
      ...(counted ? [points.map(([, , count]) => count)] : []),
    ],
    recordedAt: corrected ? points.map(([time]) => time + 3_600_000) : undefined,
  }));
const contents: fc.Arbitrary<Contents> = fc.record({
  states: fc.array(state, { maxLength: 4 }),
  events: fc.array(event, { maxLength: 4 }),
  others: fc.array(other, { maxLength: 3 }),
  heartbeats: fc.array(at, { maxLength: 4 }),
  recorded: fc
    .array(at, { maxLength: 3 })
    .map((times) => ({ at: times, recordedAt: times.map((time) => time + 3_600_000) })),
  series: fc
    .array(fc.tuple(fc.nat(3), columns), { maxLength: 3 })
    .map((entries) => new Map(entries)),
});

function together(batches: Contents[]): Contents {
  const whole = newContents();
  for (const batch of batches) append(whole, structuredClone(batch));
  return whole;
}

/** The contents as text in one order, because toEqual ignores an own __proto__. */
function text({ series, ...lists }: Contents): string {
  const bySeries = [...series].sort(([a], [b]) => a - b);
  return JSON.stringify({ ...lists, bySeries }).replaceAll("-0", "0");
}

test("contents are restored, appended in any batches, open and sealed", () => {
  fc.assert(
    fc.property(fc.array(contents, { maxLength: 5 }), (batches) => {
      const whole = together(batches);
      const open = new SegmentReader(
        Buffer.concat(batches.map((batch) => packContents(batch, codec))),
        codec,
      );
      expect(text(open.contents())).toBe(text(whole));
      const sealed = new SegmentReader(sealContents(whole, codec), codec);
      expect(text(sealed.contents())).toBe(text(whole));
      expect(isEmpty(whole)).toBe(text(whole) === text(newContents()));
    }),
    { numRuns: 300 },
  );
});

test("a sealed segment's times are those of its contents", () => {
  fc.assert(
    fc.property(contents, (original) => {
      const open = new SegmentReader(packContents(original, codec), codec).overview();
      const sealed = new SegmentReader(sealContents(original, codec), codec).overview();
      for (const kind of ["states", "events", "exceptions"] as const)
        expect(Array.from(sealed[kind])).toEqual(Array.from(open[kind]));
      expect(open.states).toHaveLength(original.states.filter((one) => !one.initial).length);
      expect(open.exceptions).toHaveLength(
        original.events.filter((one) => one.exception_type).length,
      );
    }),
  );
});

test("points keep their bits, minus zero too", () => {
  const original = {
    ...newContents(),
    series: new Map([[7, { at: [1, 2], fields: [[-0, 5e-324]] }]]),
  };
  const { fields } = new SegmentReader(packContents(original, codec), codec).columns(7);
  expect(Array.from(fields[0] ?? [])).toStrictEqual([-0, 5e-324]);
});

test("counts are zero for points before the first one with a count", () => {
  const early = { ...newContents(), series: new Map([[0, { at: [1], fields: [[5]] }]]) };
  const late = { ...newContents(), series: new Map([[0, { at: [2], fields: [[6], [3]] }]]) };
  const earlier = { ...newContents(), series: new Map([[0, { at: [3], fields: [[7]] }]]) };
  const batches = [early, late, earlier];
  const reader = new SegmentReader(
    Buffer.concat(batches.map((batch) => packContents(batch, codec))),
    codec,
  );
  expect(reader.contents().series.get(0)).toEqual({
    at: [1, 2, 3],
    fields: [
      [5, 6, 7],
      [0, 3, 0],
    ],
  });
});

test("a series that has no points here has empty columns", () => {
  const { at: times, fields } = new SegmentReader(new Uint8Array(), codec).columns(3);
  expect(times).toHaveLength(0);
  expect(fields).toHaveLength(0);
});

test("a body that is cut off anywhere gives its beginning, and is known to be damaged", () => {
  const batches = [[1, 2, 3], [4], [5, 6]].map((heartbeats) => ({ ...newContents(), heartbeats }));
  const body = Buffer.concat(batches.map((batch) => packContents(batch, codec)));
  const ends = batches.map((_, index) =>
    batches.slice(0, index + 1).reduce((sum, batch) => sum + packContents(batch, codec).length, 0),
  );
  for (let length = 0; length < body.length; length++) {
    const reader = new SegmentReader(body.subarray(0, length), codec);
    const whole = ends.filter((end) => end <= length).length;
    expect(reader.heartbeats()).toEqual(batches.slice(0, whole).flatMap((b) => b.heartbeats));
    expect(reader.isDamaged).toBe(length !== 0 && !ends.includes(length));
  }
});

test("damage anywhere in a body costs sections, and never gives anything else or an error", () => {
  fc.assert(
    fc.property(
      fc.array(contents, { minLength: 1, maxLength: 4 }),
      fc.nat(),
      fc.constantFrom("flip", "zero", "cut"),
      fc.boolean(),
      (batches, place, how, sealed) => {
        const whole = together(batches);
        const body = sealed
          ? Uint8Array.from(sealContents(whole, codec))
          : Uint8Array.from(Buffer.concat(batches.map((batch) => packContents(batch, codec))));
        if (body.length === 0) return;
        const at = place % body.length;
        if (how === "flip") body[at] = (body[at] ?? 0) ^ (1 << (place % 8));
        if (how === "zero") body.fill(0, at, at + 64);
        const reader = new SegmentReader(how === "cut" ? body.subarray(0, at) : body, codec);
        const read = reader.contents();
        const there = (all: unknown[]) => new Set(all.map((each) => JSON.stringify(each)));
        for (const kind of ["states", "events", "others", "heartbeats"] as const) {
          const known = there(whole[kind]);
          for (const each of read[kind]) expect(known).toContain(JSON.stringify(each));
        }
        reader.overview();
        if (!reader.isDamaged && how !== "cut") expect(text(read)).toBe(text(whole));
      },
    ),
    { numRuns: 500 },
  );
});

test("a series may have as many columns as a histogram of MAX_BUCKETS, and not more", () => {
  const of = (width: number): Contents => ({
    ...newContents(),
    series: new Map([
      [0, { at: [1, 2], fields: Array.from({ length: width }, (_, n) => [n, n / 2]) }],
    ]),
  });
  for (const width of [127, 128, 255, 256, MAX_COLUMNS])
    for (const pack of [packContents, sealContents]) {
      const read = new SegmentReader(pack(of(width), codec), codec).contents();
      expect(read).toEqual(of(width));
    }
  const wider = packContents(of(MAX_COLUMNS + 1), codec);
  expect(() => new SegmentReader(wider, codec).contents()).toThrow(RangeError);
});
