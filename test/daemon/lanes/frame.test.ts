import { crc32 } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { frame, isIntact, laneJson, repair, salvage } from "../../../daemon/lanes/frame.ts";
import { MAX_REPAIR_BYTES } from "../../../daemon/limits.ts";

const json = fc.string().map((text) => JSON.stringify({ text }));
/** A line as the reader has it, without its line break. */
const lineOf = (text: string) => frame(text).subarray(0, -1);

test("a line is the checksum of its JSON in eight hex digits, a blank, the JSON and a line break", () => {
  const text = '{"a":"é"}';
  const expected = `${crc32(text).toString(16).padStart(8, "0")} ${text}\n`;
  expect(frame(text).toString()).toBe(expected);
  // A checksum with leading zeros keeps its eight digits.
  for (let i = 0; i < 2_000; i++) expect(frame(`{"i":${i}}`)[8]).toBe(0x20);
});

test("what was written is intact, wherever it stands in a block", () => {
  fc.assert(
    fc.property(json, fc.uint8Array({ maxLength: 20 }), (text, before) => {
      const line = lineOf(text);
      const block = Buffer.concat([before, line, Buffer.from("\nmore")]);
      expect(isIntact(block, before.length, before.length + line.length)).toBe(true);
      expect(isIntact(block, before.length, before.length + line.length + 1)).toBe(false);
    }),
  );
});

test("a line with any flipped bit is not intact, and repairing it gives the line back", () => {
  fc.assert(
    fc.property(json, fc.nat(), fc.integer({ min: 0, max: 7 }), (text, position, bit) => {
      const line = lineOf(text);
      const damaged = Buffer.from(line);
      const at = position % line.length;
      damaged[at] = (damaged[at] ?? 0) ^ (1 << bit);
      // A hex digit in capitals is still the same digit.
      fc.pre(!isIntact(damaged, 0, damaged.length));
      const before = Buffer.from(damaged);
      const repaired = repair(damaged);
      expect(repaired && isIntact(repaired, 0, repaired.length)).toBe(true);
      expect(damaged.equals(before)).toBe(true);
    }),
  );
});

test("no line is too short, of another format, or longer than what is repaired", () => {
  expect(isIntact(Buffer.from("00000000 "), 0, 9)).toBe(false);
  expect(isIntact(Buffer.from("zzzzzzzz {}"), 0, 11)).toBe(false);
  const line = lineOf("{}");
  expect(isIntact(Buffer.from(line.toString().replace(" ", "_")), 0, line.length)).toBe(false);
  const long = lineOf(JSON.stringify("x".repeat(MAX_REPAIR_BYTES)));
  long[20] = 0x79;
  expect(repair(long)).toBeUndefined();
});

test("records that damaged line breaks have joined are found, each once", () => {
  fc.assert(
    fc.property(fc.array(json, { minLength: 1, maxLength: 3 }), (texts) => {
      const joined = Buffer.concat(texts.map(frame));
      for (const [index, byte] of joined.entries()) if (byte === 0x0a) joined[index] = 0x2a;
      const line = joined.subarray(0, -1);
      const found = salvage(line, 0, line.length).map(({ from, to }) =>
        line.toString("utf8", from + 9, to),
      );
      expect(found).toEqual(texts);
    }),
  );
});

test("of a damaged record and an intact one that are joined, the intact one is found", () => {
  const [first, second] = [frame('{"first":1}'), frame('{"second":2}')];
  first[12] = 0x2a;
  first[first.length - 1] = 0x2a;
  const line = Buffer.concat([first, second]).subarray(0, -1);
  expect(salvage(line, 0, line.length)).toEqual([{ from: first.length, to: line.length }]);
  expect(salvage(Buffer.from("no record at all"), 0, 16)).toEqual([]);
});

test("a lone surrogate is written as every client writes it; pairs and other text are unchanged", () => {
  expect(laneJson({ a: "\ud800" })).toBe('{"a":"\ufffd"}');
  expect(laneJson({ "\udc00": ["x\ud800y"] })).toBe('{"\ufffd":["x\ufffdy"]}');
  expect(laneJson({ a: "😀", b: "\\ud800", c: null, d: 1.5 })).toBe(
    '{"a":"😀","b":"\\\\ud800","c":null,"d":1.5}',
  );
});
