import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import { expect, test, vi } from "vitest";
import fc from "fast-check";
import {
  BLOCK_LENGTH,
  MAX_SECTIONS,
  MAX_SOURCE_BYTES,
  MAX_SOURCES,
} from "../../../src/core/sourcemaps/limits.ts";
import { elementsOf, readMapFile, stringAt } from "../../../src/core/sourcemaps/map-file.ts";
import { bundledByEsbuild, bundledByRolldown, stored } from "./world.ts";

const bytesOf = (map: unknown) => new TextEncoder().encode(JSON.stringify(map));

/** A map of one line, with a segment every `step` columns. */
function longLine(segments: number, names = 1) {
  return {
    version: 3,
    sources: ["a.js"],
    sourcesContent: [Array.from({ length: 2_000 }, (_, line) => `line ${line}`).join("\n")],
    names: Array.from({ length: names }, (_, index) => `name${index}`),
    mappings: Array.from({ length: segments }, (_, n) =>
      n === 0 ? "AAAAA" : n % 2 ? "IACA" : "IADA",
    ).join(","),
  };
}

test.each([
  ["esbuild", bundledByEsbuild],
  ["rolldown", bundledByRolldown],
])("every position of a map of %s is where another reader finds it", async (_, make) => {
  const { code, map } = await make();
  const [mine, other] = [stored(map), new TraceMap(map)];
  for (const [index, text] of code.split("\n").entries())
    for (let column = 1; column <= text.length; column++) {
      const expected = originalPositionFor(other, { line: index + 1, column: column - 1 });
      const found = mine.at(index + 1, column, false);
      expect([found?.line, found && found.column - 1], `${index + 1}:${column}`).toEqual([
        expected.line ?? undefined,
        expected.column ?? undefined,
      ]);
      if (found?.name !== undefined) expect(found.name).toBe(expected.name);
    }
});

/** Maps of any mappings, in order within a line as the specification has it. */
const anyMap = fc
  .array(
    fc.array(
      fc.record({
        step: fc.nat(40),
        original: fc.option(
          fc.record({
            source: fc.nat(3),
            line: fc.nat(30),
            column: fc.nat(300),
            name: fc.option(fc.nat(5)),
          }),
        ),
      }),
      { maxLength: 30 },
    ),
    { maxLength: 20 },
  )
  .map((lines) => {
    const last = { source: 0, line: 0, column: 0, name: 0 };
    const mappings = lines.map((segments) => {
      const written = segments.map(({ step, original }) => {
        if (!original) return vlq(step);
        const { source, line, column, name } = original;
        const numbers = [step, source - last.source, line - last.line, column - last.column];
        if (name !== null) numbers.push(name - last.name);
        Object.assign(last, { source, line, column, name: name ?? last.name });
        return numbers.map(vlq).join("");
      });
      return written.join(",");
    });
    const [sources, names] = [
      ["a.js", "b.js", "c.js", "d.js"],
      ["n0", "n1", "n2", "n3", "n4", "n5"],
    ];
    return { version: 3, sources, names, mappings: mappings.join(";") };
  });

function vlq(value: number): string {
  let [rest, text] = [value < 0 ? -value * 2 + 1 : value * 2, ""];
  do {
    const digit = rest % 32;
    rest = Math.floor(rest / 32);
    text += "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[
      digit + (rest > 0 ? 32 : 0)
    ];
  } while (rest > 0);
  return text;
}

test("any map is read as another reader reads it, also as a section of another map", () => {
  fc.assert(
    fc.property(
      anyMap,
      fc.nat(20),
      fc.nat(900),
      fc.nat(3),
      fc.nat(50),
      (map, line, column, down, right) => {
        const expected = originalPositionFor(new TraceMap(JSON.stringify(map)), {
          line: line + 1,
          column,
        });
        const plain = stored(JSON.stringify(map), "app.js").at(line + 1, column + 1);
        expect([plain?.file, plain?.line, plain && plain.column - 1]).toEqual([
          expected.source ?? undefined,
          expected.line ?? undefined,
          expected.column ?? undefined,
        ]);
        const sections = [
          {
            offset: { line: 0, column: 0 },
            map: { version: 3, sources: ["x.js"], names: [], mappings: "AAAA" },
          },
          { offset: { line: down, column: right }, map },
        ];
        const at = { line: line + 1 + down, column: column + 1 + (line === 0 ? right : 0) };
        const within = stored(JSON.stringify({ version: 3, sections }), "app.js").at(
          at.line,
          at.column,
        );
        expect(within).toEqual(plain);
      },
    ),
  );
});

