import fc from "fast-check";
import { expect, test } from "vitest";
import { fold, foldedTerms } from "../../../src/core/text/fold.ts";

test.each([
  ["Ärger", "ärger"],
  ["ÄRGER", "a\u0308rger"], // composed and decomposed
  ["Straße", "STRASSE"],
  ["ΣΟΦΟΣ", "σοφος"],
  ["σοφοσ", "σοφος"],
  ["ＡＢＣ", "abc"], // full-width
  ["ﬁle", "FILE"], // a ligature
  ["Привет", "ПРИВЕТ"],
  ["İstanbul", "istanbul"],
  ["I\u0307ZMİR", "izmir"],
  ["ısparta", "ISPARTA"],
  ["ılık", "ilik"],
  ["ǅ", "ǆ"],
  ["Å", "å"], // the sign of ångström
  ["각", "\u1100\u1161\u11a8"], // Hangul as letters
  ["ſ", "S"],
  ["ꭰ", "Ꭰ"], // Cherokee
  ["𐐀", "𐐨"], // outside of the basic plane
])("%s and %s are the same to a search", (one, other) => {
  expect(fold(one)).toBe(fold(other));
});

test("letters of different texts stay different", () => {
  expect(fold("Arger")).not.toBe(fold("Ärger"));
  expect(fold("日本")).not.toBe(fold("日木"));
});

test("folding again changes nothing, and neither the case nor the normalisation of a text counts", () => {
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.oneof(
          fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
          fc.constantFrom("i", "İ", "ı", "\u0307", "\u0323", "ς", "ẞ"),
        ),
      }),
      (text) => {
        const folded = fold(text);
        expect(fold(folded)).toBe(folded);
        for (const kind of ["NFC", "NFD", "NFKC", "NFKD"])
          expect(fold(text.normalize(kind))).toBe(folded);
        expect(fold(text.toLowerCase())).toBe(folded);
        expect(fold(text.toUpperCase())).toBe(folded);
      },
    ),
    { numRuns: 2_000 },
  );
});

test("terms are separated by blanks of any kind", () => {
  expect(foldedTerms("  Ärger\u3000im\tHaus ")).toEqual(["ärger", "im", "haus"]);
});
