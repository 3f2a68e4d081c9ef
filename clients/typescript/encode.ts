/**
 * Any value as JSON text, byte for byte as every client writes it (clients/README.md, "Values that JSON has no word for").
 * Never throws; what was lost on the way is told in `losses`.
 */
import { MAX_DEPTH } from "../../src/core/limits.ts";
import { isEmpty, isSecret, REDACTED } from "../../src/core/redact.ts";
import { MAX_REMEMBERED } from "./limits.ts";

/** Something that could not be written as it was: why, and where and what was written instead. */
export type Loss = { cause: "unserialisable" | "too_large" | "not_finite"; detail: string };

const secretKeys = new Map<string, boolean>();

/** A free-form object (state, data, metadata) as JSON text; anything else as an object with the one key `value`. */
export function encodeObject(value: unknown, root: string, losses: Loss[]): string {
  const place: Place = { keys: [root], above: [], losses };
  const text = encode(value, place) ?? "{}";
  return text.startsWith("{") ? text : `{"value":${text}}`;
}

/** A string as JSON text. Lone surrogates, which UTF-8 cannot write, become U+FFFD. */
export function quote(text: string): string {
  const quoted = JSON.stringify(text);
  return quoted.includes("\\ud")
    ? JSON.stringify(text.replace(/\p{Surrogate}/gu, "\ufffd"))
    : quoted;
}

/** A list of strings as JSON text. */
export function quoteAll(texts: readonly string[]): string {
  return `[${texts.map(quote).join(",")}]`;
}

/** Where the encoder is: the keys that lead there, and the containers it is in. */
type Place = { keys: string[]; above: object[]; losses: Loss[] };

function encode(value: unknown, place: Place): string | undefined {
  switch (typeof value) {
    case "string":
      return quote(value);
    case "number":
      return Number.isFinite(value) ? String(value) : `"${value}"`;
    case "boolean":
      return value ? "true" : "false";
    case "undefined":
      return undefined;
    case "bigint":
      return value >= -MAX_EXACT && value <= MAX_EXACT ? String(value) : `"${value}"`;
    case "object":
      return value === null ? "null" : encodeContainer(value, place);
    default:
      return lose(`<${typeName(value)}>`, place);
  }
}

const MAX_EXACT = 2n ** 53n;

function encodeContainer(value: object, place: Place): string | undefined {
  if (place.above.includes(value)) return lose("<cycle>", place);
  try {
    const text = encodeKnown(value);
    if (text !== undefined) return text;

    if ("toJSON" in value && typeof value.toJSON === "function") {
      const said: unknown = value.toJSON(place.keys.at(-1));
      if (typeof said !== "object" || said === null) return encode(said, place);
      return said === value || !place.above.includes(said)
        ? encodeMembers(said, place)
        : lose("<cycle>", place);
    }
    return encodeMembers(value, place);
  } catch {
    // A proxy or a toJSON() that throws: nothing of it can be known but its type.
    return lose(`<${typeName(value)}>`, place);
  }
}

/** Values that have a usual text of their own. */
function encodeKnown(value: object): string | undefined {
  if (value instanceof Uint8Array || value instanceof Uint8ClampedArray) return base64(value);
  if (value instanceof ArrayBuffer) return base64(new Uint8Array(value));
  if (value instanceof DataView)
    return base64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  if (value instanceof RegExp || value instanceof Error) return quote(String(value));
  if (value instanceof String) return quote(String(value));
  if (value instanceof Number || value instanceof Boolean) return String(value);
  return undefined;
}

function base64(bytes: ArrayLike<number>): string {
  let binary = "";
  for (let i = 0; i < bytes.length; i++) binary += String.fromCharCode(bytes[i] ?? 0);
  return `"base64:${btoa(binary)}"`;
}

function encodeMembers(value: object, place: Place): string {
  if (place.above.length >= MAX_DEPTH) return lose("<too deep>", place);
  place.above.push(value);
  try {
    if (Array.isArray(value)) return encodeList(value, place);
    if (value instanceof Map) return encodeEntries(mapEntries(value), place);
    if (value instanceof Set)
      return `[${itemsOf([...value], place)
        .sort(byCodePoint)
        .join(",")}]`;
    if (ArrayBuffer.isView(value)) return encodeList(value as unknown as ArrayLike<unknown>, place); // the views left are typed arrays of numbers
    if (isOpaque(value)) return lose(`<${typeName(value)}>`, place);
    return encodeProperties(value, place);
  } finally {
    place.above.pop();
  }
}

