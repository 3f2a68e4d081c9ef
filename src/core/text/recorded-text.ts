/**
 * Recorded text as people read it. A terminal's control sequences (ECMA-48: SGR styles, cursor movement, titles, hyperlinks, with 7-bit and
 * 8-bit introducers) are interpreted or removed, and so are other characters that draw nothing but act on what is around them.
 * All functions take time proportional to the text's length.
 */

type TextStyle = {
  colour?: string | undefined;
  bold?: boolean | undefined;
  dim?: boolean | undefined;
};
type StyledText = { text: string; style: TextStyle };

const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

/*
 * In this order: SGR, with its codes; other control sequences; strings (titles, hyperlinks, device control) up to their terminator;
 * other escape sequences; introducers without the rest of their sequence; control characters except tab and line feed; embeddings,
 * overrides and isolates of text direction; surrogates without their pair (with the flag u a pair is one character). A sequence
 * contains no introducer, so that no part of a text is matched twice.
 */
const SEQUENCE =
  // oxlint-disable-next-line no-control-regex -- control characters are what this looks for
  /(?:\u001B\[|\u009B)([0-9;:]*)m|(?:\u001B\[|\u009B)[0-?]*[ -/]*[@-~]|(?:\u001B[\]PX^_]|[\u0090\u0098\u009D-\u009F])[^\u0007\u001B\u0090\u0098\u009C-\u009F]*(?:\u0007|\u001B\\|\u009C)|\u001B[ -/]*[0-OQ-WYZ\\`-~]|\u001B[[\]PX^_]|[\u0000-\u0008\u000B-\u001F\u007F-\u009F]|[\u202A-\u202E\u2066-\u2069]|[\uD800-\uDFFF]/gu;

/** Few texts have any of these characters, and this test is faster than the pattern above. */
// oxlint-disable-next-line no-control-regex -- control characters are what this looks for
const UNUSUAL = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069\uD800-\uDFFF]/;

/** The text in pieces of one style each. */
export function styledText(text: string): StyledText[] {
  if (!UNUSUAL.test(text)) return text === "" ? [] : [{ text, style: {} }];
  const pieces: StyledText[] = [];
  let style: TextStyle = {};
  let from = 0;
  const add = (piece: string) => {
    const last = pieces.at(-1);
    if (piece === "") return;
    if (last?.style === style) last.text += piece;
    else pieces.push({ text: piece, style });
  };
  for (const match of text.matchAll(SEQUENCE)) {
    add(text.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[1] !== undefined) style = restyled(style, match[1]);
    else add(isSurrogate(match[0]) ? REPLACEMENT : "");
  }
  add(text.slice(from));
  return pieces;
}

/** The text without control sequences. */
export function plainText(text: string): string {
  if (!UNUSUAL.test(text)) return text;
  return text.replace(SEQUENCE, (found) => (isSurrogate(found) ? REPLACEMENT : ""));
}

/** The text with its styles alone, for a terminal. Each line ends without a style, so that the next has none of it. */
export function withStyles(text: string): string {
  if (!UNUSUAL.test(text)) return text;
  let hasStyle = false;
  const kept = text.replace(SEQUENCE, (found, codes: string | undefined) => {
    if (codes === undefined) return isSurrogate(found) ? REPLACEMENT : "";
    hasStyle = true;
    return `\u001B[${codes}m`;
  });
  return hasStyle ? `${kept}\u001B[0m` : kept;
}

/** A name as a label of one line that is never blank: `empty` stands for the empty name, and a name that draws nothing is quoted. */
export function nameLabel(name: string, empty = "(unnamed)"): string {
  if (name === "") return empty;
  const shown = plainText(name).replace(/[\t\n\u2028\u2029]/g, " ");
  return BLANK.test(shown) ? quotedName(name) : shown;
}

/** JSON in which no text has control sequences, for people. It is not for programs. */
export function plainJson(value: unknown, indent?: number): string {
  return plainText(JSON.stringify(value, plainMember, indent) ?? "");
}

function plainMember(_key: string, value: unknown): unknown {
  if (typeof value === "string") return plainText(value);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  if (!Object.keys(value).some((key) => UNUSUAL.test(key))) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [plainText(key), member]));
}

/** The name as a JSON string in which every character is visible. */
export function quotedName(name: string): string {
  return JSON.stringify(name).replace(
    INVISIBLE,
    (character) => character.replace(/[^]/g, escaped), // by code unit
  );
}

/** The same JSON, in which the characters that act in a terminal and that JSON allows in strings are escaped. */
export function safeJson(json: string): string {
  return json.replace(/[\u007F-\u009F\u202A-\u202E\u2066-\u2069]/g, escaped);
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

const REPLACEMENT = "\uFFFD";
/** Spaces, control characters, and characters that Unicode lets a renderer ignore. */
const BLANK = /^[\p{Z}\p{C}\p{Default_Ignorable_Code_Point}\u2800]*$/u;
/** Those of BLANK, without the space, which quotation marks make visible, and surrogates, which JSON escapes. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u00A0\u1680\u2000-\u200A\u202F\u205F\u2800\u3000]/gu;

function isSurrogate(found: string): boolean {
  return found >= "\uD800" && found <= "\uDFFF";
}

function restyled(style: TextStyle, codes: string): TextStyle {
  let next = { ...style };
  const all = codes.split(/[;:]/).map(Number);
  for (let i = 0; i < all.length; i++) {
    const code = all[i] ?? 0;
    if (code === 0) next = {};
    else if (code === 1) next.bold = true;
    else if (code === 2) next.dim = true;
    else if (code === 22) next = { colour: next.colour };
    else if (code >= 30 && code <= 37) next.colour = COLOURS[code - 30];
    else if (code >= 90 && code <= 97) next.colour = COLOURS[code - 90];
    else if (code === 39) delete next.colour;
    // 38, 48 and 58 have a colour of 256 (5;n) or of 16 million (2;r;g;b), which is not drawn.
    else if (code === 38 || code === 48 || code === 58) i += all[i + 1] === 5 ? 2 : 4;
  }
  return next;
}
