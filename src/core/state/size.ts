/** Holds a state to its limits without measuring it after each change. */
import { MAX_STATE_BYTES, MAX_STATE_KEYS } from "../limits.ts";
import { Refusal } from "../refusal.ts";
import { utf8 } from "../segments/bytes.ts";
import type { JsonObject } from "../wire.ts";
import { countKeys } from "./merge.ts";

/** A UTF-16 code unit takes at most three bytes of UTF-8. */
const MAX_UTF8_BYTES = 3;

export class StateSize {
  /** Upper bounds of the state's size. It is measured only when they exceed the limits. */
  #byteBound = Infinity;
  #keyBound = Infinity;

  /** After a patch was merged into the state. Throws a Refusal: too_large, too_many_keys. */
  check(state: JsonObject, patch: JsonObject): void {
    this.#byteBound += JSON.stringify(patch).length * MAX_UTF8_BYTES;
    this.#keyBound += countKeys(patch);
    if (this.#byteBound <= MAX_STATE_BYTES && this.#keyBound <= MAX_STATE_KEYS) return;
    const bytes = utf8(JSON.stringify(state)).length;
    if (bytes > MAX_STATE_BYTES) {
      throw new Refusal(
        "too_large",
        `The state would have ${bytes} bytes; the limit is ${MAX_STATE_BYTES}. Delete keys that are no longer needed, or log events instead.`,
      );
    }
    const keys = countKeys(state);
    if (keys > MAX_STATE_KEYS) {
      throw new Refusal(
        "too_many_keys",
        `The state would have ${keys} keys; the limit is ${MAX_STATE_KEYS}. Delete keys that are no longer needed, or use lists.`,
      );
    }
    this.#byteBound = bytes;
    this.#keyBound = keys;
  }
}
