/** The context of a run, recorded as state: environment, versions, git commit. */
import { execFile } from "node:child_process";
import { release } from "node:os";
import { basename } from "node:path";
import { promisify } from "node:util";
import type { Json, JsonObject } from "../../../src/core/wire.ts";
import type { Environment } from "../../home.ts";
import { programPath } from "../../program-path.ts";
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
  const [{ git, describe }, version] = await Promise.all([
    readGit(folder),
    VERSION_ARGUMENTS[name] && ask(folder, command, VERSION_ARGUMENTS[name]),
  ]);
  const versions: Record<string, Json> = { os: `${process.platform} ${release()}` };
  if (version) versions[name] = version.replace(new RegExp(`^(${name}|v)\\s*`, "i"), "");
  return { state: git ? { versions, git } : { versions }, describe };
}

/** The commit of the folder's repository, which may be a stranger's: git runs no program that its configuration names. */
export async function readGit(folder: string): Promise<{ git?: Git; describe?: string }> {
  const git = programPath("git");
  if (git === undefined) return {};
  const listed = await ask(
    folder,
    git,
    ["config", "--includes", "--show-scope", "--name-only", "-z", "--list"],
    override([]),
  );
  const overrides = listed === undefined ? undefined : overridesOf(listed);
  if (!overrides) return {};
  const env = override(overrides);
  const [status, description] = await Promise.all([
    ask(
      folder,
      git,
      ["status", "--porcelain=v2", "--branch", "--untracked-files=no", "--ignore-submodules=all"],
      env,
    ),
    ask(folder, git, ["describe", "--tags", "--always"], env),
  ]);
  const found = status === undefined ? undefined : parseGitStatus(status);
  return {
    git: found,
    describe: description && (found?.dirty ? `${description}-dirty` : description),
  };
}

type Setting = [name: string, value: string];

/** What a repository's configuration may not decide: which programs git runs when it compares files. */
const NO_PROGRAMS: Setting[] = [
  ["core.fsmonitor", "false"],
  ["core.hooksPath", "/dev/null"],
];

/**
 * Settings that turn off the filters which the repository's own configuration defines, from the output of `git config --show-scope
 * --name-only -z --list`; undefined if git did not take the override of that command, and so would take no other (before 2.31).
 */
export function overridesOf(listed: string): Setting[] | undefined {
  const fields = listed.split("\0");
  const settings = fields.flatMap((scope, i) =>
    i % 2 === 0 ? [{ scope, name: fields[i + 1] ?? "" }] : [],
  );
  const isTaken = settings.some(
    ({ scope, name }) => scope === "command" && name === "core.hookspath",
  );
  if (!isTaken) return undefined;
  const filters = settings.flatMap(({ scope, name }) =>
    scope === "local" || scope === "worktree"
      ? (/^(filter\..*)\.[^.]+$/s.exec(name)?.[1] ?? [])
      : [],
  );
  return [...new Set(filters)].flatMap((filter): Setting[] => [
    [`${filter}.clean`, ""],
    [`${filter}.process`, ""],
    [`${filter}.required`, "false"],
  ]);
}

function override(settings: Setting[]): Environment {
  const all = [...NO_PROGRAMS, ...settings];
  const pairs = all.flatMap(([name, value], i) => [
    [`GIT_CONFIG_KEY_${i}`, name],
    [`GIT_CONFIG_VALUE_${i}`, value],
  ]);
  return {
    ...Object.fromEntries(pairs),
    GIT_CONFIG_COUNT: String(all.length),
    GIT_ALLOW_PROTOCOL: "none", // a missing object of a partial clone is not fetched
    GIT_OPTIONAL_LOCKS: "0", // a lock would make the command's own git fail
  };
}

async function ask(
  folder: string,
  program: string,
  args: string[],
  env: Environment = {},
): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(program, args, {
      cwd: folder,
      env: { ...process.env, DATACAT_DISABLED: "1", ...env },
      timeout: CONTEXT_TIMEOUT_MS,
      windowsHide: true,
    });
    return stdout.trim().slice(0, CONTEXT_LENGTH);
  } catch {
    return undefined; // no git here, not a repository, or too slow
  }
}
