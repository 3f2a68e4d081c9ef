/** Paths of source maps: which uploaded file a frame names, and what a source is called. */
import { MAX_FILE_LENGTH, MAX_PATH_PARTS } from "./limits.ts";

/** The parts of a path or address, without scheme, host, drive, query and fragment. */
function partsOf(path: string): string[] {
  const [plain = ""] = path.slice(0, MAX_FILE_LENGTH).split(/[?#]/, 1);
  const local = plain
    .replaceAll("\\", "/")
    .replace(/^[a-z][a-z0-9+.-]+:\/\/[^/]*/i, "")
    .replace(/^\/*[a-z]:\//i, "/");
  return resolved(decoded(local).split("/")).slice(-MAX_PATH_PARTS);
}

/** Without `.`, `..` and empty parts; a `..` without a folder before it is left out. */
function resolved(parts: string[]): string[] {
  const kept: string[] = [];
  for (const part of parts) {
    if (part === "..") kept.pop();
    else if (part !== "." && part !== "") kept.push(part);
  }
  return kept;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a file with a percent sign in its name
  }
}

/** A path as files are stored under: `assets/app.js`. Empty if it names none. */
export function uploadPath(path: string): string {
  return partsOf(path).join("/");
}

/** Finds the uploaded file that a frame names: one of the two paths ends with the whole other one. The longest match counts. */
export class FileMatcher {
  readonly #byName = new Map<string, string[][]>();

  /** `paths`: as uploadPath gives them. */
  constructor(paths: Iterable<string>) {
    for (const path of paths) {
      const parts = path.split("/");
      const name = parts.at(-1) ?? "";
      const known = this.#byName.get(name);
      if (known) known.push(parts);
      else this.#byName.set(name, [parts]);
    }
  }

  /** Undefined if there is none, or several that match equally. */
  find(file: string): string | undefined {
    const parts = partsOf(file);
    // The file of a dependency has often the name of the program's own: index.js.
    const isDependency = parts.includes("node_modules");
    let [best, highest, isUnique]: [string[] | undefined, number, boolean] = [undefined, 0, true];
    for (const candidate of this.#byName.get(parts.at(-1) ?? "") ?? []) {
      if (isDependency && !candidate.includes("node_modules")) continue;
      const length = commonEnd(parts, candidate);
      if (length < Math.min(parts.length, candidate.length)) continue;
      // Of two that have as much in common, the one that is the whole path.
      const rank = 2 * length + (length === candidate.length ? 1 : 0);
      if (rank < highest) continue;
      isUnique = rank > highest;
      [best, highest] = [candidate, rank];
    }
    return isUnique ? best?.join("/") : undefined;
  }
}

function commonEnd(one: string[], other: string[]): number {
  let length = 0;
  while (
    length < one.length &&
    length < other.length &&
    one.at(-1 - length) === other.at(-1 - length)
  )
    length++;
  return length;
}

/**
 * A source as it is shown: `src/app.ts` for `webpack://game/./src/app.ts` and for `../src/app.ts` of `dist/app.js`. `generated`: the path of
 * the file that the map is of.
 */
export function sourcePath(source: string, generated: string): string {
  const bundled = /^(?:webpack|turbopack|rspack|ng|vite|metro|app|meteor):\/\/\/?(.*)$/s.exec(
    source,
  )?.[1];
  if (bundled !== undefined) {
    const [plain = ""] = bundled.split("?", 1);
    // The name of the package comes first: `webpack://game/./src/app.ts`, `webpack://@scope/game/./src/app.ts`.
    const own = /^[^/]*(?:\/[^/.][^/]*)?\/\.\/(.*)$/s.exec(plain)?.[1] ?? plain;
    return resolved(own.split("/")).join("/");
  }
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(source)) return source.replace(/^file:\/\/\/(?=[a-z]:)/i, "");
  if (/^(?:[\\/]|[a-z]:[\\/])/i.test(source)) return source.replaceAll("\\", "/");
  const folder = generated.split("/").slice(0, -1);
  return resolved([...folder, ...source.replaceAll("\\", "/").split("/")]).join("/");
}
