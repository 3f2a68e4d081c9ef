/**
 * Every value that each state path ever had, with its first and last time, for the search "ever in state". A scalar is stored as "="
 * and its text, as 1.x compared it. Of a list, every scalar in it is stored, so that a search finds lists that contain a value.
 * Of a path with too many values, only this fact is stored.
 */
import {
  MAX_NAME_LENGTH,
  MAX_PATH_VALUES,
  MAX_PATHS_BYTES,
  MAX_STATE_PATHS,
  MAX_VALUE_LENGTH,
} from "./limits.ts";
import { isObject, valueAt } from "./merge.ts";
import type { Json, JsonObject } from "./wire.ts";

/** A value of a path. `until` is null while the path still has it. */
type HeldValue = { text: string; since: number; until: number | null };
/** `path` is its keys, joined by dots. `over`: it had more values than are stored. */
export type PathValues = { path: string; over: boolean; values: HeldValue[] };

/** The catalog's entry for a path that is `over`: the session may have had any value, and only its log has every value. */
export const ANY_VALUE = "*";

type Scalar = null | boolean | number | string;

/** The stored text of a scalar. */
export function valueText(value: Scalar): string {
  return `=${typeof value === "string" ? value : JSON.stringify(value)}`.slice(
    0,
    MAX_VALUE_LENGTH + 1,
  );
}

/** The stored texts of a value at its path; none for an object, whose members have their own paths. */
export function valueTexts(value: Json): string[] {
  if (Array.isArray(value)) return [...new Set(value.filter(isScalar).map(valueText))];
  return isScalar(value) ? [valueText(value)] : [];
}

/**
 * Updates `paths` with a patch that was applied at `at` and resulted in `state`. False if the patch set a path that is not stored,
 * because there are too many paths or its name is too long.
 */
export function noteValues(
  paths: PathValues[],
  patch: JsonObject,
  state: JsonObject,
  at: number,
): boolean {
  return noteBelow(paths, patch, state, "", at);
}

function noteBelow(
  paths: PathValues[],
  patch: JsonObject,
  state: JsonObject,
  prefix: string,
  at: number,
): boolean {
  let complete = true;
  for (const key of Object.keys(patch)) {
    const path = prefix === "" ? key : `${prefix}.${key}`;
    const change = valueAt(patch, [key]);
    const value = valueAt(state, [key]); // undefined: deleted
    const texts = value === undefined ? [] : valueTexts(value);
    if (isObject(change) && isObject(value)) {
      // The path may have had a scalar before; an object that is now empty has no members either.
      endValues(paths, path, Object.keys(value).length > 0 ? "only" : "below", texts, at);
      if (!noteBelow(paths, change, value, path, at)) complete = false;
      continue;
    }
    endValues(paths, path, "below", texts, at);
    // One more than the limit is enough to mark the path as over.
    for (const text of texts.slice(0, MAX_PATH_VALUES + 1))
      if (!noteValue(paths, path, text, at)) complete = false;
  }
  return complete;
}

/** Whether a patch sets a path to a value with this text. A null in the patch deletes. */
export function setsValue(patch: JsonObject, path: string, text: string): boolean {
  for (const [leaf, value] of leaves(patch, ""))
    if (leaf === path && value !== null && valueTexts(value).includes(text)) return true;
  return false;
}

function* leaves(value: JsonObject, prefix: string): Generator<[string, Json]> {
  for (const [key, child] of Object.entries(value)) {
    const path = prefix === "" ? key : `${prefix}.${key}`;
    if (isObject(child) && Object.keys(child).length > 0) yield* leaves(child, path);
    else yield [path, child];
  }
}

/** Ends the values at the path, and with reach "below" those of its members, except the ones in `texts`. */
function endValues(
  paths: PathValues[],
  path: string,
  reach: "only" | "below",
  texts: string[],
  at: number,
): void {
  const below = `${path}.`;
  for (const entry of paths) {
    const same = entry.path === path;
    if (!same && (reach === "only" || !entry.path.startsWith(below))) continue;
    for (const held of entry.values) {
      if (held.until === null && !(same && texts.includes(held.text))) held.until = at;
    }
  }
}

/** Starts or continues a value. False if the path cannot be stored. */
function noteValue(paths: PathValues[], path: string, text: string, at: number): boolean {
  let entry = paths.find((candidate) => candidate.path === path);
  if (!entry) {
    const isFull = paths.length >= MAX_STATE_PATHS || sizeOf(paths) > MAX_PATHS_BYTES;
    if (isFull || path.length > MAX_NAME_LENGTH) return false;
    entry = { path, over: false, values: [] };
    paths.push(entry);
  }
  if (entry.over) return true;
  const held = entry.values.find((candidate) => candidate.text === text);
  if (held) {
    held.until = null;
    return true;
  }
  if (entry.values.length < MAX_PATH_VALUES && sizeOf(paths) <= MAX_PATHS_BYTES) {
    entry.values.push({ text, since: at, until: null });
    return true;
  }
  entry.over = true;
  entry.values = [];
  return true;
}

/** Approximate size as JSON. */
function sizeOf(paths: PathValues[]): number {
  let size = 0;
  for (const { path, values } of paths) {
    size += path.length + 40;
    for (const { text } of values) size += text.length + 60;
  }
  return size;
}

function isScalar(value: Json): value is Scalar {
  return typeof value !== "object" || value === null;
}
