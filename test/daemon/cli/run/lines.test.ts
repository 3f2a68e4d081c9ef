/** A stream's bytes as lines: what a terminal shows, whatever control sequences are in it. */
import { expect, test } from "vitest";
import { MAX_CONTROL_STRING, MAX_LINE_LENGTH } from "../../../../daemon/cli/limits.ts";
import { Lines } from "../../../../daemon/cli/run/lines.ts";

function linesOf(...chunks: (string | Buffer)[]): string[] {
  const lines = new Lines();
  const complete = chunks.flatMap((chunk) => lines.add(Buffer.from(chunk), 0));
  return [...complete, ...lines.finish(0)].map(({ text }) => text);
}

test.each<[string, string, string[]]>([
  ["a line break of Windows", "one\r\ntwo\r\n", ["one", "two"]],
  ["a line break of Windows through a terminal", "one\r\r\ntwo\r\r\n", ["one", "two"]],
  ["a blank line", "a\n\nb\n", ["a", "", "b"]],
  ["a progress bar", " 10%\r 50%\r100%\n", ["100%"]],
  ["a progress bar that clears the line", "\r\u001B[K10%\r\u001B[K100%\ndone", ["100%", "done"]],
  [
    "a progress bar of npm",
    "\u001B[1G\u001B[0K⠋ 1\u001B[1G\u001B[0K⠙ 2\u001B[1G\u001B[0Kdone\n",
    ["done"],
  ],
  ["a line that was cleared", "wait…\r\u001B[K\nnext\n", ["next"]],
  ["a spinner", "work |\b/\b-\b\\\bok\n", ["work ok"]],
  ["colours", "\u001B[1;31mred\u001B[0m\n", ["\u001B[1;31mred\u001B[0m"]],
  [
    "a title",
    "\u001B]0;title\u0007text\u001B]8;;http://x\u001B\\link\u001B]8;;\u001B\\\n",
    ["textlink"],
  ],
  ["8-bit sequences", "\u009B31mred\u009D0;title\u009Ctext\n", ["\u001B[31mredtext"]],
  ["cursor movements and modes", "\u001B[?25la\u001B[2Cb\u001B7c\u001B(Bd\u001B[?25h\n", ["abcd"]],
  ["an unfinished sequence", "a\u001B[31", ["a"]],
  ["an unfinished title, which ends with its line", "a\u001B]0;title\nb\n", ["a", "b"]],
  ["an escape within a sequence", "a\u001B\u001B[31mb\n", ["a\u001B[31mb"]],
  ["a sequence that is none", "a\u001B[\u0001b\n", ["ab"]],
  ["characters that draw nothing", "a\u0000\u0007\u000Bb\tc\n", ["ab\tc"]],
  ["no line break at the end", "last", ["last"]],
])("%s", (_, text, expected) => {
  expect(linesOf(text)).toEqual(expected);
  // In two reads at every place, and byte by byte.
  const bytes = Buffer.from(text);
  for (let i = 1; i < bytes.length; i++)
    expect(linesOf(bytes.subarray(0, i), bytes.subarray(i)), `cut at ${i}`).toEqual(expected);
  expect(linesOf(...Array.from(bytes, (byte) => Buffer.of(byte)))).toEqual(expected);
});

test("a character that the end cut in two is not lost without a trace", () => {
  expect(linesOf(Buffer.from("schö").subarray(0, 4))).toEqual(["sch\uFFFD"]);
});

test("a string for the terminal without an end hides neither its line's rest nor what follows", () => {
  expect(linesOf(`\u001B]0;${"x".repeat(MAX_CONTROL_STRING - 1)}yz\nnext\n`)).toEqual([
    "yz",
    "next",
  ]);
  expect(linesOf(`\u001B[${"1".repeat(1_000)}mtext\n`).at(-1)).toMatch(/text$/);
});

test("hostile sequences of megabytes are read once", () => {
  const hostile = ["\u001B]", "\u001B[", "\u001B[1;", "\u001BP\u001B", "a\b", "\r", "\u001B[0m"];
  for (const part of hostile)
    for (const line of linesOf(...Array.from({ length: 100 }, () => part.repeat(10_000))))
      expect(line.length).toBeLessThanOrEqual(MAX_LINE_LENGTH);
});

test("three hours of a progress bar are a few hundred lines, and its last version is one of them", () => {
  const lines = new Lines();
  const shown: string[] = [];
  for (let second = 1; second <= 10_800; second++) {
    for (const { text } of lines.add(Buffer.from(`\r${second} of 10800`), second * 1_000))
      shown.push(text);
    const partial = lines.takePartial(second * 1_000);
    if (partial) shown.push(partial.text);
  }
  shown.push(...lines.add(Buffer.from("\n"), 10_801_000).map(({ text }) => text));
  expect(shown.length).toBeLessThan(200);
  expect(shown.slice(0, 3)).toEqual(["2 of 10800", "4 of 10800", "8 of 10800"]);
  expect(shown.at(-1)).toBe("10800 of 10800");
  expect(new Set(shown).size).toBe(shown.length);
});
