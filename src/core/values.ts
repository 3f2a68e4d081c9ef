/**
 * Every value that each state path ever held, with its first and last time: what "ever in state" searches. A scalar is "=" and
 * its text, as 1.x compared it; of a list every scalar in it, so that "contains" is found as well. Bounded: of a path that
 * held too many values only that is known.
 */
import { MAX_PATH_VALUES, MAX_STATE_PATHS, MAX_VALUE_LENGTH } from "./limits.ts";
import { isObject } from "./merge.ts";
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
  if (Array.isArray(value))
    return [...new Set(value.filter(isScalar).map(valueText))].slice(0, MAX_PATH_VALUES + 1);
  return isScalar(value) ? [valueText(value)] : [];
}

/** Follows one patch, applied at `at`. Changes `paths`. */
export function holdValues(paths: PathValues[], patch: JsonObject, at: number): void {
  for (const [path, value] of leaves(patch, "")) {
    const texts = value === null ? [] : valueTexts(value);
    release(paths, path, texts, at);
    for (const text of texts) hold(paths, path, text, at);
  }
}

/** Whether a patch sets a path to a value of this text. */
export function setsValue(patch: JsonObject, path: string, text: string): boolean {
  for (const [leaf, value] of leaves(patch, ""))
    if (leaf === path && valueTexts(value).includes(text)) return true;
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
function release(paths: PathValues[], path: string, texts: string[], at: number): void {
  const below = `${path}.`;
  for (const entry of paths) {
    const same = entry.path === path;
    if (!same && !entry.path.startsWith(below)) continue;
    for (const held of entry.values) {
      if (held.until === null && !(same && texts.includes(held.text))) held.until = at;
    }
  }
}

function hold(paths: PathValues[], path: string, text: string, at: number): void {
  let entry = paths.find((candidate) => candidate.path === path);
  if (!entry) {
    if (paths.length >= MAX_STATE_PATHS) return;
    entry = { path, over: false, values: [] };
    paths.push(entry);
  }
  if (entry.over) return;
  const held = entry.values.find((candidate) => candidate.text === text);
  if (held) {
    held.until = null;
    return;
  }
  if (entry.values.length < MAX_PATH_VALUES) {
    entry.values.push({ text, since: at, until: null });
    return;
  }
  entry.over = true;
  entry.values = [];
}

function isScalar(value: Json): value is Scalar {
  return typeof value !== "object" || value === null;
}