test("a line of a million columns is cut into blocks, of which a position reads four", () => {
  const map = longLine(400_000);
  const { index, blocks, at, reads } = stored(JSON.stringify(map));
  expect(index.mappings.blocks.length).toBeGreaterThan(10);
  expect(Math.max(...blocks.map(({ length }) => length))).toBeLessThan(BLOCK_LENGTH + 100);
  for (const segment of [0, 1, 77_777, 250_001, 399_999]) {
    reads.length = 0;
    expect(at(1, segment * 4 + 2)).toMatchObject({
      file: "dist/a.js",
      line: 1 + (segment % 2),
      column: 1,
    });
    expect(reads.length).toBeLessThanOrEqual(4);
  }
});

test("work grows with the size of the map: its blocks, and what a position reads", () => {
  const [one, two, four] = [100_000, 200_000, 400_000].map((segments) => {
    const { blocks, at, reads } = stored(JSON.stringify(longLine(segments, segments / 4)));
    at(1, segments * 2);
    return { blocks: blocks.length, read: reads.reduce((sum, length) => sum + length, 0) };
  });
  if (!one || !two || !four) throw new Error("There are three sizes.");
  expect(two.blocks / one.blocks).toBeLessThan(2.2);
  expect(four.blocks / two.blocks).toBeLessThan(2.2);
  expect(four.read).toBeLessThan(one.read * 1.5);
});

test("the lines around a position are shown at every place of a long source", () => {
  const lines = Array.from(
    { length: 3_000 },
    (_, line) => `line ${line + 1}${line === 100 ? "x".repeat(5_000) : ""}`,
  );
  const mappings = lines.map((_, line) => (line === 0 ? "AAAA" : "AACA")).join(";");
  const { at } = stored(
    JSON.stringify({
      version: 3,
      sources: ["a.js"],
      sourcesContent: [lines.join("\r\n")],
      names: [],
      mappings,
    }),
  );
  for (const line of [
    1, 2, 5, 6, 99, 395, 396, 400, 401, 405, 406, 410, 411, 2_800, 2_805, 2_999, 3_000,
  ]) {
    const { excerpt } = at(line, 1) ?? {};
    const first = Math.max(1, line - 5);
    expect(excerpt?.first, `${line}`).toBe(first);
    expect(excerpt?.lines, `${line}`).toEqual(
      lines.slice(first - 1, line + 5).map((text) => text.slice(0, 1_000)),
    );
  }
});

test("a source of more than 8 MiB is named without its lines", () => {
  const sourcesContent = [`a${"\n".repeat(MAX_SOURCE_BYTES / 2)}`, "one\ntwo"];
  const map = {
    version: 3,
    sources: ["a.js", "b.js"],
    sourcesContent,
    names: [],
    mappings: "AAAA,ICCA",
  };
  const { at } = stored(JSON.stringify(map), "app.js");
  expect(at(1, 1)).toEqual({ file: "a.js", line: 1, column: 1 });
  expect(at(1, 5)?.excerpt?.lines).toEqual(["one", "two"]);
});

test("what the map does not have is not resolved", () => {
  const map = {
    version: 3,
    sources: ["a.js", null],
    sourcesContent: ["one\ntwo", null],
    names: [],
    mappings: "AAAA,IAKA,IACA;;A",
  };
  const { at } = stored(JSON.stringify(map));
  expect(at(1, 1)).toMatchObject({ line: 1 });
  expect(at(1, 5), "a line that the source does not have").toBeUndefined();
  expect(at(2, 1), "a line without mappings").toBeUndefined();
  expect(at(3, 1), "code of no source").toBeUndefined();
  expect(at(99, 1), "a line that the file does not have").toBeUndefined();
});

const GOOD = { version: 3, sources: ["a"], names: [], mappings: "AAAA" };

test.each([
  ["no JSON", "hello"],
  ["cut off", '{"version":3,"sources":["a'],
  ["a list", "[]"],
  ["something after it", `${JSON.stringify(GOOD)} x`],
  ["another version", JSON.stringify({ ...GOOD, version: 2 })],
  ["no mappings", JSON.stringify({ version: 3, sources: [] })],
  ["mappings that are a list", JSON.stringify({ ...GOOD, mappings: [] })],
  ["no VLQ", JSON.stringify({ ...GOOD, mappings: "A!AA" })],
  ["a segment that is cut off", JSON.stringify({ ...GOOD, mappings: "AAg" })],
  ["two numbers in a segment", JSON.stringify({ ...GOOD, mappings: "AA" })],
  ["six numbers in a segment", JSON.stringify({ ...GOOD, mappings: "AAAAAA" })],
  ["a number of 40 bits", JSON.stringify({ ...GOOD, mappings: "ggggggggA" })],
  ["a source that there is not", JSON.stringify({ ...GOOD, mappings: "ACAA" })],
  ["a name that there is not", JSON.stringify({ ...GOOD, mappings: "AAAAC" })],
  ["a negative line", JSON.stringify({ ...GOOD, mappings: "AADA" })],
  ["a negative column", JSON.stringify({ ...GOOD, mappings: "DAAA" })],
  [
    "a section without a map",
    JSON.stringify({ version: 3, sections: [{ offset: { line: 0, column: 0 } }] }),
  ],
  [
    "sections out of order",
    JSON.stringify({
      version: 3,
      sections: [5, 1].map((line) => ({ offset: { line, column: 0 }, map: GOOD })),
    }),
  ],
])("a file with %s is refused", (_, text) => {
  expect(() => stored(text)).toThrow(/This is no source map|does not|is not/);
});

