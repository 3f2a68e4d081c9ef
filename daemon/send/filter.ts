/**
 * What is known of a session's state, and what a patch would not change in it. Knowledge is partial: it starts with nothing, and
 * a value is known once a patch said it. Only what is sure to change nothing is stripped.
 */
import type { Json, JsonObject } from "../../src/core/wire.ts";
import { equal, isObject } from "../../src/core/merge.ts";
import { MAX_KNOWN_VALUES } from "../limits.ts";

/** An object's known members. `complete`: it has no others, so what is not here is absent. */
type Branch = { members: Map<string, Known>; complete: boolean };
type Known = Branch | { value: Json } | typeof ABSENT;
const ABSENT = Symbol("absent");

export class StateFilter {
  #root: Branch = { members: new Map(), complete: false };
  /** How to take back what was learned since the last `commit`. */
  #undo: (() => void)[] = [];
  #size = 0;

  /** How many values are remembered. */
  get size(): number {
    return this.#size;
  }

  /** The patch without what changes nothing, or nothing if it changes nothing at all. Takes it as applied. */
  strip(patch: JsonObject): JsonObject | undefined {
    const rest = this.#strip(patch, this.#root);
    if (this.#size > MAX_KNOWN_VALUES) this.forget();
    return rest;
  }

  /** What was stripped against is stored on the server. */
  commit(): void {
    this.#undo = [];
  }

  /** It is not: everything since the last commit will be read again. */
  rollback(): void {
    for (const undo of this.#undo.toReversed()) undo();
    this.#undo = [];
  }

  /** Starts over with no knowledge. */
  forget(): void {
    this.#root = { members: new Map(), complete: false };
    this.#undo = [];
    this.#size = 0;
  }

  #strip(patch: JsonObject, branch: Branch): JsonObject | undefined {
    const kept: [string, Json][] = [];
    let changed = false;
    for (const [key, value] of Object.entries(patch)) {
      const rest = this.#stripMember(branch, key, value);
      if (rest !== value) changed = true;
      if (rest !== undefined) kept.push([key, rest]);
    }
    if (!changed) return kept.length > 0 ? patch : undefined;
    // fromEntries makes own properties even of `__proto__`.
    return kept.length > 0 ? Object.fromEntries(kept) : undefined;
  }

  #stripMember(branch: Branch, key: string, value: Json): Json | undefined {
    const known = branch.members.get(key) ?? (branch.complete ? ABSENT : undefined);
    if (value === null) {
      if (known === ABSENT) return undefined;
      this.#learn(branch, key, ABSENT);
      return value;
    }
    if (isObject(value)) {
      if (known !== undefined && known !== ABSENT && "members" in known) {
        // An empty object onto an object changes nothing, and neither does one whose members all change nothing.
        return this.#strip(value, known);
      }
      // Whether there was an object before decides what a null inside means, so the unknown stays unknown.
      this.#learn(branch, key, known === undefined ? partial(value) : whole(value));
      return value;
    }
    if (known !== undefined && known !== ABSENT && "value" in known && equal(known.value, value)) {
      return undefined;
    }
    this.#learn(branch, key, { value });
    return value;
  }

  #learn(branch: Branch, key: string, known: Known): void {
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

/** What an object leaves behind where there was none before: exactly itself, nulls included. */
function whole(object: JsonObject): Branch {
  const members = Object.entries(object).map(([key, value]): [string, Known] => [
    key,
    isObject(value) ? whole(value) : { value },
  ]);
  return { members: new Map(members), complete: true };
}

/** What is sure after an object was merged into something unknown. */
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
