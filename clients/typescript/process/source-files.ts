/** Source files of the program, for the lines around a frame. Those that were read are kept, up to a bound. */
import { readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { SOURCE_FILE_BYTES, SOURCE_FILES } from "../limits.ts";
import { isGranted } from "./permission.ts";

const files = new Map<string, readonly string[] | undefined>();

/** The lines of a file of the program itself; undefined for one of a library or the runtime, and for one that cannot be read. */
export function sourceLines(file: string): readonly string[] | undefined {
  const known = files.get(file);
  if (known !== undefined || files.has(file) || files.size >= SOURCE_FILES) return known;
  const lines = read(file);
  files.set(file, lines);
  return lines;
}

function read(file: string): readonly string[] | undefined {
  const isOwn =
    /^(?:file:\/\/|\/|[A-Za-z]:[\\/])/.test(file) && !/[\\/]node_modules[\\/]/.test(file);
  // Deno would ask the person at the terminal for a permission that it lacks.
  if (!isOwn || !isGranted({ name: "read" })) return undefined;
  try {
    const path = file.startsWith("file://") ? fileURLToPath(file) : file;
    const { size } = statSync(path);
    return size > SOURCE_FILE_BYTES ? undefined : readFileSync(path, "utf8").split(/\r?\n/);
  } catch {
    return undefined; // it is not there: the program was compiled elsewhere
  }
}
