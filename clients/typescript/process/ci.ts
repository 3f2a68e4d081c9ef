/**
 * The CI context of this process (core/ci/ci.ts): the environment, GitHub's event file, and what git prints about a folder. For
 * plugins of test runners.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import {
  type CiContext,
  ciContext,
  GIT_LOG,
  GIT_STATUS,
  gitContext,
  versionOf,
} from "../../../src/core/ci/ci.ts";

/** Both git commands together: large repositories are slow, and a run of tests must not wait for them. */
const GIT_MS = 1_000;
/** Of what git prints: the changed files of an ordinary change. */
const GIT_BYTES = 1024 * 1024;
/** GitHub's payload of an event is at most 25 MB; that of a pull request has some 30 KB. */
const EVENT_BYTES = 1024 * 1024;

/** The context, which belongs into the state `ci`, and the version of a session that has none. Never throws; takes at most a second. */
export function readCi(
  env: { [name: string]: string | undefined } = process.env,
  folder: string = process.cwd(),
): { ci: CiContext; version?: string } | undefined {
  try {
    const until = Date.now() + GIT_MS;
    const log = git(GIT_LOG, folder, until);
    const status = log === undefined ? undefined : git(GIT_STATUS, folder, until);
    const ci = ciContext(env, gitContext(log, status), readEvent(env["GITHUB_EVENT_PATH"]));
    if (ci === undefined) return undefined;
    const version = versionOf(ci);
    return { ci, ...(version !== undefined && { version }) };
  } catch {
    return undefined;
  }
}

function git(args: string[], folder: string, until: number): string | undefined {
  const timeout = until - Date.now();
  if (timeout <= 0) return undefined;
  try {
    return execFileSync("git", args, {
      cwd: folder,
      env: {
        ...process.env,
        DATACAT_DISABLED: "1",
        GIT_ALLOW_PROTOCOL: "none", // a missing object of a partial clone is not fetched
        GIT_OPTIONAL_LOCKS: "0", // a lock would make another git fail
      },
      encoding: "utf8",
      maxBuffer: GIT_BYTES,
      stdio: ["ignore", "pipe", "ignore"],
      timeout,
      killSignal: "SIGKILL",
      windowsHide: true,
    });
  } catch {
    return undefined; // no git here, not a repository, or too slow
  }
}

function readEvent(path: string | undefined): unknown {
  try {
    if (!path || statSync(path).size > EVENT_BYTES) return undefined;
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}
