import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_DEPTH } from "../../../src/core/limits.ts";
import {
  checkDepth,
  copy,
  countKeys,
  equal,
  isObject,
  merge,
  touches,
  valueAt,
} from "../../../src/core/state/merge.ts";
import type { Json, JsonObject } from "../../../src/core/wire.ts";
import { anyJson, anyObject } from "../any-json.ts";

type Case = { name: string; before: JsonObject; patches: JsonObject[]; after: JsonObject };
const { cases } = JSON.parse(readFileSync("test/fixtures/merge.json", "utf8")) as { cases: Case[] };

/** Keys sorted, so that texts are equal exactly if values are; toEqual would not see an own `__proto__`. */
function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (!isObject(value)) return Object.is(value, -0) ? "-0" : JSON.stringify(value);
  const members = Object.entries(value).map(
    ([key, child]) => `${JSON.stringify(key)}:${canonical(child)}`,
  );
  return `{${members.sort().join()}}`;
}

function merged(before: JsonObject, ...patches: JsonObject[]): JsonObject {
  const state = copy(before) as JsonObject; // the copy of an object is one
  for (const patch of patches) merge(state, patch);
  return state;
}

/** An independent model: states are maps, and a merge creates a new one. */
type Tree = Map<string, Tree | string>;
const tree = (value: Json): Tree | string =>
  isObject(value)
    ? new Map(Object.entries(value).map(([key, child]) => [key, tree(child)]))
    : canonical(value);
function model(before: Tree | string | undefined, patch: Tree | string): Tree | string {
  if (!(patch instanceof Map) || !(before instanceof Map)) return patch;
  return new Map(
    [...new Set([...before.keys(), ...patch.keys()])].flatMap((key) => {
      const change = patch.get(key);
      const value = change === undefined ? before.get(key) : model(before.get(key), change);
      return change === "null" || value === undefined ? [] : [[key, value] as const];
    }),
  );
}
const flat = (value: Tree | string): string =>
  value instanceof Map
    ? `{${[...value]
        .map(([key, child]) => `${JSON.stringify(key)}:${flat(child)}`)
        .sort()
        .join()}}`
    : value;

describe("golden vectors", () => {
  test.each(cases)("$name", ({ before, patches, after }) => {
    expect(canonical(merged(before, ...patches))).toBe(canonical(after));
  });

  test("the model of these tests agrees with them too", () => {
    for (const { before, patches, after } of cases)
      expect(flat(patches.map(tree).reduce(model, tree(before)))).toBe(canonical(after));
  });
});

test("merging agrees with an independent model, patch after patch", () => {
  fc.assert(
    fc.property(anyObject, fc.array(anyObject, { maxLength: 6 }), (before, patches) => {
      expect(canonical(merged(before, ...patches))).toBe(
        flat(patches.map(tree).reduce(model, tree(before))),
      );
    }),
    { numRuns: 2_000 },
  );
});

test("the same patch twice is the same patch once, but for nulls that it inserted", () => {
  fc.assert(
    fc.property(anyObject, anyObject, (before, patch) => {
      const once = merged(before, patch);
      const twice = merged(before, patch, patch);
      // A null that stayed in a new object is deleted by the second patch, and then all is settled.
      expect(canonical(merged(before, patch, patch, patch))).toBe(canonical(twice));
      if (!canonical(patch).includes("null")) expect(canonical(twice)).toBe(canonical(once));
    }),
  );
});

test("patch and state share no object afterwards", () => {
  fc.assert(
    fc.property(anyObject, anyObject, anyObject, (before, patch, later) => {
      const text = JSON.stringify(patch);
      const state = merged(before, patch);
      merge(state, later);
      expect(JSON.stringify(patch)).toBe(text);
      expect(Object.getPrototypeOf(state)).toBe(Object.prototype);
    }),
  );
});

test("Object's prototype cannot be changed", () => {
  merge({}, JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'));
  expect("polluted" in {}).toBe(false);
});

test("a patch that does not touch a path leaves its value alone", () => {
  const path = fc.array(fc.constantFrom("a", "b", "c", "0", "__proto__"), { maxLength: 4 });
  fc.assert(
    fc.property(anyObject, anyObject, path, (before, patch, where) => {
      if (touches(patch, where)) return;
      expect(equal(valueAt(before, where), valueAt(merged(before, patch), where))).toBe(true);
    }),
    { numRuns: 2_000, examples: [[{ a: [false] }, { a: {} }, ["a", "0"]]] },
  );
});

test("values are found by path, in lists by index, and never in a prototype", () => {
  const state: JsonObject = { a: { b: [{ c: 1 }, null] }, "": { "": 2 } };
  expect(valueAt(state, ["a", "b", "0", "c"])).toBe(1);
  expect(valueAt(state, ["a", "b", "1"])).toBeNull();
  expect(valueAt(state, ["a", "b", "2"])).toBeUndefined();
  expect(valueAt(state, ["a", "b", "length"])).toBeUndefined();
  expect(valueAt(state, ["a", "toString"])).toBeUndefined();
  expect(valueAt(state, ["__proto__"])).toBeUndefined();
  expect(valueAt(state, ["", ""])).toBe(2);
  expect(valueAt(state, [])).toBe(state);
});

test("values are equal exactly if their JSON is, in any order of keys", () => {
  fc.assert(
    fc.property(anyJson, anyJson, (a, b) => {
      const normal = (value: Json) => canonical(value).replaceAll("-0", "0");
      expect(equal(a, copy(a))).toBe(true);
      expect(equal(a, b)).toBe(normal(a) === normal(b));
    }),
  );
});

test("keys are counted over the whole tree, lists included", () => {
  expect(countKeys({ a: { b: 1, c: [{ d: 1 }, { e: { f: 1 } }] }, g: null })).toBe(7);
  expect(countKeys([1, "x", null])).toBe(0);
});

function nested(levels: number, inList = false): Json {
  let value: Json = 1;
  for (let level = 0; level < levels; level++) value = inList ? [value] : { a: value };
  return value;
}

test.each([false, true])(
  "what is nested too deep is refused with its name (lists: %s)",
  (inList) => {
    expect(() => checkDepth(nested(MAX_DEPTH, inList), "The state")).not.toThrow();
    for (const levels of [MAX_DEPTH + 1, 100_000])
      expect(() => checkDepth(nested(levels, inList), "The state")).toThrow(
        expect.objectContaining({ code: "too_deep", message: expect.stringMatching(/^The state/) }),
      );
  },
);
