/** JSON as Python writes it: NaN and infinities are words in it, which become text here, as in lanes. */

/** The value, or undefined for what is not JSON. */
export function looseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return tryParse(text.replace(WORDS, (found, word?: string) => (word ? `"${word}"` : found)));
  }
}

/** Strings are matched first, so that the words in them stay as they are. */
const WORDS = /"(?:[^"\\]|\\.)*"|(-?Infinity|NaN)/g;

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
