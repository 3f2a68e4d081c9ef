/**
 * Where an installed program is. The system's own search would also take one of the current directory, which may be a stranger's: Windows
 * searches that first, and a relative folder on PATH is within it.
 */
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import type { Environment } from "./home.ts";

/** The full path; undefined if no absolute folder on PATH has the program. */
export function programPath(name: string, env: Environment = process.env): string | undefined {
  const file = process.platform === "win32" && !/\.\w+$/.test(name) ? `${name}.exe` : name;
  const folders = (env["PATH"] ?? env["Path"] ?? "").split(delimiter).filter(isAbsolute);
  return folders.map((folder) => join(folder, file)).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
