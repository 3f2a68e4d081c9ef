/** Frames of JavaScript: V8 (Node, Chromium, Deno), Firefox, Safari and Hermes. */
import { addressOf, type Position, type Place } from "./place.ts";

export function javascriptPlace(line: string): Place | undefined {
  const text = line.trim();
  return text.startsWith("at ") ? v8Place(text.slice(3)) : firefoxPlace(text);
}

/**
 * `Door.open [as use] (file:1:2)`, `open (https://a.example/app.js#char=42)` of a long block, `async main (file:1:2)`, `file:1:2`,
 * `Array.map (<anonymous>)`, `eval (eval at f (a.js:1:2), <anonymous>:1:1)`.
 */
function v8Place(call: string): Place | undefined {
  const open = call.indexOf(" (");
  const isNamed = open > 0 && call.endsWith(")");
  const where = isNamed ? call.slice(open + 2, -1) : call;
  const position = positionIn(isNamed ? where : where.replace(/^async /, ""));
  const script = isNamed ? /^[a-z-]{2,20}:\/\/\S+(?=#char=-?\d+$)/.exec(where)?.[0] : undefined;
  if (script) return { language: "javascript", name: v8Name(call.slice(0, open)), file: script };
  const isBuiltIn = isNamed && /^(?:<anonymous>|native|index \d+|unknown location)$/.test(where);
  if (!position && !isBuiltIn) return undefined;
  // A path may contain blanks. Other texts that end like a position are no frames.
  if (!isNamed && /^(?![A-Za-z]:|\/|\\|[a-z-]+:)\S*\s/.test(position?.file ?? "")) return undefined;
  const name = isNamed ? v8Name(call.slice(0, open)) : "";
  return { language: "javascript", name, ...position };
}

function v8Name(text: string): string {
  return text
    .replace(/^(?:async |new )+/, "")
    .replace(/ \[as [^\]]*\]$/, "")
    .replace(/^Object\./, "")
    .replace(/^(?:<anonymous>|eval|\?)$/, "");
}

/** In code of `eval`, the position of the call of `eval`. */
function positionIn(where: string): Position | undefined {
  if (!where.startsWith("eval at ")) return addressOf(where.replace(/^address at /, ""));
  const inner = where.slice(where.lastIndexOf("(") + 1);
  return addressOf(inner.slice(0, Math.max(0, inner.indexOf(")"))));
}

/** `open@https://a.example/app.js:3:5`, `global code@…`, `map@[native code]`, `async*open@…`; a name may be missing. */
function firefoxPlace(text: string): Place | undefined {
  const at = text.indexOf("@");
  if (at < 0) return undefined;
  const name = text.slice(0, at);
  const where = text.slice(at + 1);
  if (/\s/.test(name) && !/^(?:global|eval|module|function) code$/.test(name)) return undefined;
  if (where === "[native code]") return { language: "javascript", name };
  const position = addressOf(where.replace(/ line \d+ > eval$/, ""));
  if (!position || /\s/.test(position.file)) return undefined;
  return { language: "javascript", name: firefoxName(name), ...position };
}

/** `open/<` is a function without a name within `open`. */
function firefoxName(text: string): string {
  return text
    .replace(/^(?:async|promise callback|[\w ]+ handler)\*/, "")
    .replace(/^(?:global|eval|module) code$/, "")
    .replace(/[/<]+$/, "");
}

/**
 * Whether a frame is in code whose names a minifier chose: then the column is the only lasting part of its place. Minifiers write few, long
 * lines, and names of one or two characters.
 */
export function isMinified({ language, name, column = 0 }: Place): boolean {
  const last = name.slice(name.lastIndexOf(".") + 1);
  return language === "javascript" && column > MINIFIED_COLUMN && last.length <= 2;
}

/** Lines that people write are shorter. */
const MINIFIED_COLUMN = 250;

/**
 * A file's name without the hash of its contents, which bundlers put before the ending or make the whole name: webpack, Rollup, Vite,
 * esbuild, Next.js and others.
 */
export function withoutHash(name: string): string {
  const ending = /(?:\.(?:min|chunk|bundle|module|umd|esm|cjs|prod))*\.[a-z]{1,5}$/.exec(name)?.[0];
  if (ending === undefined || ending.length === name.length) return name;
  const whole = name.slice(0, -ending.length);
  // It may contain the dash that separates it from the name.
  const last = /[-.]([\w-]{8})$/.exec(whole);
  const stem = last && isShortHash(last[1] ?? "") ? whole.slice(0, last.index) : whole;
  const kept = stem.split(/(?=[-.~])/).filter((part) => !isHash(part.replace(/^[-.~]/, "")));
  return `${kept.join("") || "bundle"}${ending.replace(/\.(?:min|chunk|bundle)(?=\.)/g, "")}`;
}

/** Eight characters of base64 or base32, as Vite, Rollup and esbuild write: digits between letters, or several capitals. */
function isShortHash(text: string): boolean {
  return /\d(?=.*[A-Za-z_-])|^.+[_-]/.test(text)
    ? /[A-Z\d]/.test(text)
    : /^.(?:[^A-Z]*[A-Z]){2}/.test(text);
}

function isHash(text: string): boolean {
  if (/^[0-9a-f]{6,}$/i.test(text)) return /\d/.test(text);
  return (
    /^\w{8,}$/.test(text) && /\d/.test(text) && /[A-Z]/.test(text) && /\d(?=.*[A-Za-z])/.test(text)
  );
}
