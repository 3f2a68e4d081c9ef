import fc from "fast-check";
import { expect, test } from "vitest";
import { type DiffLine, diffLines, printedDiff } from "../../../src/core/tests/diff.ts";
import { MAX_DIFF_LINES } from "../../../src/core/tests/limits.ts";

const shown = (lines: DiffLine[]) => lines.map(({ sign, text }) => `${sign}${text}`);

test("equal lines stand between those that differ", () => {
  expect(shown(diffLines("a\nb\nc\nd", "a\nx\nc\nd\ne"))).toEqual([
    " a",
    "-b",
    "+x",
    " c",
    " d",
    "+e",
  ]);
  expect(shown(diffLines("2", "1"))).toEqual(["-2", "+1"]);
  expect(shown(diffLines(undefined, "1\n"))).toEqual(["+1"]);
});

test("lines far from a difference are left out and counted", () => {
  const many = Array.from({ length: 20 }, (_, i) => `line ${i}`);
  const lines = shown(diffLines(many.join("\n"), [...many, "more"].join("\n")));
  expect(lines).toEqual(["…17 equal lines", " line 17", " line 18", " line 19", "+more"]);
});

test("both texts can be read from their difference", () => {
  const text = fc.array(fc.constantFrom("a", "b", "c", "d"), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(text, text, (a, b) => {
      // Without context that is left out.
      const lines = diffLines([...a, ""].join("\n"), [...b, ""].join("\n"));
      if (lines.some(({ sign }) => sign === "…")) return;
      const of = (signs: string) => lines.filter(({ sign }) => signs.includes(sign));
      expect(of(" -").map((line) => line.text)).toEqual(a);
      expect(of(" +").map((line) => line.text)).toEqual(b);
    }),
  );
});

test("long texts without a common line take bounded work", () => {
  const lines = (prefix: string) =>
    Array.from({ length: 50_000 }, (_, i) => `${prefix}${i}`).join("\n");
  expect(diffLines(lines("a"), lines("b"))).toHaveLength(MAX_DIFF_LINES * 2);
});

test("a printed comparison keeps its signs", () => {
  expect(printedDiff("-1\n+2\n  same\n")).toEqual([
    { sign: "-", text: "1" },
    { sign: "+", text: "2" },
    { sign: " ", text: "  same" },
  ]);
});
