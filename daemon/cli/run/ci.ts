/**
 * What a command belongs to: the variables of a CI service, and the commit of its folder (src/core/ci/ci.ts). The repository may be a
 * stranger's: git runs no program that its configuration names.
 */
import { readFileSync, statSync } from "node:fs";
import {
  type CiContext,
  ciContext,
  GIT_LOG,
  GIT_STATUS,
  gitContext,
} from "../../../src/core/ci/ci.ts";
import type { Environment } from "../../home.ts";
import { programPath } from "../../program-path.ts";
import { GIT_TIMEOUT_MS, MAX_EVENT_FILE } from "../limits.ts";
import { ask } from "./ask.ts";

/** Never throws: what can't be found is left out. */
export async function readCi(env: Environment, folder: string): Promise<CiContext | undefined> {
  const [log, status] = await readGit(folder);
  return ciContext(env, gitContext(log, status), readEvent(env["GITHUB_EVENT_PATH"]));
}

/** The payload of the event that GitHub runs a job for. */
function readEvent(path: string | undefined): unknown {
  try {
    if (!path || statSync(path).size > MAX_EVENT_FILE) return undefined;
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

/** What `git log` and `git status` print about the folder. */
async function readGit(folder: string): Promise<(string | undefined)[]> {
  const git = programPath("git");
  if (git === undefined) return [];
  const list = ["config", "--includes", "--show-scope", "--name-only", "-z", "--list"];
  const listed = await ask(folder, git, list, override([]), GIT_TIMEOUT_MS);
  const overrides = listed === undefined ? undefined : overridesOf(listed);
  if (!overrides) return [];
  const env = override(overrides);
  return Promise.all(
    [GIT_LOG, GIT_STATUS].map((args) => ask(folder, git, args, env, GIT_TIMEOUT_MS)),
  );
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
