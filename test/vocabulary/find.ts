/** Finds replaced words in a text: whole words of prose and parts of identifiers, in any casing. */
import { ALLOWED, type Allowed } from "./allowed.ts";
import { REPLACED, type Replaced } from "./terms.ts";

export type Finding = { file: string; line: number; word: string; text: string; term: Replaced };

/** A part of an identifier, or a word of prose. */
const WORD = /[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g;

const terms = REPLACED.flatMap((term) => term.words.map((word) => ({ word, term })));
const single = new Map(terms.map(({ word, term }) => [word, term]));
const phrases = terms
  .filter(({ word }) => word.includes(" "))
  .map(({ word, term }) => ({ pattern: patternOf(word), term }));

/** The words to replace in a file's name (line 0) and text. Entries of the allow-list that were needed are added to `used`. */
export function findWords(file: string, content: string, used = new Set<Allowed>()): Finding[] {
  const found: Finding[] = [];
  const add = (finding: Finding, at: number): void => {
    const { folders } = finding.term;
    if (folders && !folders.some((folder) => isIn(file, folder))) return;
    const allowed = ALLOWED.find((entry) => isAllowed(entry, finding, at));
    if (allowed) used.add(allowed);
    else found.push(finding);
  };

  for (const [line, text] of [file, ...content.split("\n")].entries()) {
    for (const { 0: word, index } of text.matchAll(WORD)) {
      const term = single.get(word.toLowerCase());
      if (term) add({ file, line, word, text, term }, index);
    }
  }
  for (const { pattern, term } of phrases) {
    for (const { 0: match, index } of content.matchAll(pattern)) {
      const line = content.slice(0, index).split("\n").length;
      const text = match.replace(/\s+/g, " ");
      add({ file, line, word: text, text, term }, 0);
    }
  }
  return found;
}

function isAllowed({ words, path, context }: Allowed, finding: Finding, at: number): boolean {
  if (!words.includes(finding.word.toLowerCase())) return false;
  if (path !== undefined && !isIn(finding.file, path)) return false;
  if (!context) return true;
  const everywhere = new RegExp(context.source, `${context.flags.replace("g", "")}g`);
  return [...finding.text.matchAll(everywhere)].some(
    ({ index, 0: match }) => index <= at && at < index + match.length,
  );
}

function isIn(file: string, path: string): boolean {
  return file === path || file.startsWith(`${path}/`);
}

/** A phrase in prose, also across the lines of a comment, or as an identifier in camelCase. */
function patternOf(phrase: string): RegExp {
  return new RegExp(`\\b${phrase.replaceAll(" ", "(?:\\s+(?:(?:\\*|//|#)\\s+)?)?")}\\b`, "gi");
}
