/** Redaction of secrets by key (clients/README.md): in the client, in the daemon and in the session object. */
import type { Json } from "./wire.ts";

export const REDACTED = "[redacted]";

/** A key is secret if its name, in lower case and without `_`, `-` and blanks, contains one of these, or "token". */
const SECRET_PART =
  /password|passwd|secret|authorization|cookie|apikey|privatekey|credential|sessionkey/;

/** Whether a key of this name may hold a secret. */
export function isSecret(key: string): boolean {
  const name = nameOf(key);
  return SECRET_PART.test(name) || name.includes("token");
}

/**
 * Whether the value of a secret key is redacted. Empty values (null, "", [] and {}) hold no secret. Numbers and booleans under a key
 * that is secret only by "token" are counts and flags, such as `max_tokens`.
 */
export function isRedacted(key: string, value: unknown): boolean {
  if (typeof value === "object") return Object.keys(value ?? {}).length > 0;
  return value !== "" && (typeof value === "string" || SECRET_PART.test(nameOf(key)));
}

function nameOf(key: string): string {
  return key.toLowerCase().replace(/[_\-\s]/g, "");
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
    if (isNamed && !arg.startsWith("-")) return redactedText(before, arg);
    const [, name = "", value] = /^([^=]*=)(.+)$/s.exec(arg) ?? [];
    return value !== undefined && isSecret(name) ? name + redactedText(name, value) : arg;
  });
}

function redactedText(name: string, text: string): string {
  return isRedacted(name, /^\d+$/.test(text) ? Number(text) : text) ? REDACTED : text;
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
    const clean = isSecret(key) && isRedacted(key, item) ? REDACTED : walk(item);
    if (clean !== item) changed = true;
    entries.push([key, clean]);
  }
  // fromEntries defines own properties, so that a key called __proto__ stays an ordinary one.
  return changed ? Object.fromEntries(entries) : value;
}

function isPlain(value: unknown): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null;
}
