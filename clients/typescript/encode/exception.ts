/** Reads an exception's fields from anything that was thrown, with what led to it. Never throws, and calls no getter of the program twice. */
import {
  ATTRIBUTE_LENGTH,
  ATTRIBUTES_KEPT,
  ATTRIBUTES_LOOKED_AT,
  CAUSE_FRAMES,
  CAUSE_MESSAGE_LENGTH,
  CAUSES_KEPT,
  CAUSES_LENGTH,
  MINIFIED_LENGTH,
  TREE_KEPT,
} from "../limits.ts";
import type { Cause, ExceptionFields } from "./ops.ts";
import { sourcesOf } from "./source.ts";

/** Type, message, stack, place, attributes and causes of what was thrown. */
export function exceptionFields(thrown: unknown): ExceptionFields {
  const { attributes, ...own } = describe(thrown);
  const place = placeOf(own.stacktrace?.[0] ?? "");
  const tree: Tree = { causes: [], leftOut: 0, room: CAUSES_LENGTH, seen: new Set([thrown]) };
  addCauses(tree, thrown, 0, 0);
  const stacks = [own, ...tree.causes].map(({ stacktrace = [] }) => stacktrace.map(placeOf));
  const sources = sourcesOf(stacks);
  return {
    ...own,
    ...place,
    attributes,
    causes: tree.causes[0] && tree.causes,
    causes_left_out: tree.leftOut || undefined,
    sources: sources[0] && sources,
  };
}

