/**
 * Converts any value to JSON values, the same in every language (clients/README.md has the table), and those to text. Never throws:
 * whatever cannot be kept is added to `losses`.
 */
import { MAX_DEPTH, MAX_EVENT_BYTES, MAX_STATE_BYTES } from "../../../src/core/limits.ts";
import { REDACTED } from "../../../src/core/secrets/text.ts";
import { redactor } from "./redactor.ts";

/** Something that could not be recorded as it was: why, where, and what was recorded instead. */
export type Loss = {
  cause: "unserialisable" | "too_large" | "not_finite" | "unreadable" | "queue_full";
  detail: string;
  /** Left out or cut, so recorded each time. Other losses are recorded once per path. */
  isMissing?: boolean;
};

/** JSON text as every client writes it. Lone surrogates, which UTF-8 cannot write, become U+FFFD. */
export function jsonOf(value: unknown): string {
  const text = JSON.stringify(value);
  // An escaped backslash is matched first, because the character after it does not begin an escape.
  return text.includes("\\ud")
    ? text.replace(/(\\\\)|\\ud[89a-f]../g, (_, kept = "\ufffd") => kept)
    : text;
}

/** A free-form object (state, data, metadata); anything else becomes an object with the one key `value`. */
export function plainObject(value: unknown, root: string, losses: Loss[]): object {
  const plain = plainOf(value, { keys: [root], above: [], losses });
  return isBag(plain) ? plain : { value: plain };
}

/** The place of a value: the keys that lead to it, and the containers around it. */
type Place = { keys: string[]; above: object[]; losses: Loss[] };

function plainOf(value: unknown, place: Place): unknown {
  switch (typeof value) {
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "bigint":
      return value >= -MAX_EXACT && value <= MAX_EXACT ? Number(value) : String(value);
    case "object":
      return value && plainContainer(value, place);
    case "string":
      return redactor.keeps(place.keys) ? value : redactor.text(value, LIMITS[place.keys[0] ?? ""]);
    case "function":
    case "symbol":
      return lose(typeName(value), place);
    default:
      return value;
  }
}

const MAX_EXACT = 2n ** 53n;

/** The limits of what is cut or refused over them, by the root of its values. */
const LIMITS: { [root: string]: number } = { data: MAX_EVENT_BYTES, state: MAX_STATE_BYTES };

function plainContainer(value: { toJSON?: unknown }, place: Place): unknown {
  if (place.above.includes(value)) return lose("cycle", place);
  place.above.push(value);
  try {
    if (value instanceof Uint8Array || value instanceof ArrayBuffer) {
      const binary = Array.from(new Uint8Array(value), (byte) => String.fromCharCode(byte));
      return `base64:${btoa(binary.join(""))}`;
    }
    if (value instanceof RegExp || value instanceof Error) return String(value);
    const own: unknown =
      typeof value.toJSON === "function" ? value.toJSON(place.keys.at(-1)) : value;
    return own === value ? membersOf(value, place) : plainOf(own, place);
  } catch {
    // A proxy or a toJSON() that throws: only the type can be recorded.
    return lose(typeName(value), place);
  } finally {
    place.above.pop();
  }
}

function membersOf(value: object, place: Place): unknown {
  if (place.above.length > MAX_DEPTH) return lose("too deep", place);
  if (value instanceof Map) {
    // Keys are strings: others become their JSON.
    const members = Array.from(value, ([key, member]) => {
      const name = plainOf(key, { keys: [], above: [], losses: [] });
      return [typeof name === "string" ? name : jsonOf(name), member] as const;
    });
    return propertiesOf(Object.fromEntries(members), place);
  }
  if (value instanceof Set) return itemsOf(value, place).sort(byJson);
  // An array, one of numbers, or anything else that can be iterated and has a length.
  if (Symbol.iterator in value && "length" in value)
    return itemsOf(value as Iterable<unknown>, place);
  // A socket, promise or element, or an instance without members, has no data to record.
  const isOpaque =
    !isBag(value) &&
    ("emit" in value ||
      "then" in value ||
      "addEventListener" in value ||
      Object.keys(value).length === 0);
  return isOpaque ? lose(typeName(value), place) : propertiesOf(value, place);
}

function itemsOf(list: Iterable<unknown>, place: Place): unknown[] {
  const items = Array.from(list, (item, index) => {
    place.keys.push(String(index));
    const plain = plainOf(item, place);
    place.keys.pop();
    return plain;
  });
  if (typeof items[0] === "string") redactor.namePairs(items, place.keys);
  return items;
}

function propertiesOf(value: object, place: Place): object {
  let plain: { [key: string]: unknown } = {};
  for (const key of Object.keys(value)) {
    place.keys.push(key);
    const isHidden = redactor.isSecretName(key) && !redactor.keeps(place.keys);
    const within = isHidden ? { ...place, losses: [] } : place;
    let member: unknown;
    try {
      member = plainOf((value as Record<string, unknown>)[key], within); // any object may be read by key
    } catch {
      member = lose("unreadable", within); // a getter threw
    }
    if (isHidden && redactor.isSecretMember(key, member)) member = REDACTED;
    if (key === "__proto__") plain = { ...plain, [key]: member };
    else plain[key] = member; // assigning to __proto__ would set the prototype
    place.keys.pop();
  }
  if ("value" in plain || "Value" in plain || "val" in plain) redactor.namePairs(plain, place.keys);
  return plain;
}

/** Whether an object is a plain one, without a class. */
function isBag(value: unknown): value is object {
  const prototype: unknown = Object.getPrototypeOf(value ?? "");
  return prototype === Object.prototype || prototype === null;
}

function typeName(value: unknown): string {
  try {
    return String(Object(value).constructor.name || "Object");
  } catch {
    return "Object"; // a proxy, or an object without prototype
  }
}

function lose(what: string, place: Place): string {
  place.losses.push({ cause: "unserialisable", detail: `${place.keys.join(".")}: <${what}>` });
  return `<${what}>`;
}

/** In the order of their JSON's code points: JavaScript itself compares UTF-16 units. */
function byJson(a: unknown, b: unknown): number {
  const left = codePointsOf(a);
  const right = codePointsOf(b);
  return left < right ? -1 : Number(left > right);
}

function codePointsOf(value: unknown): string {
  return Array.from(jsonOf(value), (character) => 1e6 + Number(character.codePointAt(0))).join();
}