function encodeList(list: ArrayLike<unknown>, place: Place): string {
  return `[${itemsOf(list, place).join(",")}]`;
}

function itemsOf(list: ArrayLike<unknown>, place: Place): string[] {
  const items: string[] = [];
  for (let index = 0; index < list.length; index++) {
    place.keys.push(String(index));
    items.push(encode(list[index], place) ?? "null");
    place.keys.pop();
  }
  return items;
}

function encodeProperties(value: object, place: Place): string {
  let text = "{";
  for (const key of Object.keys(value)) {
    let member: string | undefined;
    place.keys.push(key);
    try {
      member = encodeMember(key, (value as Record<string, unknown>)[key], place); // any object may be read by key
    } catch {
      member = lose("<unreadable>", place);
    }
    place.keys.pop();
    if (member !== undefined) text += `${text.length > 1 ? "," : ""}${quote(key)}:${member}`;
  }
  return `${text}}`;
}

function encodeEntries(entries: [string, unknown][], place: Place): string {
  const members: string[] = [];
  for (const [key, value] of entries) {
    place.keys.push(key);
    const member = encodeMember(key, value, place);
    place.keys.pop();
    if (member !== undefined) members.push(`${quote(key)}:${member}`);
  }
  return `{${members.join(",")}}`;
}

function encodeMember(key: string, value: unknown, place: Place): string | undefined {
  return holdsSecret(key) && !hasNothing(value) ? `"${REDACTED}"` : encode(value, place);
}

/** The keys of one program are few and come again and again. */
function holdsSecret(key: string): boolean {
  let secret = secretKeys.get(key);
  if (secret === undefined) {
    secret = isSecret(key);
    if (secretKeys.size < MAX_REMEMBERED) secretKeys.set(key, secret);
  }
  return secret;
}

function hasNothing(value: unknown): boolean {
  if (value instanceof Map || value instanceof Set) return value.size === 0;
  // A date or a URL has no keys of its own, and yet it is something.
  return isEmpty(value) && (typeof value !== "object" || Array.isArray(value) || isPlain(value));
}

/** A map's keys as their text: strings as they are, anything else as its JSON. */
function mapEntries(map: Map<unknown, unknown>): [string, unknown][] {
  return [...map].map(([key, value]) => [keyText(key), value]);
}

function keyText(key: unknown): string {
  if (typeof key === "string") return key;
  const text = encode(key, { keys: [], above: [], losses: [] }) ?? "undefined";
  return text.startsWith('"') ? String(JSON.parse(text)) : text;
}

/** Things that are not data: sockets, promises, elements, and instances that show nothing. */
function isOpaque(value: object): boolean {
  if (isPlain(value)) return false;
  return (
    ["emit", "then", "addEventListener", "deref"].some(
      (method) => method in value && typeof Reflect.get(value, method) === "function",
    ) || Object.keys(value).length === 0
  );
}

function isPlain(value: object | null): boolean {
  if (value === null) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function typeName(value: unknown): string {
  try {
    const name: unknown = Object(value).constructor.name;
    if (typeof name === "string" && name !== "") return name;
  } catch {
    // a proxy or an object without prototype; its tag may still be known
  }
  try {
    return Object.prototype.toString.call(value).slice(8, -1);
  } catch {
    return "Object";
  }
}

function lose(written: string, place: Place): string {
  place.losses.push({ cause: "unserialisable", detail: `${place.keys.join(".")}: ${written}` });
  return quote(written);
}

/** JavaScript compares UTF-16 units, everyone else code points: surrogates sort above the rest of the plane. */
function byCodePoint(a: string, b: string): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left !== right) {
      const bothHigh = left >= 0xd800 && right >= 0xd800;
      return bothHigh && isSurrogate(left) !== isSurrogate(right)
        ? Number(isSurrogate(left)) - Number(isSurrogate(right))
        : left - right;
    }
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
