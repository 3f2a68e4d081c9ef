import fc from "fast-check";
import { expect, test } from "vitest";
import { StateFilter } from "../../../daemon/send/filter.ts";
import { merge } from "../../../src/core/state/merge.ts";
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

test("what the filter removes changes nothing: the state is the same with and without it", () => {
  fc.assert(
    fc.property(tree, fc.array(tree), (before, patches) => {
      // The filter knows nothing of what was there before it.
      const whole = structuredClone(before);
      const filtered = structuredClone(before);
      const filter = new StateFilter();
      for (const patch of patches) {
        merge(whole, patch);
        const rest = filter.filter(patch);
        if (rest) merge(filtered, rest);
        expect(filtered).toEqual(whole);
      }
    }),
    { numRuns: 1_000 },
  );
});

test("after a rollback the filter has the values that it had", () => {
  fc.assert(
    fc.property(fc.array(tree), fc.array(tree), fc.array(tree), (kept, undone, after) => {
      const filter = new StateFilter();
      const model = new StateFilter();
      for (const patch of kept) {
        filter.filter(patch);
        model.filter(patch);
      }
      filter.commit();
      for (const patch of undone) filter.filter(patch);
      filter.rollback();
      expect(filter.size).toBe(model.size);
      for (const patch of after) expect(filter.filter(patch)).toEqual(model.filter(patch));
    }),
  );
});

test("a value set again is removed, and so is a patch with nothing left in it", () => {
  const filter = new StateFilter();
  expect(filter.filter({ level: 3, player: { hp: 100 } })).toBeDefined();
  expect(filter.filter({ level: 3, player: { hp: 90 } })).toEqual({ player: { hp: 90 } });
  expect(filter.filter({ level: 3, player: { hp: 90 } })).toBeUndefined();
  expect(filter.filter({ player: {} })).toBeUndefined();
});

test("a null for an unknown key is sent, the same null again is not, as in 1.x", () => {
  const filter = new StateFilter();
  expect(filter.filter({ gone: null })).toEqual({ gone: null });
  expect(filter.filter({ gone: null })).toBeUndefined();
});

test("a null inside a newly inserted object is a value, and a second one deletes it", () => {
  const filter = new StateFilter();
  filter.filter({ a: 1 });
  expect(filter.filter({ a: { b: null } })).toEqual({ a: { b: null } });
  expect(filter.filter({ a: { b: null } })).toEqual({ a: { b: null } });
  expect(filter.filter({ a: { b: null } })).toBeUndefined();
});
