import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { asking, nameAsked, segmentOf } from "../../../src/core/text/names.ts";
import { parseJson } from "../../../src/core/parse.ts";
import {
  nameLabel,
  plainJson,
  plainText,
  quotedName,
  safeJson,
  styledText,
  withStyles,
} from "../../../src/core/text/recorded-text.ts";

/** Texts of every kind that a program may record, with what a reader sees. */
const SEQUENCES: [text: string, shown: string][] = [
  ["\u001B[1;31mred\u001B[0m plain\u001B[2K", "red plain"],
  ["\u001B]0;title\u0007a\u001B[?25lb\u0008\u001B[38;5;9mc", "abc"],
  ["\u001B]8;;https://a.example\u001B\\link\u001B]8;;\u001B\\", "link"],
  ["\u001B]8;id=1;https://a.example\u0007link\u001B]8;;\u0007", "link"],
  ["\u009B31mred\u009B0m", "red"],
  ["\u009D0;title\u009Ca", "a"],
  ["\u001BP1$r0m\u001B\\a\u001B_app\u001B\\b\u001B^pm\u001B\\c\u001BXsos\u001B\\d", "abcd"],
  ["\u001B(Ba\u001B7b\u001Bcc\u001B=d", "abcd"],
  ["\u001B]0;never ended", "0;never ended"],
  ["\u001B", ""],
  ["\u001B[", ""],
  ["50 %\r\n\u0007\u0000done\tnow", "50 %\ndone\tnow"],
  ["\u202Eabc\u202C \u2066x\u2069", "abc x"],
  ["\uD800a\uDC00", "\uFFFDa\uFFFD"],
  ["\u{1F469}\u200D\u{1F467} e\u0301 مرحبا", "\u{1F469}\u200D\u{1F467} e\u0301 مرحبا"],
];

const TEXT = fc.oneof(
  fc.string({ unit: "binary" }),
  fc
    .array(
      fc.constantFrom(
        "\u001B",
        "[",
        "]",
        "\u009B",
        "\u009C",
        "\u009D",
        "\u0007",
        "\\",
        "1",
        ";",
        "m",
        "a",
        " ",
        "\uD800",
        "\uDC00",
        "\u202E",
        "\n",
        "P",
      ),
      { maxLength: 40 },
    )
    .map((all) => all.join("")),
);
// oxlint-disable-next-line no-control-regex -- control characters are what must not be there
const ACTS = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]|[\uD800-\uDFFF]/u;

describe("recorded text", () => {
  test.each(SEQUENCES)("%j is shown as %j", (text, shown) => {
    expect(plainText(text)).toBe(shown);
  });

  test("SGR sequences become styles, also with 8-bit introducers", () => {
    expect(styledText("\u001B[1;31mred\u001B[0m plain\u001B[2K")).toEqual([
      { text: "red", style: { bold: true, colour: "red" } },
      { text: " plain", style: {} },
    ]);
    expect(styledText("\u009B92mok")).toEqual([{ text: "ok", style: { colour: "green" } }]);
    // The numbers of an extended colour are no styles.
    expect(styledText("\u001B[38;5;1;1ma\u001B[0;38:2:1:2:31mb")).toEqual([
      { text: "a", style: { bold: true } },
      { text: "b", style: {} },
    ]);
  });

  test("nothing in it acts on what is around it, and its pieces are the whole", () => {
    fc.assert(
      fc.property(TEXT, (text) => {
        const plain = plainText(text);
        expect(plain).not.toMatch(ACTS);
        expect(
          styledText(text)
            .map((piece) => piece.text)
            .join(""),
        ).toBe(plain);
        expect(plainText(withStyles(text))).toBe(plain);
        // oxlint-disable-next-line no-control-regex -- removes the styles
        expect(withStyles(text).replaceAll(/\u001B\[[0-9;:]*m/g, "")).toBe(plain);
      }),
    );
  });

  test("text without control characters is unchanged", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        if (!ACTS.test(text)) expect(plainText(text)).toBe(text);
      }),
    );
  });

  test("JSON for people has plain keys and values", () => {
    expect(plainJson({ "\u001B[1mkey": ["\u001B[31mred", "\u009Bx"], deep: { a: 1 } })).toBe(
      '{"key":["red",""],"deep":{"a":1}}',
    );
  });
});

