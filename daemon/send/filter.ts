/**
 * Removes from patches what would not change the session's state. The filter knows a value once a patch has set it, and starts with
 * none. It removes only what is certain to change nothing.
 */
import type { Json, JsonObject } from "../../src/core/wire.ts";
import { equal, isObject } from "../../src/core/state/merge.ts";
import { MAX_FILTER_VALUES } from "../limits.ts";

/** An object's known members. `complete`: it has no others, so what is not here is absent. */
type Branch = { members: Map<string, Known>; complete: boolean };
type Known = Branch | { value: Json } | typeof ABSENT;
const ABSENT = Symbol("absent");

export class StateFilter {
  #root: Branch = { members: new Map(), complete: false };
  /** Restores, one by one, the values that changed since the last `commit`. */
  #undo: (() => void)[] = [];
  #size = 0;

  /** How many values are kept. */
  get size(): number {
    return this.#size;
  }

  /** The patch without what changes nothing; undefined if it changes nothing. The filter takes the patch as applied. */
  filter(patch: JsonObject): JsonObject | undefined {
    const rest = this.#filter(patch, this.#root);
    if (this.#size > MAX_FILTER_VALUES) this.clear();
    return rest;
  }

  /** The server has stored the patches since the last commit. */
  commit(): void {
    this.#undo = [];
  }

  /** The server has not: the records since the last commit are read again. */
  rollback(): void {
    for (const undo of this.#undo.toReversed()) undo();
    this.#undo = [];
  }

  /** Starts over without values. */
  clear(): void {
    this.#root = { members: new Map(), complete: false };
    this.#undo = [];
    this.#size = 0;
  }

  #filter(patch: JsonObject, branch: Branch): JsonObject | undefined {
    const kept: [string, Json][] = [];
    let changed = false;
    for (const [key, value] of Object.entries(patch)) {
      const rest = this.#filterMember(branch, key, value);
      if (rest !== value) changed = true;
      if (rest !== undefined) kept.push([key, rest]);
    }
    if (!changed) return kept.length > 0 ? patch : undefined;
    // fromEntries makes own properties even of `__proto__`.
    return kept.length > 0 ? Object.fromEntries(kept) : undefined;
  }

  #filterMember(branch: Branch, key: string, value: Json): Json | undefined {
    const known = branch.members.get(key) ?? (branch.complete ? ABSENT : undefined);
    if (value === null) {
      if (known === ABSENT) return undefined;
      this.#set(branch, key, ABSENT);
      return value;
    }
    if (isObject(value)) {
      if (known !== undefined && known !== ABSENT && "members" in known) {
        // An empty object merged into an object changes nothing, nor does one whose members change nothing.
        return this.#filter(value, known);
      }
      // A null inside means a deletion or a value, depending on whether there was an object before: unknown stays unknown.
      this.#set(branch, key, known === undefined ? partial(value) : whole(value));
      return value;
    }
    if (known !== undefined && known !== ABSENT && "value" in known && equal(known.value, value)) {
      return undefined;
    }
    this.#set(branch, key, { value });
    return value;
  }

  #set(branch: Branch, key: string, known: Known): void {
    const before = branch.members.get(key);
    branch.members.set(key, known);
    const grown = weight(known) - (before === undefined ? 0 : weight(before));
    this.#size += grown;
    this.#undo.push(() => {
      if (before === undefined) branch.members.delete(key);
      else branch.members.set(key, before);
      this.#size -= grown;
    });
  }
}

/** An object stored where there was none: exactly itself, nulls included. */
function whole(object: JsonObject): Branch {
  const members = Object.entries(object).map(([key, value]): [string, Known] => [
    key,
    isObject(value) ? whole(value) : { value },
  ]);
  return { members: new Map(members), complete: true };
}

/** What is certain after an object was merged into an unknown value. */
function partial(object: JsonObject): Branch {
  const members = Object.entries(object).flatMap(([key, value]): [string, Known][] => {
    if (value === null) return []; // deleted from an object, or stored as null in a new one
    return [[key, isObject(value) ? partial(value) : { value }]];
  });
  return { members: new Map(members), complete: false };
}

function weight(known: Known): number {
  if (known === ABSENT || "value" in known) return 1;
  let sum = 1;
  for (const member of known.members.values()) sum += weight(member);
  return sum;
}
