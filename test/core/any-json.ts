/** Any JSON that a program may send, with the keys that have surprised programs before. */
import fc from "fast-check";
import type { Json, JsonObject } from "../../src/core/wire.ts";

const key = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("a", "b", "c", "level", "player") },
  {
    weight: 1,
    arbitrary: fc.constantFrom("__proto__", "constructor", "prototype", "toString", ""),
  },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme", maxLength: 4 }) },
);

const { json, object } = fc.letrec<{ json: Json; object: JsonObject }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(
      fc.constant<Json>(null),
      fc.boolean(),
      fc.integer({ min: -9, max: 9 }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.string({ maxLength: 5 }),
    ),
    tie("object"),
    fc.array(tie("json"), { maxLength: 3 }),
  ),
  // fromEntries defines own properties, so that __proto__ is a key.
  object: fc
    .array(fc.tuple(key, tie("json")), { maxLength: 4 })
    .map((entries) => Object.fromEntries(entries)),
}));

export const anyJson: fc.Arbitrary<Json> = json;
export const anyObject: fc.Arbitrary<JsonObject> = object;
