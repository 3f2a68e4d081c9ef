import { InvalidArgumentError } from "commander";
import { expect, test } from "vitest";
import { collect, collectTag, count, tagOption } from "../../../daemon/cli/options.ts";
import { MAX_PAGE } from "../../../src/core/limits.ts";

test("a number of rows is a whole number up to the API's limit", () => {
  expect(["0", "20", String(MAX_PAGE)].map(count)).toEqual([0, 20, MAX_PAGE]);
});

test.each(["-1", "1.5", "many", String(MAX_PAGE + 1)])(
  "'%s' rows are refused with the range",
  (text) => {
    expect(() => count(text)).toThrow(InvalidArgumentError);
    expect(() => count(text)).toThrow(`from 0 to ${MAX_PAGE}`);
  },
);

test("a repeated option keeps its values in order, and the default unchanged", () => {
  const none: string[] = [];
  expect(collect("b", collect("a", none))).toEqual(["a", "b"]);
  expect(none).toEqual([]);
});

test("a tag may be written with = or with a colon; the first of them divides", () => {
  const written = [
    "branch=main",
    "branch:main",
    "nightly",
    "url=https://a.example/?b=c",
    "a:b=c",
    "=x",
    "x=",
    "",
  ];
  expect(written.map(tagOption)).toEqual([
    "branch:main",
    "branch:main",
    "nightly",
    "url:https://a.example/?b=c",
    "a:b=c",
    "=x",
    "x",
    "",
  ]);
  expect(collectTag("a=1", ["b"])).toEqual(["b", "a:1"]);
});
