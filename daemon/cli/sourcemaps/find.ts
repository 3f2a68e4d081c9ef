/**
 * The source maps of a folder: each JavaScript file with the map that it names or that is beside it. Nothing outside the folder is read, and
 * no link is followed.
 */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
} from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { MAX_MAP_BYTES } from "../../../src/core/sourcemaps/limits.ts";
import { MAX_MAP_DEPTH, MAX_MAP_FOLDERS, MAX_SCRIPT_BYTES } from "../limits.ts";

type FoundMap = {
  /** The JavaScript file, relative to the folder, with `/`. */
  file: string;
  map: Buffer;
};

export type Search = {
  /** JavaScript files without a map. */
  without: string[];
  /** Files that were left out, with the reason. */
  leftOut: string[];
};

/** Each map is read when it is asked for. What is found besides is noted in `search`. Throws if the folder cannot be read. */
export function* findMaps(folder: string, search: Search): Generator<FoundMap> {
  const root = realpathSync(folder);
  for (const path of scriptsIn(root, search)) {
    const file = relative(root, path).split(sep).join("/");
    const found = mapOf(path, root);
    if (found === undefined) search.without.push(file);
    else if (typeof found === "string") search.leftOut.push(`${file}: ${found}`);
    else yield { file, map: found };
  }
}

function* scriptsIn(root: string, search: Search): Generator<string> {
  const folders = [{ path: root, depth: 0 }];
  let count = 0;
  for (let next = folders.pop(); next; next = folders.pop()) {
    if (++count > MAX_MAP_FOLDERS) {
      search.leftOut.push(`${root}: it has more than ${MAX_MAP_FOLDERS} folders`);
      return;
    }
    for (const entry of readdirSync(next.path, { withFileTypes: true })) {
      const path = join(next.path, entry.name);
      const isScript = /\.[cm]?js$/.test(entry.name);
      if (entry.isFile() && isScript) yield path;
      else if (entry.isSymbolicLink() && isScript)
        search.leftOut.push(`${relative(root, path)}: it is a link`);
      else if (entry.isDirectory() && !NOT_BUILT.has(entry.name) && next.depth < MAX_MAP_DEPTH)
        folders.push({ path, depth: next.depth + 1 });
    }
  }
}

const NOT_BUILT = new Set(["node_modules", ".git"]);

/** Undefined if the file has none; a text is why it cannot be used. */
function mapOf(path: string, root: string): Buffer | string | undefined {
  const script = readRegular(path, MAX_SCRIPT_BYTES);
  if (typeof script === "string") return script;
  const named = nameIn(script?.toString("latin1") ?? "");
  if (named?.startsWith("data:")) return inlineMap(named);
  const beside = `${path}.map`;
  if (named !== undefined && !/^[a-z][a-z0-9+.-]*:/i.test(named)) {
    const at = resolve(dirname(path), decoded(named.replace(/[?#].*$/s, "")));
    const found = isWithin(at, root) ? readRegular(at, MAX_MAP_BYTES) : undefined;
    if (found !== undefined) return found;
    if (!isWithin(at, root) && readRegular(beside, MAX_MAP_BYTES) === undefined)
      return "its map is outside the folder";
  }
  return readRegular(beside, MAX_MAP_BYTES);
}

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

function inlineMap(address: string): Buffer | string {
  const comma = address.indexOf(",");
  if (comma < 0) return "the map in it is incomplete";
  const content = address.slice(comma + 1);
  const isBase64 = /;base64$/i.test(address.slice(0, comma));
  const map = isBase64 ? Buffer.from(content, "base64") : Buffer.from(decoded(content));
  return map.length > MAX_MAP_BYTES ? tooLarge(MAX_MAP_BYTES) : map;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Also if a folder on the way is a link. */
function isWithin(path: string, root: string): boolean {
  try {
    const real = join(realpathSync(dirname(path)), basename(path));
    return real.startsWith(root.endsWith(sep) ? root : root + sep);
  } catch {
    return false;
  }
}

/** Undefined if there is no such file; a text is why it cannot be read. */
function readRegular(path: string, limit: number): Buffer | string | undefined {
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
    return stat.size > limit ? tooLarge(limit) : readFileSync(file);
  } finally {
    closeSync(file);
  }
}

function tooLarge(limit: number): string {
  return `it is larger than ${limit / 1024 / 1024} MiB`;
}
