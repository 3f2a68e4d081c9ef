/** What `datacat run` recognises in a command's output, in the texts of test/fixtures/printed-errors.txt. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lastError } from "../../../../daemon/cli/run/errors/find.ts";
import type { PrintedError } from "../../../../daemon/cli/run/errors/printed-error.ts";

const fixture = join(import.meta.dirname, "../../../fixtures/printed-errors.txt");
const [, ...sections] = readFileSync(fixture, "utf8").split(/^=== /m);

/** Each text with its name and what must be found in it. */
const texts = sections.map((section) => {
  const [name = "", ...lines] = section.trimEnd().split("\n");
  const expected = lines.filter((line) => line.startsWith("> "));
  return { name, expected, lines: lines.slice(expected.length) };
});

function described(error: PrintedError | undefined): string[] {
  if (!error) return ["> none"];
  const { type, message, source, stack, causes = [] } = error;
  const first = message.split("\n", 1)[0] ?? "";
  const lines = [`> ${type}${first === "" ? "" : `: ${first}`}`];
  if (source) {
    const place = source.line === undefined ? source.file : `${source.file}:${source.line}`;
    lines.push(`> in ${source.function ? `${source.function} (${place})` : place}`);
  }
  lines.push(`> frames ${stack.length}`);
  for (const cause of causes)
    lines.push(
      `> caused by ${cause.exception_type}: ${(cause.exception_msg ?? "").split("\n", 1)[0]}`,
    );
  return lines;
}

test.each(texts)("$name", ({ lines, expected }) => {
  expect(described(lastError(lines))).toEqual(expected);
});

const found = texts.filter(({ expected }) => expected[0] !== "> none");

test.each([
  ["a time", (line: string) => `2026-11-28T19:41:22.123Z ${line}`],
  ["a container's name", (line: string) => `web-1  | ${line}`],
  ["a number and a time", (line: string) => `[1] [12:00:01] ${line}`],
])("%s in front of each line hides no error", (_, prefixed) => {
  for (const { name, lines, expected } of found)
    expect(described(lastError(lines.map(prefixed))), name).toEqual(expected);
});

test("what make, npm and the shell add below an error is not the error", () => {
  const below = ["make: *** [Makefile:2: all] Error 1", "npm error code 1", "", "exit status 1"];
  for (const { name, lines, expected } of found.filter(
    ({ expected: [first] }) => !first?.startsWith("> make"),
  ))
    expect(described(lastError([...lines, ...below])), name).toEqual(expected);
});

test("of any two errors the last is found", () => {
  for (const first of found)
    for (const { name, lines, expected } of found)
      if (!expected[0]?.startsWith("> make"))
        expect(
          described(lastError([...first.lines, "", "next", ...lines])),
          `${first.name}, ${name}`,
        ).toEqual(expected);
});

test("standard output shows only what no other text looks like", () => {
  const ordinary = ["3 of 4 passed at a.pl line 3.", "x: 3: y: not found", "a.sh: line 3: b: c"];
  expect(lastError(ordinary, true)).toBeUndefined();
  expect(lastError(ordinary)).toBeDefined();
});

test("a start of an error that is repeated to the end of the output takes no more time than once for each line", () => {
  const starts = found.flatMap(({ lines }) => lines.slice(0, 3));
  for (const start of new Set(starts)) lastError(Array.from({ length: 500 }, () => start));
  for (const start of new Set(starts))
    lastError(Array.from({ length: 20 }, () => start.padEnd(1_000, start || ":")));
});
