import fc from "fast-check";
import { expect, test } from "vitest";
import { StateFilter } from "../../../daemon/send/filter.ts";
import { merge } from "../../../src/core/merge.ts";
import type { Json, JsonObject } from "../../../src/core/wire.ts";

const key = fc.constantFrom("a", "b", "c", "__proto__");
const { tree } = fc.letrec<{ tree: JsonObject; value: Json }>((tie) => ({
  tree: fc.dictionary(key, tie("value"), { maxKeys: 3, noNullPrototype: true }),
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<Json>(null, 0, 1, "x", [], [1, { a: null }]),
    tie("tree"),
  ),
}));

test("what is stripped changes nothing: the state is the same with and without the filter", () => {
  fc.assert(
    fc.property(tree, fc.array(tree), (before, patches) => {
      // The filter knows nothing of what was there before it.
      const whole = structuredClone(before);
      const filtered = structuredClone(before);
      const filter = new StateFilter();
      for (const patch of patches) {
        merge(whole, patch);
        const rest = filter.strip(patch);
        if (rest) merge(filtered, rest);
        expect(filtered).toEqual(whole);
      }
    }),
    { numRuns: 1_000 },
  );
});

test("after a rollback the filter knows what it knew", () => {
  fc.assert(
    fc.property(fc.array(tree), fc.array(tree), fc.array(tree), (kept, undone, after) => {
      const filter = new StateFilter();
      const model = new StateFilter();
      for (const patch of kept) {
        filter.strip(patch);
        model.strip(patch);
      }
      filter.commit();
      for (const patch of undone) filter.strip(patch);
      filter.rollback();
      expect(filter.size).toBe(model.size);
      for (const patch of after) expect(filter.strip(patch)).toEqual(model.strip(patch));
    }),
  );
});

test("a value said again is stripped, and so is a patch with nothing left in it", () => {
  const filter = new StateFilter();
  expect(filter.strip({ level: 3, player: { hp: 100 } })).toBeDefined();
  expect(filter.strip({ level: 3, player: { hp: 90 } })).toEqual({ player: { hp: 90 } });
  expect(filter.strip({ level: 3, player: { hp: 90 } })).toBeUndefined();
  expect(filter.strip({ player: {} })).toBeUndefined();
});

test("a null for an unknown key is sent, the same null again is not, as in 1.x", () => {
  const filter = new StateFilter();
  expect(filter.strip({ gone: null })).toEqual({ gone: null });
  expect(filter.strip({ gone: null })).toBeUndefined();
});

test("a null inside a newly inserted object is a value, and a second one deletes it", () => {
  const filter = new StateFilter();
  filter.strip({ a: 1 });
  expect(filter.strip({ a: { b: null } })).toEqual({ a: { b: null } });
  expect(filter.strip({ a: { b: null } })).toEqual({ a: { b: null } });
  expect(filter.strip({ a: { b: null } })).toBeUndefined();
});
