import { appendFileSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Lines } from "../../../daemon/lanes/lines.ts";
import { MAX_RECORD_BYTES, READ_BYTES } from "../../../daemon/limits.ts";

const path = join(mkdtempSync(join(tmpdir(), "datacat-lines-")), "file");

function read(from = 0): { lines: string[]; offsets: number[] } {
  using lines = new Lines(path, from);
  const found = { lines: [] as string[], offsets: [] as number[] };
  while (lines.next()) {
    found.lines.push(lines.text());
    found.offsets.push(lines.offset);
  }
  return found;
}

test("the lines are those of the file, from whichever offset reading starts", () => {
  fc.assert(
    fc.property(fc.array(fc.string().map((text) => text.replaceAll("\n", ""))), (texts) => {
      writeFileSync(path, texts.map((text) => `${text}\n`).join(""));
      const { lines, offsets } = read();
      // A lone surrogate is written as U+FFFD.
      expect(lines).toEqual(texts.map((text) => Buffer.from(text).toString()));
      const middle = Math.floor(offsets.length / 2);
      if (offsets.length > 0) expect(read(offsets[middle]).lines).toEqual(lines.slice(middle + 1));
    }),
  );
});

test("lines longer than a block are whole, and so are those after them", () => {
  const long = "x".repeat(READ_BYTES * 2 + 3);
  writeFileSync(path, `a\n${long}\nb\n${long}y\nc\n`);
  expect(read().lines).toEqual(["a", long, "b", `${long}y`, "c"]);
});

test("a line longer than any record is marked, and the next one is whole", () => {
  writeFileSync(path, `a\n${"x".repeat(MAX_RECORD_BYTES * 2)}\nb\n`);
  using lines = new Lines(path);
  const marked: boolean[] = [];
  while (lines.next()) marked.push(lines.oversized);
  expect(marked).toEqual([false, true, false]);
  expect(lines.offset).toBe(2 + MAX_RECORD_BYTES * 2 + 1 + 2);
});

test("an incomplete line is no line until its line break is written", () => {
  writeFileSync(path, "a\nb");
  using lines = new Lines(path);
  expect(lines.next()).toBe(true);
  expect(lines.next()).toBe(false);
  expect(lines.offset).toBe(2);
  appendFileSync(path, "c\nd");
  expect(lines.next()).toBe(true);
  expect(lines.text()).toBe("bc");
  expect(lines.rest()).toBe(true);
  expect(lines.text()).toBe("d");
  expect(lines.rest()).toBe(false);
  expect(lines.offset).toBe(6);
});

test("an empty file has no lines, and an offset after its end none either", () => {
  writeFileSync(path, "");
  expect(read().lines).toEqual([]);
  using lines = new Lines(path, 10);
  expect(lines.next()).toBe(false);
  expect(lines.rest()).toBe(false);
});
