/** The context of a run, recorded as state: environment, versions, git commit. */
import { release } from "node:os";
import { basename } from "node:path";
import { versionOf } from "../../../src/core/ci/ci.ts";
import type { Json, JsonObject } from "../../../src/core/wire.ts";
import type { Environment } from "../../home.ts";
import { ask } from "./ask.ts";
import { readCi } from "./ci.ts";

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

/** Versions, commit and job, from other programs and the environment. Never throws: what can't be found is left out. */
export async function readContext(
  command: string,
  folder: string,
  env: Environment,
): Promise<{ state: JsonObject; version?: string | undefined }> {
  const name = basename(command).replace(/\.(exe|cmd)$/i, "");
  const [ci, version] = await Promise.all([
    readCi(env, folder),
    VERSION_ARGUMENTS[name] && ask(folder, command, VERSION_ARGUMENTS[name]),
  ]);
  const versions: Record<string, Json> = { os: `${process.platform} ${release()}` };
  if (version) versions[name] = version.replace(new RegExp(`^(${name}|v)\\s*`, "i"), "");
  return ci ? { state: { versions, ci }, version: versionOf(ci) } : { state: { versions } };
}
