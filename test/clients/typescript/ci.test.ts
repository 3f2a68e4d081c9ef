import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readCi } from "../../../clients/typescript/process/ci.ts";

function repository() {
  const folder = mkdtempSync(join(tmpdir(), "datacat-ci-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const git = (...args: string[]) => {
    const all = ["-c", "user.name=a", "-c", "user.email=a@b", "-C", folder, ...args];
    return spawnSync("git", all, { encoding: "utf8" }).stdout.trim();
  };
  git("init", "--initial-branch", "trunk");
  writeFileSync(join(folder, "file"), "1");
  git("add", ".");
  git("commit", "-m", "First");
  return { folder, git };
}

test("a branch, a changed file, a tag without a branch, a worktree, a shallow clone", () => {
  const { folder, git } = repository();
  const commit = git("rev-parse", "HEAD");
  const short = commit.slice(0, 12);
  expect(readCi({}, folder)).toEqual({
    version: short,
    ci: {
      provider: "git",
      commit,
      commit_short: short,
      branch: "trunk",
      author_time: Number(git("log", "-1", "--format=%at")) * 1000,
      dirty: false,
      subject: "First",
    },
  });
  writeFileSync(join(folder, "file"), "2");
  expect(readCi({}, folder)).toMatchObject({ version: `${short}-dirty`, ci: { dirty: true } });

  git("tag", "v1");
  git("worktree", "add", "-q", "--detach", join(folder, "other"), "v1");
  const detached = readCi({}, join(folder, "other"));
  expect(detached).toMatchObject({ version: short, ci: { tag: "v1", dirty: false } });
  expect(detached?.ci).not.toHaveProperty("branch");

  spawnSync("git", ["clone", "-q", "--depth=1", `file://${folder}`, join(folder, "shallow")]);
  const shallow = readCi({}, join(folder, "shallow"));
  expect(shallow).toMatchObject({ version: short, ci: { branch: "trunk", subject: "First" } });
});

test("no repository, no commit, no folder, an event file that is none", () => {
  const folder = mkdtempSync(join(tmpdir(), "datacat-ci-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  expect(readCi({}, folder)).toBeUndefined();
  spawnSync("git", ["init", "-q", folder]);
  expect(readCi({}, folder)).toBeUndefined();
  expect(readCi({}, join(folder, "missing"))).toBeUndefined();

  const event = join(folder, "event.json");
  const env = { GITHUB_ACTIONS: "true", GITHUB_SHA: "b".repeat(40), GITHUB_EVENT_PATH: event };
  expect(readCi(env, folder)?.ci.commit).toBe("b".repeat(40));
  writeFileSync(event, "{");
  expect(readCi(env, folder)?.ci.commit).toBe("b".repeat(40));
  writeFileSync(event, JSON.stringify({ pull_request: { head: { sha: "c".repeat(40) } } }));
  expect(readCi(env, folder)?.ci.commit).toBe("c".repeat(40));
});
