/** The context of a run, recorded as state: environment, versions, git commit. */
import { execFile } from "node:child_process";
import { release } from "node:os";
import { basename } from "node:path";
import { promisify } from "node:util";
import type { Json, JsonObject } from "../../../src/core/wire.ts";
import type { Environment } from "../../home.ts";
import { CONTEXT_LENGTH, CONTEXT_TIMEOUT_MS } from "../limits.ts";

/** Variables that describe how a program runs, and never hold a secret. */
const PUBLIC_VARIABLES = `
  CI GITHUB_ACTIONS GITHUB_REPOSITORY GITHUB_WORKFLOW GITHUB_RUN_ID GITHUB_REF_NAME
  GITLAB_CI CI_JOB_ID CI_COMMIT_REF_NAME BUILD_NUMBER JOB_NAME
  NODE_ENV VIRTUAL_ENV CONDA_DEFAULT_ENV PYTHONHASHSEED GOMAXPROCS OMP_NUM_THREADS CUDA_VISIBLE_DEVICES
  LANG LC_ALL TZ TERM SHELL
`.match(/\w+/g);

/** The arguments that print a program's version, for programs where they do nothing else. */
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

export function publicVariables(env: Environment): JsonObject {
  const names = PUBLIC_VARIABLES ?? [];
  return Object.fromEntries(names.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
}

type Git = { commit: string; branch: string; dirty: boolean };

/** Parses the output of `git status --porcelain=v2 --branch`. */
export function parseGitStatus(text: string): Git | undefined {
  const commit = /^# branch\.oid (\S+)$/m.exec(text)?.[1];
  const branch = /^# branch\.head (\S+)$/m.exec(text)?.[1];
  if (commit === undefined || branch === undefined) return undefined;
  return { commit, branch, dirty: /^[^#\n]/m.test(text) };
}

/** Versions and git commit, from other programs. Never throws: what can't be found is left out. */
export async function readContext(
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
  return { state: git ? { versions, git } : { versions }, describe: describe || undefined };
}

async function ask(folder: string, program: string, args?: string[]): Promise<string | undefined> {
  if (!args) return undefined;
  try {
    const { stdout } = await promisify(execFile)(program, args, {
      cwd: folder,
      // Without git's optional lock, which would make the command's own git fail.
      env: { ...process.env, GIT_OPTIONAL_LOCKS: "0", DATACAT_DISABLED: "1" },
      timeout: CONTEXT_TIMEOUT_MS,
      windowsHide: true,
    });
    return stdout.trim().slice(0, CONTEXT_LENGTH);
  } catch {
    return undefined; // no git here, not a repository, or too slow
  }
}
