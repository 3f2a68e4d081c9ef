/** Reads an exception's fields from anything that was thrown. Never throws. */
import { CAUSES_KEPT } from "../limits.ts";
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
  // File, line and function of the first frame: V8's `at f (file:1:2)`, or `f@file:1:2` elsewhere.
  const [, source_function, source_file, line] =
    /^(?:at (?:async )?)?(?:([^(@]*)(?: \(|@))?(\S.*):(\d+):\d+\)?$/.exec(
      fields.stacktrace?.[0] ?? "",
    ) ?? [];
  const place = { source_file, source_line: Number(line) || undefined, source_function };
  return { ...fields, ...place, causes: causes[0] && causes };
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
    // Without the heading, which repeats type and message and may have many lines.
    stacktrace: textOf(property(thrown, "stack"))
      ?.match(/^ *at .*|^((?!@).)*@.*:\d+$/gm)
      ?.map((line) => line.trim()),
  };
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
