/**
 * Rules of one's own, from the setting DATACAT_REDACT: a JSON object. An own format is a prefix and a run of characters; there are no
 * patterns, so none can take more than linear time. Checked by hand, because the client in a browser has no schema library.
 */
import { problemOf, SettingError, unknown, within, wrong } from "./expected.ts";
import { MAX_OWN_RULES, MAX_PREFIX, MAX_RUN, MAX_SECRET_NAME, MIN_PREFIX } from "./limits.ts";
import type { PrefixRule } from "./prefixes.ts";

export type OwnRules = {
  prefixes: readonly PrefixRule[];
  /** Keys whose values are secrets, in any case. */
  names: readonly string[];
  /** Paths whose values stay: `data.token_kind`, `state.auth`. */
  keep: readonly string[];
};

export const NO_RULES: OwnRules = { prefixes: [], names: [], keep: [] };

/** The characters that an own format may consist of, by name. */
const CHARACTERS: { [name: string]: string } = {
  digits: "0-9",
  hex: "A-Fa-f0-9",
  letters_and_digits: "A-Za-z0-9",
  identifier: "A-Za-z0-9_-",
  base64: "A-Za-z0-9+/=_-",
};

/** The rules of a setting's text, or what is wrong with it. Nothing is used of a setting that is wrong. */
export function parseOwnRules(text: string | undefined): { rules: OwnRules; problem?: string } {
  if (text === undefined || text.trim() === "") return { rules: NO_RULES };
  try {
    return { rules: rulesOf(JSON.parse(text)) };
  } catch (error) {
    return { rules: NO_RULES, problem: problemOf(error) };
  }
}

function rulesOf(value: unknown): OwnRules {
  // In brackets, because the build for pages shortens some names of properties.
  const members = membersOf(value, "", ["prefixes", "names", "keep"]);
  const texts = (key: "names" | "keep", longest: number) =>
    listOf(members[key], key).map((text, i) => textOf(text, within(key, i), longest));
  return {
    prefixes: listOf(members["prefixes"], "prefixes").map((one, i) =>
      prefixOf(one, within("prefixes", i)),
    ),
    names: texts("names", MAX_SECRET_NAME),
    keep: texts("keep", MAX_PATH),
  };
}

/** A shorter run behind a prefix is a name more often than a key. */
const DEFAULT_LEAST = 8;

/** A path of this length has dozens of keys. */
const MAX_PATH = 1_000;

function prefixOf(value: unknown, at: string): PrefixRule {
  const own = membersOf(value, at, ["prefix", "kind", "characters", "least"]);
  const text = (key: string, byDefault?: string) =>
    textOf(own[key] ?? byDefault, within(at, key), MAX_PREFIX);
  const prefix = text("prefix");
  check(
    prefix.length >= MIN_PREFIX && /^[\w.-]+$/.test(prefix),
    wrong(within(at, "prefix"), "prefix"),
  );
  const kind = text("kind", "own");
  check(/^[a-z][a-z0-9-]*$/.test(kind), wrong(within(at, "kind"), "kind"));
  const name = text("characters", "identifier");
  check(
    Object.hasOwn(CHARACTERS, name),
    wrong(within(at, "characters"), "characters", Object.keys(CHARACTERS)),
  );
  const least = Number(own["least"] ?? DEFAULT_LEAST);
  check(
    Number.isInteger(least) && least >= 1 && least <= MAX_RUN,
    wrong(within(at, "least"), "least"),
  );
  return { prefix, kind, characters: CHARACTERS[name] ?? "", least };
}

function membersOf(value: unknown, at: string, known: string[]): Record<string, unknown> {
  check(typeof value === "object" && value !== null && !Array.isArray(value), wrong(at, "object"));
  const members = value as Record<string, unknown>; // as: just checked
  const other = Object.keys(members).find((key) => !known.includes(key));
  if (other !== undefined) throw new SettingError(unknown(at, other, known));
  return members;
}

function listOf(value: unknown = [], at: string): unknown[] {
  check(Array.isArray(value) && value.length <= MAX_OWN_RULES, wrong(at, "list"));
  return value as unknown[]; // as: just checked
}

function textOf(value: unknown, at: string, longest: number): string {
  check(
    typeof value === "string" && value !== "" && value.length <= longest,
    wrong(at, "text", longest),
  );
  return value as string; // as: just checked
}

function check(isRight: boolean, message: string): void {
  if (!isRight) throw new SettingError(message);
}
