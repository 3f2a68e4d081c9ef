/** Redaction of secrets by key (clients/README.md): in the client, in the daemon and in the session object. */
import type { Json } from "./wire.ts";

export const REDACTED = "[redacted]";

/** A key is secret if its name, lower-cased and without `_`, `-` and blanks, contains one of these. */
const SECRET_PART =
  /password|passwd|secret|token|authorization|cookie|apikey|privatekey|credential|sessionkey/;

/** Whether a key of this name holds a secret. */
export function isSecret(key: string): boolean {
  return SECRET_PART.test(key.toLowerCase().replace(/[_\-\s]/g, ""));
}

/** Whether a value is null, "", [] or {}: it is not redacted, because it holds no secret. */
export function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === "") return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** The value with each secret in it replaced by REDACTED; the same object if it contains none. */
export function redact<Value extends Json>(value: Value): Value {
  // Safe cast: lists stay lists, objects keep their keys, and only values of secret keys become strings.
  return walk(value) as Value;
}

/** A command line with the values of secret options replaced: `--token=x`, `--password x`. */
export function redactArguments(args: readonly string[]): string[] {
  return args.map((arg, index) => {
    const before = args[index - 1] ?? "";
    const isNamed = before.startsWith("-") && !before.includes("=") && isSecret(before);
    if (isNamed && !arg.startsWith("-")) return REDACTED;
    const [, name = "", value] = /^([^=]*=)(.+)$/s.exec(arg) ?? [];
    return value !== undefined && isSecret(name) ? name + REDACTED : arg;
  });
}

function walk(value: Json): Json {
  if (Array.isArray(value)) {
    let copy: Json[] | undefined;
    for (const [index, item] of value.entries()) {
      const clean = walk(item);
      if (clean !== item) (copy ??= [...value])[index] = clean;
    }
    return copy ?? value;
  }
  if (!isPlain(value)) return value;

  let changed = false;
  const entries: [string, Json][] = [];
  for (const [key, item] of Object.entries(value)) {
    const clean = isSecret(key) && !isEmpty(item) ? REDACTED : walk(item);
    if (clean !== item) changed = true;
    entries.push([key, clean]);
  }
  // fromEntries defines own properties, so that a key called __proto__ stays an ordinary one.
  return changed ? Object.fromEntries(entries) : value;
}

function isPlain(value: unknown): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null;
}
