import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_NAME_LENGTH, MAX_PATH_VALUES, MAX_STATE_PATHS } from "../../src/core/limits.ts";
import { isObject, merge } from "../../src/core/merge.ts";
import {
  noteValues,
  type PathValues,
  setsValue,
  valueText,
  valueTexts,
} from "../../src/core/values.ts";
import type { Json, JsonObject } from "../../src/core/wire.ts";

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
  complete: boolean;
} {
  const paths: PathValues[] = [];
  const state: JsonObject = {};
  let complete = true;
  patches.forEach((patch, index) => {
    merge(state, patch);
    if (!noteValues(paths, patch, state, index + 1)) complete = false;
  });
  return { paths, state, complete };
}

describe("what a path held", () => {
  test("is each scalar with its first and its last time", () => {
    const { paths } = follow([{ mode: "menu" }, { mode: "play" }, { mode: "menu" }, { level: 1 }]);
    expect(paths).toEqual([
      {
        path: "mode",
        over: false,
        values: [
          { text: "=menu", since: 1, until: null },
          { text: "=play", since: 2, until: 3 },
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
    expect(held({ a: "x" }, { a: { b: 1 } })).toEqual({ a: ["(=x)"], "a.b": ["=1"] });
    expect(held({ a: "x" }, { a: {} })).toEqual({ a: ["(=x)"] });
  });

  test("continues when an empty object is merged into the object above it", () => {
    expect(held({ a: { b: 1 } }, { a: {} })).toEqual({ "a.b": ["=1"] });
  });

  test("of a list is each scalar in it", () => {
    expect(held({ tags: ["red", 2, null, { deep: 1 }] }, { tags: ["red"] })).toEqual({
      tags: ["=red", "(=2)", "(=null)"],
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

  test("are stored for a bounded number of paths of bounded length, and the result is false for another path", () => {
    const many = Object.fromEntries(
      Array.from({ length: MAX_STATE_PATHS + 1 }, (_, i) => [`k${i}`, i]),
    );
    expect(follow([many])).toMatchObject({ complete: false });
    expect(follow([many]).paths).toHaveLength(MAX_STATE_PATHS);
    expect(follow([{ ["x".repeat(MAX_NAME_LENGTH + 1)]: 1 }])).toMatchObject({
      complete: false,
      paths: [],
    });
    expect(follow([{ a: 1 }])).toMatchObject({ complete: true });
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
      : valueTexts(value).map((text) => path + text);
  fc.assert(
    fc.property(fc.array(tree, { maxLength: 8 }), (patches) => {
      const { paths, state } = follow(patches);
      const now = paths.flatMap(({ path, values }) =>
        values.filter(({ until }) => until === null).map(({ text }) => path + text),
      );
      const over = paths.filter((entry) => entry.over).map(({ path }) => path);
      expect(now.sort()).toEqual(
        scalars(state, "")
          .filter((text) => !over.some((path) => text.startsWith(`${path}=`)))
          .sort(),
      );
    }),
    { numRuns: 2_000 },
  );
});

test("a value's text is what 1.x compared", () => {
  expect([1.5, true, null, "text", ""].map(valueText)).toEqual([
    "=1.5",
    "=true",
    "=null",
    "=text",
    "=",
  ]);
  expect(valueText("x".repeat(500))).toBe(valueText(`${"x".repeat(400)}other`));
});

test("setsValue finds the patch that sets a value; a null deletes", () => {
  const list = Array.from({ length: 50 }, (_, i) => i);
  expect(setsValue({ a: { b: list } }, "a.b", "=49")).toBe(true);
  expect(setsValue({ a: { b: "x" } }, "a.b", "=x")).toBe(true);
  expect(setsValue({ a: { b: "x" } }, "a", "=x")).toBe(false);
  expect(setsValue({ a: null }, "a", "=null")).toBe(false);
});
