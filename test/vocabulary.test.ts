import { expect, test } from "vitest";
import { findWords } from "./vocabulary/find.ts";

const wordsIn = (text: string, file = "src/x.ts") =>
  findWords(file, text).map(({ line, word }) => [line, word]);

test("a replaced word is found in prose, identifiers of any casing, CSS classes and file names", () => {
  expect(wordsIn("It told\nlastWord LAST_WORD last_word .last-word")).toEqual([
    [1, "told"],
    [2, "Word"],
    [2, "WORD"],
    [2, "word"],
    [2, "word"],
  ]);
  expect(wordsIn("", "src/core/head.ts")).toEqual([[0, "head"]]);
});

test("a part of a longer word is not found", () => {
  expect(wordsIn("ahead overhead keyboard password Header thead foretold")).toEqual([]);
});

test("a phrase is found across the lines of a comment, and as an identifier", () => {
  expect(wordsIn(" * skipped for\n * want of a reader; mayTouch")).toEqual([
    [2, "mayTouch"],
    [1, "for * want of"],
  ]);
});

test("a word of another system is allowed in its context only", () => {
  expect(wordsIn("response.writeHead(200); // the head")).toEqual([[1, "head"]]);
  expect(wordsIn("a flight recorder")).toEqual([]);
});

test("a word that is replaced in some folders only is right elsewhere", () => {
  expect(wordsIn("seal(frame)", "clients/go/internal/lane/lane.go")).toEqual([[1, "seal"]]);
  expect(wordsIn("seal(segment)")).toEqual([]);
});
