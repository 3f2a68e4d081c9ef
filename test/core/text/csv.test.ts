import fc from "fast-check";
import { expect, test } from "vitest";
import { csvOf } from "../../../src/core/text/csv.ts";

/** Some programs remove quotes and blanks of any kind before a formula. */
const FORMULA = /^["\s]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]/;
const NUMBER = /^[+-]?[\d.]+(e[+-]?\d+)?$/i;

/** The cells that a spreadsheet finds, which divides lines at `separator`. A quote in the middle of a cell is text. */
function cells(text: string, separator: string): string[] {
  const found: string[] = [];
  for (let at = 0; at <= text.length; at++) {
    let cell = "";
    if (text[at] === '"') {
      for (at++; at < text.length && (text[at] !== '"' || text[++at] === '"'); at++)
        cell += text[at];
    }
    for (; at < text.length && text[at] !== separator && !/[\r\n]/.test(text[at] ?? ""); at++)
      cell += text[at];
    found.push(cell);
  }
  return found;
}

test.each([
  ["=1+1", "'=1+1"],
  ["+1+1", "'+1+1"],
  ["-1+1", "'-1+1"],
  ["@SUM(A1)", "'@SUM(A1)"],
  ["\t=1", "\"'\t'=1\""],
  ["\r=1", "\"'\r'=1\""],
  ["\uFF1D1+1", "'\uFF1D1+1"],
  ["\uFF0B1", "'\uFF0B1"],
  ["\uFF0D1", "'\uFF0D1"],
  ["\uFF20A", "'\uFF20A"],
  [' "=1', '"\' ""=1"'],
  ["a;=1", '"a;\'=1"'],
  ["a,=1", '"a,\'=1"'],
  ["a\n=1", '"a\n\'=1"'],
  ["-5", "-5"],
  ["+5", "+5"],
  ["-5.25e-3", "-5.25e-3"],
  ["1;2", '"1;2"'],
  ['a"b', '"a""b"'],
  ["1.2-beta", "1.2-beta"],
  ["x=1", "x=1"],
  ["", ""],
])("the text %j is written as %s", (text, written) => {
  expect(csvOf(["id", "name"], [["a", text]])).toBe(`id,name\r\na,${written}\r\n`);
});

test("a text at the start of a line is no number, because the rest of the line may follow it in one cell", () => {
  expect(csvOf(["id", "name"], [["-5", "b"]])).toBe("id,name\r\n'-5,b\r\n");
});

test("numbers, truth values and nothing are written as they are", () => {
  expect(
    csvOf(
      ["a", "b"],
      [
        [-5, -0.5],
        [true, null],
        [undefined, 1e21],
      ],
    ),
  ).toBe("a,b\r\n-5,-0.5\r\ntrue,\r\n,1e+21\r\n");
});

test("no cell begins a formula, whatever the separator and the text", () => {
  const part = fc.constantFrom(..."=+-@\t\r\n;,|\"' a1\uFF1D\uFF0B\uFF0D\uFF20".split(""));
  const text = fc.array(part, { maxLength: 12 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), (row) => {
      const line = csvOf(["h"], [row]);
      for (const separator of [",", ";", "\t", "|"]) {
        const formulas = cells(line, separator).filter(
          (cell) => FORMULA.test(cell) && !NUMBER.test(cell),
        );
        expect(formulas, separator).toEqual([]);
      }
      expect(
        cells(line, ",")
          .slice(2, row.length + 2)
          .map((cell) => cell.replaceAll("'", "")),
      ).toEqual(row.map((cell) => cell.replaceAll("'", "")));
    }),
    { numRuns: 3_000 },
  );
});
