/** The source map of a JavaScript file: the one that it names, the one beside it, or the one in it. No link is followed. */
import { closeSync, constants, fstatSync, openSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve, sep } from "node:path";
import { MAX_MAP_BYTES } from "../../src/core/sourcemaps/limits.ts";
import { MAX_SCRIPT_BYTES } from "../limits.ts";

/** Of a file in the folder `root`, in which the map has to be too. Undefined if it has none; a text is why it cannot be used. */
export function mapOf(
  path: string,
  root: string,
  rules: Rules = { limit: MAX_MAP_BYTES },
): Buffer | string | undefined {
  const script = readRegular(path, { ...rules, limit: MAX_SCRIPT_BYTES });
  if (typeof script === "string") return script;
  const named = nameIn(script?.toString("latin1") ?? "");
  if (named?.startsWith("data:")) return inlineMap(named, rules.limit);
  const beside = readRegular(`${path}.map`, rules);
  if (named === undefined || /^[a-z][a-z0-9+.-]*:/i.test(named)) return beside;
  const at = resolve(dirname(path), decoded(named.replace(/[?#].*$/s, "")));
  const isInside = isWithin(at, root);
  return (isInside ? readRegular(at, rules) : beside) ?? beside ?? (isInside ? undefined : OUTSIDE);
}

/** What is read: files up to a size in bytes, and only those of this user if `isOwn`. */
type Rules = { limit: number; isOwn?: true };

const OUTSIDE = "its map is outside the folder";

/** The address in the last `//# sourceMappingURL=` of a file. */
function nameIn(text: string): string | undefined {
  const at = Math.max(
    text.lastIndexOf("//# sourceMappingURL="),
    text.lastIndexOf("//@ sourceMappingURL="),
  );
  if (at < 0) return undefined;
  const end = text.indexOf("\n", at);
  const address = text.slice(at + "//# sourceMappingURL=".length, end < 0 ? undefined : end).trim();
  return address === "" ? undefined : address;
}

function inlineMap(address: string, limit: number): Buffer | string {
  const comma = address.indexOf(",");
  if (comma < 0) return "the map in it is incomplete";
  const content = address.slice(comma + 1);
  const isBase64 = /;base64$/i.test(address.slice(0, comma));
  const map = isBase64 ? Buffer.from(content, "base64") : Buffer.from(decoded(content));
  return map.length > limit ? tooLarge(limit) : map;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Also if a folder on the way is a link. */
export function isWithin(path: string, root: string): boolean {
  try {
    const real = join(realpathSync(dirname(path)), basename(path));
    return real.startsWith(root.endsWith(sep) ? root : root + sep);
  } catch {
    return false;
  }
}

/** Undefined if there is no such file; a text is why it cannot be read. */
export function readRegular(path: string, { limit, isOwn }: Rules): Buffer | string | undefined {
  let file: number;
  try {
    // A link is refused, and a pipe is not waited for. Windows has neither flag: undefined counts as 0.
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException; // of the file system
    if (code === "ENOENT") return undefined;
    return code === "ELOOP" ? "its map is a link" : `it cannot be read (${code})`;
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) return "it is no regular file";
    if (isOwn && process.geteuid && stat.uid !== process.geteuid())
      return "it is a file of another user";
    return stat.size > limit ? tooLarge(limit) : readFileSync(file);
  } finally {
    closeSync(file);
  }
}

function tooLarge(limit: number): string {
  return `it is larger than ${limit / 1024 / 1024} MiB`;
}
