/** Asks another program, such as git, and never waits for it long. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Environment } from "../../home.ts";
import { CONTEXT_LENGTH, CONTEXT_TIMEOUT_MS } from "../limits.ts";

/** The beginning of what the program prints; undefined if it fails, is not found, or takes too long. */
export async function ask(
  folder: string,
  program: string,
  args: string[],
  env: Environment = {},
  timeout: number = CONTEXT_TIMEOUT_MS,
): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(program, args, {
      cwd: folder,
      env: { ...process.env, DATACAT_DISABLED: "1", ...env },
      timeout,
      windowsHide: true,
    });
    return stdout.trim().slice(0, CONTEXT_LENGTH);
  } catch {
    return undefined; // no git here, not a repository, or too slow
  }
}
