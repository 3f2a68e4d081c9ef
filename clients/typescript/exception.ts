/** Anything thrown, taken apart into an exception's fields. Never throws itself, however odd the thing is. */
import type { Cause, ExceptionFields } from "./ops.ts";
import { MAX_CAUSES } from "./limits.ts";

/** What was thrown, where, and what led to it. */
export function exceptionFields(thrown: unknown): ExceptionFields {
  const causes: Cause[] = [];
  for (
    let cause = causeOf(thrown);
    cause !== undefined && causes.length < MAX_CAUSES;
    cause = causeOf(cause)
  )
    causes.push(describe(cause));
  const fields = describe(thrown);
  return { ...fields, ...place(fields.stacktrace), causes };
}

function describe(thrown: unknown): Cause {
  const stack = stringProperty(thrown, "stack");
  const message = stringProperty(thrown, "message");
  return {
    exception_type: typeOf(thrown),
    exception_msg: message ?? textOf(thrown),
    stacktrace: stack === undefined ? undefined : framesOf(stack),
  };
}

function causeOf(thrown: unknown): unknown {
  const cause = property(thrown, "cause");
  if (cause !== undefined && cause !== null) return cause;
  const errors = property(thrown, "errors"); // AggregateError: the first stands for all
  return Array.isArray(errors) ? (errors[0] as unknown) : undefined;
}

/** A class's own name says more than `error.name`, which most subclasses never set. */
function typeOf(thrown: unknown): string {
  if (typeof thrown !== "object" || thrown === null) return typeof thrown;
  const name = stringProperty(thrown, "name");
  const constructor = stringProperty(property(thrown, "constructor"), "name");
  return (name === "Error" ? (constructor ?? name) : (name ?? constructor)) ?? "object";
}

/** The stack without its heading, which repeats type and message and may have many lines. */
function framesOf(stack: string): string[] {
  return stack
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.startsWith("at ") || /@.*:\d+:\d+$/.test(line));
}

/** File, line and function of the innermost frame: V8's `at f (file:1:2)`, or `f@file:1:2` elsewhere. */
function place(frames: readonly string[] | undefined): ExceptionFields {
  const found = /^(?:at (?:async )?)?(?:(.*?)(?: \(|@))?(\S.*?):(\d+):\d+\)?$/.exec(
    frames?.[0] ?? "",
  );
  if (found === null) return {};
  const [, source_function, source_file, line] = found;
  return { source_file, source_line: Number(line), source_function };
}

function property(value: unknown, key: string): unknown {
  try {
    return value === null || value === undefined
      ? undefined
      : (Object(value) as Record<string, unknown>)[key];
  } catch {
    return undefined; // a getter or proxy that throws has nothing to say
  }
}

function stringProperty(value: unknown, key: string): string | undefined {
  const found = property(value, key);
  return typeof found === "string" && found !== "" ? found : undefined;
}

function textOf(thrown: unknown): string {
  try {
    return typeof thrown === "object" && thrown !== null ? JSON.stringify(thrown) : String(thrown);
  } catch {
    return typeof thrown;
  }
}
