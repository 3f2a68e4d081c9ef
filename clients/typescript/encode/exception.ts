/** Reads an exception's fields from anything that was thrown. Never throws. */
import { CAUSES_KEPT, FRAMES_KEPT, PLACE_LENGTH } from "../limits.ts";
import type { Cause, ExceptionFields } from "./ops.ts";

/** Type, message, stack, place and causes of what was thrown. */
export function exceptionFields(thrown: unknown): ExceptionFields {
  const causes: Cause[] = [];
  for (
    let cause = causeOf(thrown);
    cause !== undefined && causes.length < CAUSES_KEPT;
    cause = causeOf(cause)
  )
    causes.push(describe(cause));
  const fields = describe(thrown);
  return { ...fields, ...placeOf(fields.stacktrace?.[0] ?? ""), causes: causes[0] && causes };
}

/** File, line and function of a frame: V8's `at f (file:1:2)`, or `f@file:1:2` elsewhere. */
function placeOf(frame: string) {
  const end = /:(\d+):\d+\)?$/.exec(frame.slice(0, PLACE_LENGTH));
  // Once the end is known, this matches at its first try.
  const [, source_function, source_file] =
    /^(?:at (?:async )?)?(?:([^]*?)(?: \(|@)(?=\S))?(\S[^]*)$/.exec(
      frame.slice(0, end?.index ?? 0),
    ) ?? [];
  return { source_file, source_line: Number(end?.[1]) || undefined, source_function };
}

function describe(thrown: unknown): Cause {
  const name = property(thrown, "name");
  // Most subclasses of Error do not set a name, but their class has one.
  const className = property(property(thrown, "constructor"), "name");
  return {
    exception_type:
      typeof thrown === "object"
        ? textOf(name === "Error" ? className : (name ?? className))
        : typeof thrown,
    exception_msg: textOf(property(thrown, "message") ?? thrown),
    stacktrace: framesOf(textOf(property(thrown, "stack")) ?? ""),
  };
}

/** The frames of a stack, without the heading, which repeats type and message and may have many lines. */
function framesOf(stack: string): string[] | undefined {
  const frames: string[] = [];
  for (let from = 0; from < stack.length && frames.length < FRAMES_KEPT;) {
    const next = stack.indexOf("\n", from);
    const end = next === -1 ? stack.length : next;
    const line = stack.slice(from, end).trim();
    if (line.startsWith("at ") || (line.includes("@") && /:\d+$/.test(line))) frames.push(line);
    from = end + 1;
  }
  return frames[0] === undefined ? undefined : frames;
}

/** The cause; of an AggregateError, its first error. */
function causeOf(thrown: unknown): unknown {
  return property(thrown, "cause") ?? property(property(thrown, "errors"), "0");
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
