import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_NAME_LENGTH, MAX_PATH_VALUES, MAX_STATE_PATHS } from "../../../src/core/limits.ts";
import { isObject, merge } from "../../../src/core/state/merge.ts";
import {
  askedTexts,
  cut,
  noteValues,
  type PathValues,
  textsOf,
  valueText,
} from "../../../src/core/state/values.ts";
import type { Json, JsonObject } from "../../../src/core/wire.ts";

/** What is held after these patches, at 1, 2, 3…: path → values, those that are over in brackets. */
function held(...patches: JsonObject[]): { [path: string]: string[] | "over" } {
  const { paths } = follow(patches);
  return Object.fromEntries(
    paths.map(({ path, over, values }) => [
      path,
      over ? "over" : values.map(({ text, until }) => (until === null ? text : `(${text})`)),
    ]),
  );
}

function follow(patches: JsonObject[]): {
  paths: PathValues[];
  state: JsonObject;
  leftOut: number;
} {
  const paths: PathValues[] = [];
  const state: JsonObject = {};
  let leftOut = 0;
  patches.forEach((patch, index) => {
    merge(state, patch);
    leftOut += noteValues(paths, patch, state, index + 1);
  });
  return { paths, state, leftOut };
}

describe("what a path held", () => {
  test("is each scalar with its first and its last time", () => {
    const { paths } = follow([{ mode: "menu" }, { mode: "play" }, { mode: "menu" }, { level: 1 }]);
    expect(paths).toEqual([
      {
        path: "mode",
        over: false,
        values: [
          { text: '"menu', since: 1, until: null },
          { text: '"play', since: 2, until: 3 },
        ],
      },
      { path: "level", over: false, values: [{ text: "=1", since: 4, until: null }] },
    ]);
  });

  test("ends with the key, or with an object above it", () => {
    expect(held({ a: { b: 1, c: 2 } }, { a: { b: null } })).toEqual({
      "a.b": ["(=1)"],
      "a.c": ["=2"],
    });
    expect(held({ a: { b: 1 } }, { a: null })).toEqual({ "a.b": ["(=1)"] });
    expect(held({ a: { b: 1 } }, { a: 5 })).toEqual({ "a.b": ["(=1)"], a: ["=5"] });
  });

  test("ends when an object takes its place", () => {
    expect(held({ a: "x" }, { a: { b: 1 } })).toEqual({ a: ['("x)'], "a.b": ["=1"] });
    expect(held({ a: "x" }, { a: {} })).toEqual({ a: ['("x)'] });
  });

  test("continues when an empty object is merged into the object above it", () => {
    expect(held({ a: { b: 1 } }, { a: {} })).toEqual({ "a.b": ["=1"] });
  });

  test("of a list is each scalar in it", () => {
    expect(held({ tags: ["red", 2, null, { deep: 1 }] }, { tags: ["red"] })).toEqual({
      tags: ['"red', "(=2)", "(=null)"],
    });
  });

  test("is null where a null stayed in a new object", () => {
    expect(held({ a: { b: null } })).toEqual({ "a.b": ["=null"] });
  });

  test("is only marked when there are too many values", () => {
    const patches = Array.from({ length: MAX_PATH_VALUES + 1 }, (_, i) => ({ progress: i }));
    expect(held(...patches)).toEqual({ progress: "over" });
    expect(held(...patches.slice(1))["progress"]).toHaveLength(MAX_PATH_VALUES);
    expect(held({ list: Array.from({ length: 99 }, (_, i) => i) })).toEqual({ list: "over" });
  });

  test("are stored for a bounded number of paths of bounded length, and the result counts values of other paths", () => {
    const many = Object.fromEntries(
      Array.from({ length: MAX_STATE_PATHS + 1 }, (_, i) => [`k${i}`, i]),
    );
    expect(follow([many])).toMatchObject({ leftOut: 1 });
    expect(follow([many]).paths).toHaveLength(MAX_STATE_PATHS);
    expect(follow([{ ["x".repeat(MAX_NAME_LENGTH + 1)]: 1 }])).toMatchObject({
      leftOut: 1,
      paths: [],
    });
    expect(follow([{ a: 1 }])).toMatchObject({ leftOut: 0 });
  });

  test("has a bounded size for any state", () => {
    const wide = (round: number) =>
      Object.fromEntries(
        Array.from({ length: 150 }, (_, i) => [
          `${i}${"k".repeat(200)}`,
          `${round}${"v".repeat(500)}`,
        ]),
      );
    const { paths } = follow(Array.from({ length: 8 }, (_, round) => wide(round)));
    expect(JSON.stringify(paths).length).toBeLessThan(200 * 1024);
  });
});

