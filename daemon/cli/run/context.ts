/** What is worth knowing about the circumstances of a run, as state: where, of which version, with what. */
import { execFile } from "node:child_process";
import { release } from "node:os";
import { basename } from "node:path";
import { promisify } from "node:util";
import type { Json, JsonObject } from "../../../src/core/wire.ts";
import type { Environment } from "../../home.ts";
import { FACTS_TIMEOUT_MS } from "../limits.ts";

/** Variables that say how a program runs, and never hold a secret. */
const HARMLESS = `
  CI GITHUB_ACTIONS GITHUB_REPOSITORY GITHUB_WORKFLOW GITHUB_RUN_ID GITHUB_REF_NAME
  GITLAB_CI CI_JOB_ID CI_COMMIT_REF_NAME BUILD_NUMBER JOB_NAME
  NODE_ENV VIRTUAL_ENV CONDA_DEFAULT_ENV PYTHONHASHSEED GOMAXPROCS OMP_NUM_THREADS CUDA_VISIBLE_DEVICES
  LANG LC_ALL TZ TERM SHELL
`.match(/\w+/g);

/** How to ask a program for its version; only those that are known to do nothing else. */
const VERSION_ARGUMENTS: Record<string, string[]> = {
  node: ["--version"],
  npm: ["--version"],
  deno: ["--version"],
  bun: ["--version"],
  python: ["--version"],
  python2: ["--version"],
  python3: ["--version"],
  pytest: ["--version"],
  ruby: ["--version"],
  go: ["version"],
  cargo: ["--version"],
  rustc: ["--version"],
};

export function harmless(env: Environment): JsonObject {
  const names = HARMLESS ?? [];
  return Object.fromEntries(names.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
}

export type Git = { commit: string; branch: string; dirty: boolean };

/** `git status --porcelain=v2 --branch`, read. */
export function parseGitStatus(text: string): Git | undefined {
  const commit = /^# branch\.oid (\S+)$/m.exec(text)?.[1];
  const branch = /^# branch\.head (\S+)$/m.exec(text)?.[1];
  if (commit === undefined || branch === undefined) return undefined;
  return { commit, branch, dirty: /^[^#\n]/m.test(text) };
}

/** What takes a moment to find out. Fails in nothing: what cannot be found is left out. */
export async function lookAround(
  command: string,
  folder: string,
): Promise<{ state: JsonObject; describe?: string }> {
  const name = basename(command).replace(/\.(exe|cmd)$/i, "");
  const [status, describe, version] = await Promise.all([
    ask(folder, "git", ["status", "--porcelain=v2", "--branch", "--untracked-files=no"]),
    ask(folder, "git", ["describe", "--tags", "--always", "--dirty"]),
    ask(folder, command, VERSION_ARGUMENTS[name]),
  ]);
  const versions: Record<string, Json> = { os: `${process.platform} ${release()}` };
  if (version) versions[name] = version.replace(new RegExp(`^(${name}|v)\\s*`, "i"), "");
  const git = status === undefined ? undefined : parseGitStatus(status);
  return { state: { versions, ...(git && { git }) }, ...(describe && { describe }) };
}

async function ask(folder: string, program: string, args?: string[]): Promise<string | undefined> {
  if (!args) return undefined;
  try {
    const { stdout } = await promisify(execFile)(program, args, {
      cwd: folder,
      // Without the optional lock, so that the command's own git never finds the index locked by ours.
      env: { ...process.env, GIT_OPTIONAL_LOCKS: "0", DATACAT_DISABLED: "1" },
      timeout: FACTS_TIMEOUT_MS,
      windowsHide: true,
    });
    return stdout.trim().slice(0, 10_000);
  } catch {
    return undefined; // no git here, not a repository, or too slow
  }
}