/** File, line and function of a frame: V8's `at f (file:1:2)`, or `f@file:1:2` elsewhere. */
function placeOf(frame: string) {
  const [, source_function, source_file, line] =
    /^(?:at (?:async )?)?(?:([^(@]*)(?: \(|@))?(\S.*):(\d+):\d+\)?$/.exec(frame) ?? [];
  return { source_file, source_line: Number(line) || undefined, source_function };
}

type Tree = { causes: Cause[]; leftOut: number; room: number; seen: Set<unknown> };

/** Adds what led to `thrown`, which is number `parent` of the tree, depth first. */
function addCauses(tree: Tree, thrown: unknown, parent: number, depth: number): void {
  const related = relatedTo(thrown);
  for (const [position, [kind, cause]] of related.entries()) {
    if (typeof cause === "object" && tree.seen.has(cause)) continue;
    if (tree.causes.length >= TREE_KEPT) {
      tree.leftOut += related.length - position;
      return;
    }
    if (depth >= CAUSES_KEPT) {
      tree.leftOut++;
      continue;
    }
    tree.seen.add(cause);
    const isNext = parent === tree.causes.length;
    const relation = {
      kind: kind === "cause" ? undefined : kind,
      parent: isNext ? undefined : parent,
    };
    tree.causes.push({ ...bounded(describe(cause), tree), ...relation });
    addCauses(tree, cause, tree.causes.length, depth + 1);
  }
}

type Related = ["cause" | "context" | "member", unknown];

/** The cause, of any type; of a SuppressedError what it suppressed; of an AggregateError all its errors. */
function relatedTo(thrown: unknown): Related[] {
  if (typeof thrown !== "object" || thrown === null) return [];
  const related: Related[] = [];
  const cause = property(thrown, "cause") ?? undefined;
  if (cause !== undefined) related.push(["cause", cause]);
  if (property(thrown, "name") === "SuppressedError")
    related.push(["cause", property(thrown, "error")], ["context", property(thrown, "suppressed")]);
  try {
    const errors = property(thrown, "errors");
    if (Array.isArray(errors) && typeof property(thrown, "message") === "string")
      for (const member of errors as unknown[]) related.push(["member", member]);
  } catch {
    // A proxy as the list.
  }
  return related;
}

/** With its stack and message cut to the limits of a cause. */
function bounded({ exception_msg: message, stacktrace, ...rest }: Cause, tree: Tree): Cause {
  let kept = 0;
  for (const frame of stacktrace?.slice(0, CAUSE_FRAMES) ?? []) {
    tree.room -= frame.length;
    if (tree.room < 0) break;
    kept++;
  }
  const { exception_type, attributes } = rest;
  const left = (stacktrace?.length ?? 0) - kept;
  const frames = stacktrace?.slice(0, kept);
  if (left > 0) frames?.push(`… ${left} lines`);
  const exception_msg = message && cut(message, CAUSE_MESSAGE_LENGTH);
  return { exception_type, exception_msg, stacktrace: frames, attributes };
}

function describe(thrown: unknown): Cause {
  const message = textOf(property(thrown, "message") ?? thrown);
  return {
    exception_type: typeOf(thrown),
    exception_msg: message,
    // Without the heading, which repeats type and message and may have many lines.
    stacktrace: textOf(property(thrown, "stack"))
      ?.match(/^ *at .*|^((?!@).)*@.*:\d+$/gm)
      ?.map((line) => line.trim()),
    attributes: attributesOf(thrown, message),
  };
}

/** The name of an error, or of its class. Realms have classes of their own, so `instanceof` does not identify errors. */
function typeOf(thrown: unknown): string {
  if (typeof thrown !== "object" || thrown === null)
    return thrown === null ? "null" : typeof thrown;
  const name = property(thrown, "name");
  if (typeof name === "string" && name !== "" && name !== "Error") return name;
  // Most subclasses of Error do not set a name, but their class has one. Bundlers shorten it, but not that of the class it extends.
  let shortest: string | undefined;
  for (const className of classNames(thrown)) {
    if (className === "Object") break;
    if (className.length > MINIFIED_LENGTH) return className;
    shortest ??= className;
  }
  // An error that was sent as JSON has lost its class.
  return shortest ?? (typeof property(thrown, "message") === "string" ? "Error" : "Object");
}

function classNames(thrown: object): string[] {
  const names: string[] = [];
  try {
    let prototype: unknown = Object.getPrototypeOf(thrown);
    for (let i = 0; i < CAUSES_KEPT && prototype; i++) {
      const name = property(property(prototype, "constructor"), "name");
      if (typeof name === "string" && name !== "") names.push(name);
      prototype = Object.getPrototypeOf(prototype);
    }
  } catch {
    // A proxy: the names so far.
  }
  return names;
}

/** What other fields have, and what is for the runtime's own use. */
const NO_ATTRIBUTES = new Set(
  "name message stack cause errors error suppressed stackStr stacks type".split(" "),
);

/** The plain values of an error's own properties, such as `code`. Getters are not called. */
function attributesOf(thrown: unknown, message: string | undefined) {
  if (typeof thrown !== "object" || thrown === null) return undefined;
  const kept: [string, string | number | boolean][] = [];
  let leftOut = 0;
  try {
    const keys = Array.isArray(thrown) ? [] : Object.keys(thrown);
    leftOut = Math.max(0, keys.length - ATTRIBUTES_LOOKED_AT);
    for (const key of keys.slice(0, ATTRIBUTES_LOOKED_AT)) {
      if (key.startsWith("_") || NO_ATTRIBUTES.has(key)) continue;
      const value = plain(Object.getOwnPropertyDescriptor(thrown, key)?.value);
      if (value === undefined || value === "" || value === message) continue;
      if (kept.length < ATTRIBUTES_KEPT) kept.push([cut(key, ATTRIBUTE_LENGTH), value]);
      else leftOut++;
    }
  } catch {
    // A proxy: the attributes so far.
  }
  if (leftOut > 0) kept.push(["…", leftOut]);
  return kept[0] && Object.fromEntries(kept);
}

function plain(value: unknown): string | number | boolean | undefined {
  if (typeof value === "string") return cut(value, ATTRIBUTE_LENGTH);
  if (typeof value === "boolean") return value;
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  return undefined;
}

/** The first characters, and the number of the others. */
function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  // Not within a pair of surrogates.
  const end = /[\uD800-\uDBFF]/.test(text[length - 1] ?? "") ? length - 1 : length;
  return `${text.slice(0, end)}…${text.length - end}`;
}

function property(value: unknown, key: string): unknown {
  try {
    return Object(value)[key] as unknown;
  } catch {
    return undefined; // a getter or proxy threw
  }
}

/** The text of a value, undefined if it is empty. */
function textOf(value: unknown): string | undefined {
  try {
    return typeof value === "string" ? value || undefined : (JSON.stringify(value) ?? typeof value);
  } catch {
    return typeof value;
  }
}