describe("names", () => {
  test("a label is one line with something visible in it", () => {
    expect(nameLabel("")).toBe("(unnamed)");
    expect(nameLabel("  ")).toBe('"  "');
    expect(nameLabel("\u200B")).toBe('"\\u200b"');
    expect(nameLabel("\u001B[31m")).toBe('"\\u001b[31m"');
    expect(nameLabel("\u{E0001}")).toBe('"\\udb40\\udc01"');
    expect(nameLabel("a\nb")).toBe("a b");
    fc.assert(
      fc.property(TEXT, (name) => {
        expect(nameLabel(name)).toMatch(/[^\p{Z}\p{C}]/u);
        expect(nameLabel(name)).not.toMatch(/[\n\t]/);
      }),
    );
  });

  test("each arrives as it was, however it is written", () => {
    const odd = [
      "",
      ".",
      "..",
      "(none)",
      '"',
      '""',
      '"a"',
      '"a',
      " ",
      " a",
      "a ",
      "a,b",
      "a/b",
      "a?b",
      "a#b",
      "%",
      "%41",
      "\u0000",
      "a\nb",
      "\u0085",
      "+",
      "a+b",
      "\\",
      "\uFEFF",
      "\u2028",
    ];
    const wellFormed = TEXT.map((name) => name.replaceAll(/[\uD800-\uDFFF]/gu, "\uFFFD"));
    fc.assert(
      fc.property(fc.oneof(fc.constantFrom(...odd), wellFormed), (name) => {
        const written = asking(name);
        expect(written.trim()).toBe(written);
        expect(nameAsked(written)).toBe(name);
        // oxlint-disable-next-line no-control-regex -- an input field changes these
        expect(written).not.toMatch(/[\u0000-\u001F]/);
        const { pathname } = new URL(`/api/metrics/${segmentOf(name)}`, "http://a.example");
        expect(nameAsked(decodeURIComponent(pathname.slice("/api/metrics/".length)))).toBe(name);
        const query = new URLSearchParams(new URLSearchParams({ name: written }).toString());
        expect(nameAsked(query.get("name")?.trim() ?? "")).toBe(name);
      }),
    );
  });

  test("a usual name is written as it is, and a typed one is read as it is", () => {
    for (const name of ["fps", "a.b", "ärger", "games and books", "a,b", "مرحبا"]) {
      expect(asking(name)).toBe(name);
      expect(nameAsked(name)).toBe(name);
    }
    expect(nameAsked('"q')).toBe('"q');
    expect(quotedName('"q"')).toBe('"\\"q\\""');
  });
});

test("JSON for a terminal is the same value, without a character that acts there", () => {
  fc.assert(
    fc.property(fc.json({ stringUnit: "binary" }), (json) => {
      const text = JSON.stringify({ json: JSON.parse(json), "\u009B\u202E": "\u007F\u0085\u2066" });
      expect(JSON.parse(safeJson(text))).toEqual(JSON.parse(text));
      expect(plainText(safeJson(text))).toBe(safeJson(text));
    }),
  );
});

describe("JSON with surrogates", () => {
  test("a surrogate without its pair becomes U+FFFD, and nothing else changes", () => {
    expect(parseJson('"\\ud800"', "It")).toBe("\uFFFD");
    expect(parseJson('{"\\udc00k":"\\ud83d\\ude00\\uD83D\\u0041"}', "It")).toEqual({
      "\uFFFDk": "\u{1F600}\uFFFDA",
    });
    expect(parseJson('"\\\\ud800"', "It")).toBe("\\ud800");
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "binary" }), TEXT, (value, text) => {
        const json = JSON.stringify([value, text]);
        const parsed = JSON.stringify(parseJson(json, "It"));
        expect(parsed).not.toMatch(/(?<!\\)(\\\\)*\\ud[89a-f]/);
        if (!/\\ud[89a-f]/.test(json)) expect(parsed).toBe(JSON.stringify(JSON.parse(json)));
      }),
    );
  });
});
