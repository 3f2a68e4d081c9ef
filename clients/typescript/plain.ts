/**
 * Any value as plain JSON values, the same in every language (clients/README.md, "Values that JSON has no word for"), and
 * those as text. Never throws; what was lost on the way is told in `losses`.
 */
import { MAX_DEPTH } from "../../src/core/limits.ts";
import { isEmpty, isSecret, REDACTED } from "../../src/core/redact.ts";
import { MAX_REMEMBERED } from "./limits.ts";

/** Something that could not be written as it was: why, and where and what was written instead. */
export type Loss = {
  cause: "unserialisable" | "too_large" | "not_finite";
  detail: string;
  /** Not there at all, or cut: told each time. */
  isMissing?: boolean;
};

/** JSON text as every client writes it. Lone surrogates, which UTF-8 cannot write, become U+FFFD. */
export function jsonOf(value: unknown): string {
  const text = JSON.stringify(value);
  return text.includes("\\ud")
    ? text.replace(/\\\\|\\ud[89a-f]../g, (found) => (found === "\\\\" ? found : "\ufffd"))
    : text;
}

/** A free-form object (state, data, metadata); anything else becomes an object with the one key `value`. */
export function plainObject(value: unknown, root: string, losses: Loss[]): object {
  const plain = plainOf(value, { keys: [root], above: [], losses });
  return typeof plain === "object" && plain !== null && !Array.isArray(plain)
    ? plain
    : { value: plain };
}

/** Where the walk is: the keys that lead there, and the containers it is in. */
type Place = { keys: string[]; above: object[]; losses: Loss[] };

function plainOf(value: unknown, place: Place): unknown {
  switch (typeof value) {
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "bigint":
      return value >= -MAX_EXACT && value <= MAX_EXACT ? Number(value) : String(value);
    case "object":
      return value === null ? null : plainContainer(value, place);
    case "function":
    case "symbol":
      return lose(`<${typeName(value)}>`, place);
    default:
      return value;
  }
}

const MAX_EXACT = 2n ** 53n;

function plainContainer(value: object, place: Place): unknown {
  const { above } = place;
  if (above.includes(value)) return lose("<cycle>", place);
  above.push(value);
  try {
    return plainInstance(value, place);
  } catch {
    // A proxy or a toJSON() that throws: nothing of it can be known but its type.
    return lose(`<${typeName(value)}>`, place);
  } finally {
    above.pop();
  }
}

/** What is more than a bag of members may have a usual text, or say itself what it is. */
function plainInstance(value: object, place: Place): unknown {
  if (value instanceof Uint8Array || value instanceof ArrayBuffer) return base64(value);
  if (value instanceof RegExp || value instanceof Error) return String(value);
  if (!("toJSON" in value) || typeof value.toJSON !== "function") return membersOf(value, place);
  const said: unknown = value.toJSON(place.keys.at(-1));
  if (typeof said !== "object" || said === null) return plainOf(said, place);
  return said !== value && place.above.includes(said)
    ? lose("<cycle>", place)
    : membersOf(said, place);
}

function base64(bytes: Uint8Array | ArrayBuffer): string {
  let binary = "";
  for (const byte of new Uint8Array(bytes)) binary += String.fromCharCode(byte);
  return `base64:${btoa(binary)}`;
}

function membersOf(value: object, place: Place): unknown {
  if (place.above.length > MAX_DEPTH) return lose("<too deep>", place);
  if (isPlain(value)) return propertiesOf(value, place);
  if (value instanceof Map) return entriesOf(value, place);
  if (value instanceof Set) return itemsOf(value, place).sort(byJson);
  if (isList(value)) return itemsOf(value, place);
  return isOpaque(value) ? lose(`<${typeName(value)}>`, place) : propertiesOf(value, place);
}

/** An array, one of numbers, or anything else that can be gone through and says how long it is. */
function isList(value: object): value is Iterable<unknown> {
  return Symbol.iterator in value && "length" in value;
}

function itemsOf(list: Iterable<unknown>, place: Place): unknown[] {
  return Array.from(list, (item, index) => {
    place.keys.push(String(index));
    const plain = plainOf(item, place);
    place.keys.pop();
    return plain;
  });
}

function propertiesOf(value: object, place: Place): object {
  const plain = {};
  for (const key of Object.keys(value)) {
    // Any object may be read by key.
    put(plain, key, () => (value as Record<string, unknown>)[key], place);
  }
  return plain;
}

/** A map's keys as their text: strings as they are, anything else as its JSON. */
function entriesOf(map: Map<unknown, unknown>, place: Place): object {
  const plain = {};
  for (const [key, member] of map) {
    const name = plainOf(key, { keys: [], above: [], losses: [] });
    put(plain, typeof name === "string" ? name : jsonOf(name), () => member, place);
  }
  return plain;
}

function put(
  plain: { [key: string]: unknown },
  key: string,
  read: () => unknown,
  place: Place,
): void {
  place.keys.push(key);
  const secret = holdsSecret(key);
  const within = secret ? { ...place, losses: [] } : place;
  let member: unknown;
  try {
    member = plainOf(read(), within);
  } catch {
    member = lose("<unreadable>", within); // a getter that throws
  }
  if (secret && !isEmpty(member)) member = REDACTED;
  place.keys.pop();
  if (key === "__proto__") Object.defineProperty(plain, key, { value: member, enumerable: true });
  else plain[key] = member;
}

const secretKeys = new Map<string, boolean>();

/** The keys of one program are few and come again and again. */
function holdsSecret(key: string): boolean {
  let secret = secretKeys.get(key);
  if (secret === undefined) {
    secret = isSecret(key);
    if (secretKeys.size < MAX_REMEMBERED) secretKeys.set(key, secret);
  }
  return secret;
}

/** Things that are not data: sockets, promises, elements, and instances that show nothing. */
function isOpaque(value: object): boolean {
  const isActive = ["emit", "then", "addEventListener"].some((method) => method in value);
  return isActive || Object.keys(value).length === 0;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function typeName(value: unknown): string {
  try {
    return String(Object(value).constructor.name || "Object");
  } catch {
    return "Object"; // a proxy, or an object without prototype
  }
}

function lose(written: string, place: Place): string {
  place.losses.push({ cause: "unserialisable", detail: `${place.keys.join(".")}: ${written}` });
  return written;
}

/** In the order of their JSON's code points: JavaScript itself compares UTF-16 units. */
function byJson(a: unknown, b: unknown): number {
  const left = codePointsOf(a);
  const right = codePointsOf(b);
  return left < right ? -1 : Number(left > right);
}

/** Seven digits for each, so that they compare as texts. */
function codePointsOf(value: unknown): string {
  return Array.from(jsonOf(value), (character) => 1e6 + Number(character.codePointAt(0))).join();
}
