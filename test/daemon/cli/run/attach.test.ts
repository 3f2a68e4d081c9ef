/** `datacat run --attach` with real commands and files. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { changedFiles, problemWith } from "../../../../daemon/cli/run/attach.ts";
import { readLane } from "../../../../daemon/lanes/lane-file.ts";
import type { Op } from "../../../../src/core/wire.ts";

const root = join(import.meta.dirname, "../../../..");
const node = join(root, "node_modules/.bin/node");
const datacat = join(root, "daemon/launch/datacat.mjs");

class Folder {
  readonly path = realpathSync(mkdtempSync(join(tmpdir(), "datacat-attach-")));

  write(name: string, content = name): void {
    mkdirSync(join(this.path, name, ".."), { recursive: true });
    writeFileSync(join(this.path, name), content);
  }

  find(...globs: string[]): string[] {
    return changedFiles(globs, this.path, 0)
      .files.map(({ name }) => name)
      .toSorted();
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

test("the changed files that match are attached, the newest first, and one line names them", async () => {
  using folder = new Folder();
  folder.write("before.log");
  utimesSync(join(folder.path, "before.log"), 1_000, 1_000);
  const script = `echo one > a.log; mkdir -p shots; printf png > shots/b.png; touch -d '+1 minute' shots/b.png; exit 3`;
  const env = {
    ...process.env,
    DATACAT_HOME: join(folder.path, "home"),
    DATACAT_DAEMON: "off",
    DATACAT_LINK: "never",
  };
  const globs = ["--attach", "*.log", "--attach", "shots/**/*.png"];
  const ran = spawnSync(node, [datacat, "run", ...globs, "--", "sh", "-c", script], {
    cwd: folder.path,
    env,
  });
  expect(ran.status).toBe(3);
  expect(ran.stderr.toString()).toBe("datacat: attached 2 files (7 B): shots/b.png, a.log\n");

  const lanes = join(folder.path, "home/lanes");
  const files = readdirSync(lanes);
  const lane = files.find((name) => name.endsWith(".lane")) ?? "";
  const ops: Op[] = [];
  for await (const entry of readLane(join(lanes, lane)))
    if (entry.kind === "record") ops.push(entry.op);
  const attached = ops.filter((op) => op.op === "attachment");
  expect(attached).toMatchObject([
    { name: "shots/b.png", type: "image/png", size: 3 },
    { name: "a.log", type: "text/plain", size: 4 },
  ]);
  expect(ops.at(-1)).toMatchObject({ op: "end", exit_code: 3 });
  for (const { id, sha256 } of attached) {
    const content = readFileSync(join(lanes, `${id}.attachment`));
    expect(createHash("sha256").update(content).digest("hex")).toBe(sha256);
  }
  expect(files.filter((name) => name.endsWith(".attachment"))).toHaveLength(2);
});

test("what is over a limit is left out, counted and named; that nothing matches is printed", async () => {
  using folder = new Folder();
  const env = {
    ...process.env,
    DATACAT_HOME: join(folder.path, "home"),
    DATACAT_DAEMON: "off",
    DATACAT_LINK: "never",
  };
  const run = (...args: string[]) =>
    spawnSync(node, [datacat, "run", ...args], { cwd: folder.path, env });
  const big = "truncate -s 10485761 core";
  expect(run("--attach", "core*", "--", "sh", "-c", big).stderr.toString()).toBe(
    "datacat: no changed file matches --attach; left out core\n",
  );
  const lanes = join(folder.path, "home/lanes");
  const text = readFileSync(join(lanes, readdirSync(lanes)[0] ?? ""), "utf8");
  expect(text).toContain('"cause":"too_large","count":1,"detail":"core: 10485761 bytes"');
  expect(text).toContain('"name":"attachment_lost"');
  expect(run("--attach", "*.png", "--", "true").stderr.toString()).toBe(
    "datacat: no changed file matches --attach\n",
  );
});

test("a pattern that leads out of the working folder is refused before the command runs", () => {
  expect(problemWith("logs/*.txt")).toBeUndefined();
  expect(problemWith("a..b/*")).toBeUndefined();
  for (const glob of ["", "/etc/passwd", "../*", "logs/../../x", "a/.."])
    expect(problemWith(glob)).toBeTypeOf("string");
  const ran = spawnSync(node, [datacat, "run", "--attach", "../*", "--", "touch", "/never"]);
  expect(ran.status).not.toBe(0);
  expect(ran.stderr.toString()).toContain("it leads out of the working folder");
});

test("names match as in a shell, in the folders that can have them only", () => {
  using folder = new Folder();
  for (const name of ["a.log", "b.txt", "logs/c.log", "logs/deep/d.log", "x/[1].log"])
    folder.write(name);
  expect(folder.find("*.log")).toEqual(["a.log"]);
  expect(folder.find("./*.log", "b.txt")).toEqual(["a.log", "b.txt"]);
  expect(folder.find("**/*.log")).toEqual(["a.log", "logs/c.log", "logs/deep/d.log", "x/[1].log"]);
  expect(folder.find("logs/*")).toEqual(["logs/c.log"]);
  expect(folder.find("{logs,x}/*.log")).toEqual(["logs/c.log", "x/[1].log"]);
  expect(folder.find("missing/*")).toEqual([]);
});

test("no link is followed: not of a file, nor of a folder, nor in the pattern", () => {
  using folder = new Folder();
  using elsewhere = new Folder();
  elsewhere.write("secret.log");
  folder.write("own.log");
  symlinkSync(join(elsewhere.path, "secret.log"), join(folder.path, "link.log"));
  symlinkSync(elsewhere.path, join(folder.path, "folder"));
  expect(folder.find("**/*.log", "*.log", "folder/*.log", "folder/**")).toEqual(["own.log"]);
});
