/**
 * Folds text for searching, so that what reads the same is found: NFKC (ligatures, full-width and composed letters), then every letter in
 * lower, upper and lower case, which is Unicode's full case folding (ẞ and ß are ss, ς is σ) but for the four letters i of Turkish, which are
 * all equal here: in which language a text is written is not known.
 * Both the text and what is searched in it are folded.
 */
export function fold(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  const cased = text.normalize("NFKC").toLowerCase().toUpperCase().toLowerCase();
  // The last sigma of a text part has a letter of its own; an upper case letter may have become several.
  // İ in lower case is an i with a second dot.
  return cased
    .replaceAll("ς", "σ")
    .replace(/i\u0307+/g, "i")
    .normalize("NFKC");
}

const ASCII = /^[\0-\x7f]*$/;

/** The folded terms of a search. */
export function foldedTerms(text: string): string[] {
  return fold(text).split(/\s+/).filter(Boolean);
}