test("the values that last are those of the state, after any patches", () => {
  const key = fc.constantFrom("a", "b", "c"); // no dots: a.b is the same path as a within b
  const tree = fc.letrec<{ value: Json; object: JsonObject }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom<Json>(null, 1, "x", true),
      fc.constantFrom<Json>([], [1, "y"], [[2]]),
      tie("object"),
    ),
    object: fc.dictionary(key, tie("value"), { maxKeys: 3 }),
  })).object;
  const scalars = (value: Json, path: string): string[] =>
    isObject(value)
      ? Object.entries(value).flatMap(([name, child]) =>
          scalars(child, path ? `${path}.${name}` : name),
        )
      : textsOf(value).map((text) => path + text);
  fc.assert(
    fc.property(fc.array(tree, { maxLength: 8 }), (patches) => {
      const { paths, state } = follow(patches);
      const now = paths.flatMap(({ path, values }) =>
        values.filter(({ until }) => until === null).map(({ text }) => path + text),
      );
      const over = paths.filter((entry) => entry.over).map(({ path }) => path);
      expect(now.sort()).toEqual(
        scalars(state, "")
          .filter(
            (text) =>
              !over.some((path) => text.startsWith(`${path}=`) || text.startsWith(`${path}"`)),
          )
          .sort(),
      );
    }),
    { numRuns: 2_000 },
  );
});

test("a value's text distinguishes strings from other scalars, and is cut where it is stored", () => {
  expect([1.5, true, null, "text", "", "1.5"].map(valueText)).toEqual([
    "=1.5",
    "=true",
    "=null",
    '"text',
    '"',
    '"1.5',
  ]);
  expect(cut(valueText("x".repeat(500)))).toBe(cut(valueText(`${"x".repeat(400)}other`)));
});

test.each([
  ["1.0", undefined, ['"1.0', "=1"]],
  ["1.10", undefined, ['"1.10', "=1.1"]],
  ["1e21", undefined, ['"1e21', "=1e+21"]],
  ["1e+21", "number", ["=1e+21"]],
  ["1.0", "string", ['"1.0']],
  ["", "string", ['"']],
  ["", "number", []],
  ["true", undefined, ['"true', "=true"]],
  ["true", "boolean", ["=true"]],
  ["null", "null", ["=null"]],
  ["1e999", undefined, ['"1e999']],
  ["0x10", undefined, ['"0x10']],
  [" 7", undefined, ['" 7', "=7"]],
] as const)("asking for %j as %s is asking for %j", (written, type, texts) => {
  expect(askedTexts(written, type)).toEqual(texts);
});

test("every scalar that was recorded can be asked, without its type and with it", () => {
  const scalar = fc.oneof(
    fc.string(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
  );
  fc.assert(
    fc.property(scalar, (value) => {
      const written = typeof value === "string" ? value : JSON.stringify(value);
      const type = typeof value as "string" | "number" | "boolean";
      expect(askedTexts(written)).toContain(valueText(value));
      expect(askedTexts(written, type)).toEqual([valueText(value)]);
    }),
  );
});

test("a list with objects in it is marked, since its members have no paths", () => {
  const { paths } = follow([{ list: [{ x: 1 }, 2] }]);
  expect(paths).toMatchObject([{ path: "list", hasMembers: true, values: [{ text: "=2" }] }]);
});

test("keys with dots and backslashes have paths of their own", () => {
  const { paths } = follow([{ "a.b": 1, a: { b: 2 }, "c\\": { "": 3 } }]);
  expect(paths.map(({ path }) => path)).toEqual(["a\\.b", "a.b", "c\\\\."]);
});
