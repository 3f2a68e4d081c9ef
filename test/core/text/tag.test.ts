/** How a tag divides into key and value, which every page, filter and group goes by. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { hasTag, readTag, writeTag } from "../../../src/core/text/tag.ts";

test.each([
  ["nightly", "nightly", ""],
  ["branch:main", "branch", "main"],
  ["gpu:0", "gpu", "0"],
  ["path:C:\\games", "path", "C:\\games"], // the first colon divides
  ["url:https://a.example/x", "url", "https://a.example/x"],
  ["https://a.example/x", "https", "//a.example/x"],
  ["frame rate:59.94", "frame rate", "59.94"],
  ["größe:XL", "größe", "XL"],
  ["v2:on", "v2", "on"],
  ["empty:", "empty", ""],
  ["12:30", "12:30", ""], // a time
  ["12:30:05", "12:30:05", ""],
  ["2026-01-31T12:30", "2026-01-31T12", "30"],
  [":x", ":x", ""],
  [":", ":", ""],
  ["", "", ""],
])("%j is key %j and value %j", (text, key, value) =>
  expect(readTag(text)).toEqual({ key, value }),
);

test("what is written as key and value is read so, if the key has no colon and not only digits", () => {
  const key = fc.string({ unit: "grapheme" }).filter((text) => /^[^:]*[^0-9:][^:]*$/s.test(text));
  fc.assert(
    fc.property(key, fc.string({ unit: "grapheme" }), (name, value) => {
      expect(readTag(writeTag(name, value))).toEqual({ key: name, value });
    }),
  );
});

test("reading loses nothing, whatever the text is", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom("a", ":", "1", " ") })), (text) => {
      const { key, value } = readTag(text);
      expect([`${key}:${value}`, key]).toContain(text);
    }),
  ); // prettier-ignore
});

test("tags are asked for as a whole, or by a key", () => {
  const tags = ["nightly", "branch:main", "12:30"];
  const asked = [
    "nightly",
    "branch:main",
    "branch",
    "12:30",
    "main",
    "bran",
    "branch:",
    "12",
    "Branch",
  ];
  expect(asked.filter((each) => hasTag(tags, each))).toEqual(["nightly", "branch:main", "branch", "12:30"]); // prettier-ignore
});
