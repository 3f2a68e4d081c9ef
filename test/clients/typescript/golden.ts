/** Reads a golden fixture's calls and special values, and makes the calls (test/fixtures/lanes/README.md). */
import { AttachingSession } from "../../../clients/typescript/attach/session.ts";
import type { Header } from "../../../clients/typescript/lane/header.ts";
import {
  crashOp,
  endOp,
  type Cause,
  type ExceptionFields,
  type Start,
} from "../../../clients/typescript/encode/ops.ts";
import type { Session } from "../../../clients/typescript/session/session.ts";

export type Fixture = {
  description: string;
  clock: { start: number; step: number };
  environment?: { [name: string]: string };
  header: Header;
  calls: [string, ...unknown[]][];
};

/**
 * Makes a fixture's calls, on what `open` makes of its first one. Some are no part of what programs may call: exceptions
 * taken apart, measured timers, a crash without its exception.
 */
export function play(
  calls: Fixture["calls"],
  open: (start: Start) => Session,
): Session | undefined {
  let session: Session | undefined;
  for (const [call, ...rest] of calls) {
    // The fixture's own shapes, checked by the bytes that come out.
    const [first, second, third] = rest.map((value) => revive(value, [])) as [any, any, any]; // oxlint-disable-line no-explicit-any -- whatever the fixture holds
    switch (call) {
      case "open":
        session = open(first);
        break;
      case "add_tags":
        session?.addTags(first);
        break;
      case "update_state":
        session?.updateState(first);
        break;
      case "log_event":
        session?.logEvent(first, second);
        break;
      case "log_exception":
        session?.["log"](first.name ?? "exception", first, takenApart(first));
        break;
      case "gauge":
      case "histogram":
      case "counter":
        session?.[call](first, second, third);
        break;
      case "timer":
        session?.["measure"]("timer", first, { value: second, count: third?.count }, third);
        break;
      case "heartbeat":
        session?.heartbeat(first?.timeout_ms);
        break;
      case "attach":
        attach(session, first, second, third);
        break;
      case "pause":
        session?.pause();
        break;
      case "resume":
        session?.resume();
        break;
      case "end":
        session?.["finish"](endOp(first ?? {}));
        break;
      case "crash":
        session?.["finish"](crashOp(first.reason, first.exit_code));
        break;
      default:
        throw new Error(`no such call: ${call}`);
    }
  }
  return session;
}

/** A page has no `attach` without the module for it. */
function attach(session: Session | undefined, ...call: Parameters<AttachingSession["attach"]>) {
  if (session instanceof AttachingSession) session.attach(...call);
}

/** As clients/typescript/encode/exception.ts takes apart what was thrown: in this order, and nothing empty. */
function takenApart(fields: ExceptionFields): ExceptionFields {
  const { exception_type, exception_msg, stacktrace, source_file } = fields;
  const { source_line, source_function, attributes, notes, causes, handled, fingerprint } = fields;
  const { causes_left_out, sources, kind, parent } = fields as ExceptionFields & Cause;
  const ordered = { exception_type, exception_msg, stacktrace, source_file, source_line };
  const details = { source_function, attributes, notes, kind, parent };
  const tree = { causes: causes?.map(takenApart), causes_left_out, sources, handled, fingerprint };
  const all = { ...ordered, ...details, ...tree };
  const present = Object.entries(all).filter(([, value]) => !["", "[]"].includes(textOf(value)));
  return Object.fromEntries(present) as ExceptionFields; // less what is empty
}

function textOf(value: unknown): string {
  return Array.isArray(value) ? JSON.stringify(value) : String(value);
}

type Special = {
  $special: string;
  digits: string;
  base64: string;
  text: string;
  times: number;
  levels: number;
  bytes: number;
  up: number;
  type: string;
  items: unknown[];
  item: unknown;
  entries: [unknown, unknown][];
};

/** The value that a fixture's JSON stands for; `above` are the containers it is in, innermost last. */
function revive(value: unknown, above: object[]): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const list: unknown[] = [];
    for (const item of value) list.push(revive(item, [...above, list]));
    return list;
  }
  if (Object.hasOwn(value, "$special")) return special(value as Special, above);
  const object = {};
  for (const [key, item] of Object.entries(value)) {
    const revived = revive(item, [...above, object]);
    Object.defineProperty(object, key, { value: revived, enumerable: true });
  }
  return object;
}

function special(value: Special, above: object[]): unknown {
  switch (value.$special) {
    case "NaN":
    case "Infinity":
    case "-Infinity":
      return Number(value.$special);
    case "integer":
      return BigInt(value.digits);
    case "bytes":
      return Uint8Array.from(atob(value.base64), (character) => character.charCodeAt(0));
    case "time":
      return new Date(value.text);
    case "set":
      return new Set(value.items.map((item) => revive(item, [])));
    case "map":
      return new Map(value.entries.map(([key, item]) => [revive(key, []), revive(item, [])]));
    case "cycle":
      return above.at(-value.up);
    case "deep": {
      let inner: object = {};
      for (let level = 1; level < value.levels; level++) inner = { x: inner };
      return inner;
    }
    case "repeat":
      return value.text.repeat(value.times);
    case "list":
      return Array.from({ length: value.times }, () => value.item);
    case "zeros":
      return new Uint8Array(value.bytes);
    case "opaque":
      return Object.create({ constructor: { name: value.type } });
    default:
      throw new Error(`no such special value: ${value.$special}`);
  }
}
