/** The last condition of a query, as far as it is written, so that it can be completed. */
import { readPath } from "../state/path.ts";

type OpenTerm = {
  /** The query before the part that is completed. */
  before: string;
  /** The field, if its colon is written; with a path as the query has it. */
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
  return { before: text.slice(0, from), field, typed };
}

/** A value as a query has it: in quotes where it would else be read as something else. */
export function quoted(value: string): string {
  const isPlain = value !== "" && !/[\s()",*]|^[!<>=]|\.\./.test(value);
  return isPlain ? value : `"${value.replaceAll(/["\\]/g, (special) => `\\${special}`)}"`;
}

/** A path of the state after `state.`, as core/state/path.ts writes it; its keys are in quotes where needed. */
export function quotedPath(path: string): string {
  const keys = readPath(path) ?? [path];
  return keys
    .map((key) =>
      /^[^\s()",:\\.]+$/.test(key)
        ? key
        : `"${key.replaceAll(/["\\]/g, (special) => `\\${special}`)}"`,
    )
    .join(".");
}
