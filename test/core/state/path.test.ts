import fc from "fast-check";
import { expect, test } from "vitest";
import { readPath, writePath } from "../../../src/core/state/path.ts";

const keys = fc.array(
  fc.string({ unit: fc.constantFrom("a", ".", "\\", "[", "]", '"', " ", "ä", "1") }),
  { minLength: 1, maxLength: 4 },
);

test("every path is read as it was written, and no two paths have the same text", () => {
  fc.assert(
    fc.property(keys, keys, (one, other) => {
      expect(readPath(writePath(one))).toEqual(one);
      if (writePath(one) === writePath(other)) expect(one).toEqual(other);
      expect(readPath(JSON.stringify(one))).toEqual(one);
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ["player.hp", ["player", "hp"]],
  ["v1\\.2.a", ["v1.2", "a"]],
  ['["v1.2","a"]', ["v1.2", "a"]],
  ['[""]', [""]],
  ["\\[x", ["[x"]],
  ["list.1.x", ["list", "1", "x"]],
  ["a..b", ["a", "", "b"]],
  ["end\\", ["end\\"]],
])("%s is the path %j", (text, path) => {
  expect(readPath(text)).toEqual(path);
});

test.each(["[", "[1]", "[]", '["a"'])("%s is no path", (text) => {
  expect(readPath(text)).toBeUndefined();
});
