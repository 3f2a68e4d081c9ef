/**
 * The source maps of a folder: each JavaScript file with the map that it names or that is beside it. Nothing outside the folder is read, and
 * no link is followed.
 */
import { readdirSync, realpathSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { MAX_MAP_DEPTH, MAX_MAP_FOLDERS } from "../limits.ts";
import { mapOf } from "./read.ts";

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
