/**
 * Every value that each state path ever had, with its first and last time, for the search "ever in state". A string is stored after `"`,
 * any other scalar as JSON after `=`, so that the number 1 and the text "1" differ. Of a list, every scalar in it is stored, so that a
 * search finds lists that contain a value; what else a list holds is only in the log. Of a path with too many values, only this fact is stored.
 */
import {
  MAX_NAME_LENGTH,
  MAX_PATH_VALUES,
  MAX_PATHS_BYTES,
  MAX_STATE_PATHS,
  MAX_STATE_VALUES,
  MAX_VALUE_LENGTH,
} from "../limits.ts";
import { isObject, valueAt } from "./merge.ts";
import { escaped, writePath } from "./path.ts";
import type { Json, JsonObject } from "../wire.ts";

/** A value of a path. `until` is null while the path still has it. */
type HeldValue = { text: string; since: number; until: number | null };
export type PathValues = {
  /** As path.ts writes it. */
  path: string;
  /** It had more values than are stored. */
  over: boolean;
  values: HeldValue[];
  /** It had a list with objects or lists in it, whose members have no paths here. */
  hasMembers?: true;
};

/** The catalog's entry for a path that is `over`: the session may have had any value, and only its log has every value. */
export const ANY_VALUE = "*";
/** The catalog's entry for a path with `hasMembers`. */
export const MEMBERS = "[";

export function isMarker(value: string): boolean {
  return value === ANY_VALUE || value === MEMBERS;
}

export const VALUE_TYPES = ["string", "number", "boolean", "null"] as const;
export type ValueType = (typeof VALUE_TYPES)[number];

type Scalar = null | boolean | number | string;

/** The text of a scalar, of any length. */
export function valueText(value: Scalar): string {
  return typeof value === "string" ? `"${value}` : `=${JSON.stringify(value)}`;
}

/** The scalar of a text of valueText. */
export function scalarOf(text: string): Scalar {
  return text.startsWith('"') ? text.slice(1) : (JSON.parse(text.slice(1)) as Scalar); // as: valueText wrote it
}

/** A text as it is stored: its beginning. */
export function cut(text: string): string {
  return text.slice(0, MAX_VALUE_LENGTH + 1);
}

/** The texts of a value at its path; none for an object, whose members have their own paths. */
export function textsOf(value: Json): string[] {
  if (Array.isArray(value)) return [...new Set(value.filter(isScalar).map(valueText))];
  return isScalar(value) ? [valueText(value)] : [];
}

/**
 * The texts of the values that a person may mean by what they wrote: without a type the string, and the number, boolean or null that it
 * reads as. Numbers are compared by value, so `1.10` is 1.1, and `1e21` is 1e+21. None if it does not fit the type.
 */
export function askedTexts(written: string, type?: ValueType): string[] {
  const read = readScalar(written);
  const texts: string[] = [];
  if (type === undefined || type === "string") texts.push(valueText(written));
  if (read !== undefined && (type === undefined || type === typeOf(read)))
    texts.push(valueText(read));
  return texts;
}

function readScalar(written: string): null | boolean | number | undefined {
  const text = written.trim();
  if (text === "null") return null;
  if (text === "true" || text === "false") return text === "true";
  const number = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : NaN;
  return Number.isFinite(number) ? number : undefined;
}

function typeOf(value: null | boolean | number): ValueType {
  return value === null ? "null" : typeof value === "number" ? "number" : "boolean";
}

/**
 * Updates `paths` with a patch that was applied at `at` and resulted in `state`. Returns how many values the patch set at paths that are
 * not stored, because there are too many paths or the path is too long.
 */
export function noteValues(
  paths: PathValues[],
  patch: JsonObject,
  state: JsonObject,
  at: number,
): number {
  return noteBelow(paths, patch, state, undefined, at);
}

function noteBelow(
  paths: PathValues[],
  patch: JsonObject,
  state: JsonObject,
  prefix: string | undefined,
  at: number,
): number {
  let leftOut = 0;
  for (const key of Object.keys(patch)) {
    const path = prefix === undefined ? writePath([key]) : `${prefix}.${escaped(key)}`;
    const change = valueAt(patch, [key]);
    const value = valueAt(state, [key]); // undefined: deleted
    const texts = value === undefined ? [] : textsOf(value).map(cut);
    if (isObject(change) && isObject(value)) {
      // The path may have had a scalar before; an object that is now empty has no members either.
      endValues(paths, path, Object.keys(value).length > 0 ? "only" : "below", texts, at);
      leftOut += noteBelow(paths, change, value, path, at);
      continue;
    }
    endValues(paths, path, "below", texts, at);
    // One more than the limit is enough to mark the path as over.
    for (const text of texts.slice(0, MAX_PATH_VALUES + 1))
      if (!noteValue(paths, path, text, at)) leftOut++;
    if (Array.isArray(value) && !value.every(isScalar)) {
      const entry = entryOf(paths, path);
      if (entry && (entry.hasMembers || entriesOf(paths) < MAX_STATE_VALUES))
        entry.hasMembers = true;
      else leftOut++;
    }
  }
  return leftOut;
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
  const entry = entryOf(paths, path);
  if (!entry) return false;
  if (entry.over) return true;
  const held = entry.values.find((candidate) => candidate.text === text);
  if (held) {
    held.until = null;
    return true;
  }
  const isFull = sizeOf(paths) > MAX_PATHS_BYTES || entriesOf(paths) >= MAX_STATE_VALUES;
  if (entry.values.length < MAX_PATH_VALUES && !isFull) {
    entry.values.push({ text, since: at, until: null });
    return true;
  }
  entry.over = true;
  entry.values = [];
  return true;
}

/** The entry of a path, added if it is new. Undefined if it cannot be stored. */
function entryOf(paths: PathValues[], path: string): PathValues | undefined {
  const known = paths.find((candidate) => candidate.path === path);
  if (known) return known;
  const isFull =
    paths.length >= MAX_STATE_PATHS ||
    sizeOf(paths) > MAX_PATHS_BYTES ||
    entriesOf(paths) + 2 > MAX_STATE_VALUES; // its first value, and ANY_VALUE
  if (isFull || path.length > MAX_NAME_LENGTH) return undefined;
  const entry: PathValues = { path, over: false, values: [] };
  paths.push(entry);
  return entry;
}

/** The entries that the catalog has of the paths, at most: those of a path that is over stay there. */
export function entriesOf(paths: PathValues[]): number {
  return paths.reduce(
    (sum, { over, values, hasMembers }) =>
      sum + (over ? MAX_PATH_VALUES : values.length) + 1 + (hasMembers ? 1 : 0),
    0,
  );
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

export function isScalar(value: Json): value is Scalar {
  return typeof value !== "object" || value === null;
}
