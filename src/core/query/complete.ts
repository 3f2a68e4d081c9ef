/** The last condition of a query, as far as it is written, so that it can be completed. */
import { readPath } from "../state/path.ts";

type OpenTerm = {
  /** The query before the part that is completed. */
  before: string;
  /** The field, if its colon is written; with a path as the parser reads it (names.ts). */
  field: string | undefined;
  /** What is written of the name or of the value, without quotes. */
  typed: string;
};

/** The last condition of a query, up to the end of the text. Linear in its length. */
export function openTermOf(text: string): OpenTerm {
  let start = 0;
  let colon = -1;
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (isQuoted) {
      if (character === "\\") at++;
      else if (character === '"') isQuoted = false;
    } else if (character === '"') isQuoted = true;
    else if (character === "\\") at++;
    else if (/[\s()]/.test(character)) [start, colon] = [at + 1, -1];
    else if (character === "-" && at === start) start++;
    else if (character === ":" && colon < 0) colon = at;
    else if (character === "," && colon >= 0) {
      // The next of several values.
      const field = text.slice(start, colon);
      return completing(text, at + 1, field, isQuoted);
    }
  }
  if (colon < 0) return completing(text, start, undefined, isQuoted);
  const operator = /^[!<>=]*/.exec(text.slice(colon + 1))?.[0].length ?? 0;
  return completing(text, colon + 1 + operator, text.slice(start, colon), isQuoted);
}

function completing(
  text: string,
  from: number,
  field: string | undefined,
  isOpen: boolean,
): OpenTerm {
  const written = text.slice(from);
  const isQuoted = written.startsWith('"');
  const typed = isQuoted
    ? written.slice(1, isOpen ? undefined : -1).replaceAll(/\\(["\\])/g, "$1")
    : written;
  return { before: text.slice(0, from), field: field && withoutQuotes(field), typed };
}

/** A name whose quoted keys have a backslash before what else would divide them, as parse.ts reads it. The last one may be open. */
export function withoutQuotes(name: string): string {
  return name.replaceAll(/"((?:[^"\\]|\\.)*)(?:"|$)/g, (_, key: string) =>
    key.replaceAll(/\\(["\\])/g, "$1").replaceAll(/[\\.]/g, (special) => `\\${special}`),
  );
}

/** A value as a query has it: in quotes where it would else be read as something else. */
export function quoted(value: string): string {
  const isPlain = value !== "" && !/[\s()",*]|^[!<>=]|\.\./.test(value);
  return isPlain ? value : inQuotes(value);
}

/** A path of the state after `state.`, as core/state/path.ts writes it; its keys are in quotes where needed. */
export function quotedPath(path: string): string {
  const keys = readPath(path) ?? [path];
  return keys.map((key) => (key.includes(".") ? inQuotes(key) : quotedKey(key))).join(".");
}

/** The key of a tag after `tag.`, in which a dot is one as others are. */
export function quotedKey(key: string): string {
  return /^[^\s()",:\\]+$/.test(key) ? key : inQuotes(key);
}

function inQuotes(text: string): string {
  return `"${text.replaceAll(/["\\]/g, (special) => `\\${special}`)}"`;
}