test("sections that are nested deep, and too many of anything, are refused", () => {
  let map: object = GOOD;
  for (let depth = 0; depth < 6; depth++)
    map = { version: 3, sections: [{ offset: { line: 0, column: 0 }, map }] };
  expect(() => readMapFile(bytesOf(map))).toThrow(/nested deeper/);
  const deep = `${'{"version":3,"mappings":"","x":'}${"[".repeat(5e5)}${"]".repeat(5e5)}}`;
  expect(readMapFile(new TextEncoder().encode(deep)).sections.length).toBe(1);
  const sections = Array.from({ length: MAX_SECTIONS + 1 }, (_, line) => ({
    offset: { line, column: 0 },
    map: GOOD,
  }));
  expect(() => readMapFile(bytesOf({ version: 3, sections }))).toThrow(/more than/);
  const sources = Array.from({ length: MAX_SOURCES + 1 }, () => "");
  expect(() => readMapFile(bytesOf({ ...GOOD, sources }))).toThrow(/more than/);
});

const list = `[${"1,".repeat(5e5)}1]`;
test.each<[what: string, map: string, refused: RegExp | undefined]>([
  ["a version that is a list", `{"version":${list},"mappings":""}`, /version is not 3/],
  ["a debug id that is a list", `{"version":3,"debugId":${list},"mappings":""}`, undefined],
  ["a root that is a list", `{"version":3,"sourceRoot":${list},"mappings":""}`, undefined],
  ["sources that are lists", `{"version":3,"sources":[${list}],"mappings":""}`, undefined],
  [
    "a root of a million characters",
    `{"version":3,"sourceRoot":"${"a".repeat(1e6)}","mappings":""}`,
    undefined,
  ],
  [
    "a source of a million characters",
    `{"version":3,"sources":["${"a".repeat(1e6)}"],"mappings":""}`,
    undefined,
  ],
  ["names that are lists", `{"version":3,"names":[${list}],"mappings":""}`, undefined],
  [
    "a name of a million characters",
    `{"version":3,"names":["${"a".repeat(1e6)}"],"mappings":""}`,
    undefined,
  ],
  [
    "an offset that is a list",
    `{"version":3,"sections":[{"offset":${list},"map":{}}]}`,
    /no offset/,
  ],
  [
    "paths of nine million characters",
    `{"version":3,"sourceRoot":"${"r".repeat(900)}","sources":[${`"s",`.repeat(10_000)}"s"],"mappings":""}`,
    /characters in the paths/,
  ],
])("%s: little of it is parsed", (_, map, refused) => {
  const parse = vi.spyOn(JSON, "parse");
  try {
    const read = () => stored(map).blocks.length;
    if (refused) expect(read).toThrow(refused);
    else expect(read()).toBeLessThan(10);
    const characters = parse.mock.calls.reduce((sum, [text]) => sum + text.length, 0);
    expect(characters).toBeLessThan(64 * 1024);
  } finally {
    parse.mockRestore();
  }
});

test("a map of separators only is cut into blocks as well", () => {
  const { blocks, at } = stored(
    JSON.stringify({ ...GOOD, mappings: `AAAA${";".repeat(2e6)}AAAA` }),
  );
  expect(Math.max(...blocks.map(({ length }) => length))).toBeLessThanOrEqual(BLOCK_LENGTH + 8);
  expect(at(2_000_001, 1)).toMatchObject({ line: 1 });
  expect(at(1_000_000, 1)).toBeUndefined();
});

test("any JSON text is read as JSON.parse reads it", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.string(), fc.string({ unit: "binary" }))),
      fc.jsonValue(),
      (texts, more) => {
        const bytes = bytesOf({
          more,
          version: 3,
          mappings: "",
          names: texts.map((text) => text.toWellFormed()),
        });
        const { sections } = readMapFile(bytes);
        const read = [...elementsOf(bytes, sections[0]?.names)].map((span) =>
          stringAt(bytes, span),
        );
        expect(read).toEqual(texts.map((text) => text.toWellFormed()));
      },
    ),
  );
});

test("a line in front against inclusion as a script, sourceRoot and debug ids are read", () => {
  const text = `)]}'\n${JSON.stringify({ ...GOOD, sourceRoot: "/home/ci/game/", debugId: "85314830-023f" })}`;
  expect(readMapFile(new TextEncoder().encode(text)).debugId).toBe("85314830-023f");
  expect(stored(text).at(1, 1)?.file).toBe("/home/ci/game/a");
});
