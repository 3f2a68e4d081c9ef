/** The program that runs scripts: this one if it is a Node, else the Node on the PATH, else this Deno or Bun. */
import { accessSync, constants } from "node:fs";
import { basename, delimiter, isAbsolute, join } from "node:path";
import type { Environment } from "../settings.ts";

/** A program, with the arguments that stand before a script's path (`run`) or text (`evaluate`). */
type Runtime = { program: string; run: string[]; evaluate: string[] };

export function runtimeFor(env: Environment): Runtime | undefined {
  const { execPath: program, versions } = process;
  const node = versions.deno || versions.bun || !isRuntime(program) ? onPath("node", env) : program;
  if (node !== undefined) return { program: node, run: [], evaluate: ["-e"] };
  // A program that was compiled with its runtime would start itself again.
  if (!isRuntime(program)) return undefined;
  return versions.deno
    ? { program, run: ["run", "--allow-all"], evaluate: ["eval"] }
    : { program, run: [], evaluate: ["-e"] };
}

export function onPath(program: string, env: Environment): string | undefined {
  const name = process.platform === "win32" ? `${program}.exe` : program;
  return (env["PATH"] ?? "")
    .split(delimiter)
    .filter(isAbsolute) // another is within the current folder, which may be a stranger's
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

/** Variables that make a runtime load other code first. What they name is meant for the program, and may be relative to its folder. */
export const WITHOUT_PRELOADS = { NODE_OPTIONS: undefined, BUN_OPTIONS: undefined };

function isRuntime(program: string): boolean {
  return /^(node|nodejs|deno|bun)([-\d.]*)(\.exe)?$/i.test(basename(program));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
