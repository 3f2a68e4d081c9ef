/**
 * Every value that each state path ever held, with its first and last time: what "ever in state" searches. A scalar is "=" and
 * its text, as 1.x compared it; of a list every scalar in it, so that "contains" is found as well. Bounded: of a path that
 * held too many values only that is known.
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

/** `until` is null while it lasts. */
export type HeldValue = { text: string; since: number; until: number | null };
/** `path` is its keys, joined by dots. `over`: it held more values than are kept. */
export type PathValues = { path: string; over: boolean; values: HeldValue[] };

/** Stands for all values of a path that is over: its session may have held any, and only its object knows. */
export const ANY_VALUE = "*";

type Scalar = null | boolean | number | string;

/** What to look for when someone asks for a value. */
export function valueText(value: Scalar): string {
  return `=${typeof value === "string" ? value : JSON.stringify(value)}`.slice(
    0,
    MAX_VALUE_LENGTH + 1,
  );
}

/** What is kept of a value at its path; nothing of objects, whose members have paths of their own. */
export function valueTexts(value: Json): string[] {
  if (Array.isArray(value)) return [...new Set(value.filter(isScalar).map(valueText))];
  return isScalar(value) ? [valueText(value)] : [];
}

/**
 * Follows one patch that was applied at `at` and left `state`. Changes `paths`. False if it set a path that is not kept, because
 * there are too many of them or its name is too long.
 */
export function holdValues(
  paths: PathValues[],
  patch: JsonObject,
  state: JsonObject,
  at: number,
): boolean {
  return follow(paths, patch, state, "", at);
}

function follow(
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
      // It may have been a scalar before, and an object that is empty now holds nothing below either.
      release(paths, path, Object.keys(value).length > 0 ? "only" : "below", texts, at);
      if (!follow(paths, change, value, path, at)) complete = false;
      continue;
    }
    release(paths, path, "below", texts, at);
    // One more than is kept shows that there are too many.
    for (const text of texts.slice(0, MAX_PATH_VALUES + 1))
      if (!hold(paths, path, text, at)) complete = false;
  }
  return complete;
}

/** Whether a patch sets a path to a value of this text. A null in it deletes. */
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

/** What was held at the path, or below it when it had been an object, is over, unless it is held still. */
function release(
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

/** False if there is no room for the path. */
function hold(paths: PathValues[], path: string, text: string, at: number): boolean {
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

/** About what they take as JSON. */
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
