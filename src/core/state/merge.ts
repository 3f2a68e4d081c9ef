/**
 * RFC 7396 merge patch, with the one difference that datacat 1.x's clients rely on: a null inside a newly inserted object (where
 * no object was before) is kept as null. `__proto__`, `constructor` and `prototype` are
 * ordinary keys. Pinned by test/fixtures/merge.json in every language.
 */
import { MAX_DEPTH } from "../limits.ts";
import { Refusal } from "../refusal.ts";
import type { Json, JsonObject } from "../wire.ts";

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Applies `patch` to `state` in place. Inserted values are copied, so that the two share no object. */
export function merge(state: JsonObject, patch: JsonObject): void {
  for (const key of Object.keys(patch)) {
    const change = own(patch, key);
    if (change === null) {
      delete state[key];
      continue;
    }
    const before = own(state, key);
    if (isObject(change) && isObject(before)) merge(before, change);
    else put(state, key, copy(change ?? null));
  }
}

/** The value at a path, or undefined if there is none. A key of a list is its index. */
export function valueAt(state: Json, path: readonly string[]): Json | undefined {
  let value: Json | undefined = state;
  for (const key of path) {
    if (Array.isArray(value)) value = value[Number(key)];
    else if (isObject(value)) value = own(value, key);
    else return undefined;
  }
  return value;
}

/** Whether a patch can change anything at or below a path. */
export function touches(patch: JsonObject, path: readonly string[]): boolean {
  let value: Json | undefined = patch;
  for (const key of path) {
    if (!isObject(value)) return true; // something above the path is replaced
    // If the state has a list here, an object in the patch replaces all its items.
    if (!Object.hasOwn(value, key)) return /^\d+$/.test(key);
    value = own(value, key);
  }
  return true;
}

export function copy(value: Json): Json {
  if (Array.isArray(value)) return value.map(copy);
  if (!isObject(value)) return value;
  const result: JsonObject = {};
  for (const key of Object.keys(value)) put(result, key, copy(own(value, key) ?? null));
  return result;
}

export function equal(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => equal(item, b[index]));
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && equal(own(a, key), own(b, key)))
  );
}

/** The number of keys in the whole tree. */
export function countKeys(value: Json): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + countKeys(item), 0);
  if (!isObject(value)) return 0;
  return Object.keys(value).reduce((sum, key) => sum + 1 + countKeys(own(value, key) ?? null), 0);
}

/** Throws a Refusal (too_deep). Recurses at most MAX_DEPTH levels. */
export function checkDepth(value: Json, what: string, depth = 0): void {
  if (typeof value !== "object" || value === null) return;
  if (depth >= MAX_DEPTH) {
    throw new Refusal(
      "too_deep",
      `${what} is nested deeper than ${MAX_DEPTH} levels; flatten it, or send its inner parts as strings.`,
    );
  }
  for (const item of Object.values(value)) checkDepth(item, what, depth + 1);
}

/** An own property: `state["__proto__"]` would be Object's prototype. */
function own(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Assignment to `__proto__` would set the prototype instead of a property. */
function put(object: JsonObject, key: string, value: Json): void {
  if (key === "__proto__")
    Object.defineProperty(object, key, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  else object[key] = value;
}
