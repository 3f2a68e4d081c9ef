/** The parts of `datacat run`: output as events, processes as gauges, an end as an op. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import {
  TAIL_LINES,
  BURST_LINES,
  LINES_PER_SECOND,
  MAX_LINE_LENGTH,
} from "../../../../daemon/cli/limits.ts";
import { overridesOf, readCi } from "../../../../daemon/cli/run/ci.ts";
import { publicVariables } from "../../../../daemon/cli/run/context.ts";
import { TreeGauges, treeOf } from "../../../../daemon/cli/run/gauges.ts";
import { outcomeOf } from "../../../../daemon/cli/run/outcome.ts";
import { OutputRecorder, type StreamName } from "../../../../daemon/cli/run/output.ts";
import { windowsLine } from "../../../../daemon/cli/run/run.ts";
import type { ProcessInfo } from "../../../../daemon/watch/process-info.ts";
import { Redactor } from "../../../../src/core/secrets/redact.ts";
import { parseOwnRules } from "../../../../src/core/secrets/own.ts";
import type { Op } from "../../../../src/core/wire.ts";

/** An output recorder with what it has recorded. */
function recorder() {
  const ops: Op[] = [];
  const output = new OutputRecorder((op) => ops.push(op), 0);
  return {
    ops,
    output,
    take: (text: string | Buffer, now = 0, stream: StreamName = "stdout") =>
      output.take(stream, Buffer.from(text), now),
    lines: () => ops.flatMap((op) => (op.op === "event" ? (op.message ?? "") : [])),
    dropped: () => ops.flatMap((op) => (op.op === "dropped" ? [[op.cause, op.count]] : [])),
  };
}

test("a line is an event, with the stream it came from", () => {
  const { take, ops, output } = recorder();
  take("one\ntw", 1);
  take("o\n", 2);
  take("oops\n", 3, "stderr");
  output.finish(4);
  expect(ops).toEqual([
    { op: "event", at: 1, name: "output", category: "info", group: "stdout", message: "one" },
    { op: "event", at: 2, name: "output", category: "info", group: "stdout", message: "two" },
    { op: "event", at: 3, name: "output", category: "warning", group: "stderr", message: "oops" },
  ]);
});

test("a character cut in two by the pipe is put together, and the last line needs no line break", () => {
  const { take, lines, output } = recorder();
  const bytes = Buffer.from("schön");
  take(bytes.subarray(0, 4));
  take(bytes.subarray(4));
  output.finish(1);
  expect(lines()).toEqual(["schön"]);
});

test("a progress bar is what it showed last, and Windows line ends are line ends", () => {
  const { take, lines } = recorder();
  take(" 10%\r 50%");
  take("\r100%\r\nblank follows\r\n\r\n");
  expect(lines()).toEqual(["100%", "blank follows", ""]);
});

test("a line that does not end is recorded after a second, once", () => {
  const { take, lines, output } = recorder();
  take("Password: ", 0);
  output.tick(500);
  expect(lines()).toEqual([]);
  output.tick(1_000);
  output.tick(2_000);
  expect(lines()).toEqual(["Password: "]);
});

test("a long line is cut, with the count of what is missing in it and in the ledger", () => {
  const { take, lines, dropped, output } = recorder();
  for (let i = 0; i < 10; i++) take("x".repeat(1_000));
  take("\nshort\n");
  output.finish(1);
  expect(lines()).toEqual([
    `${"x".repeat(MAX_LINE_LENGTH)}… (${10_000 - MAX_LINE_LENGTH} more characters)`,
    "short",
  ]);
  expect(dropped()).toEqual([["too_large", 1]]);
});

test("a flood is bounded, its last lines are always there, and every other line is counted", () => {
  const { take, lines, dropped, output } = recorder();
  const total = 100_000;
  for (let i = 0; i < total; i++) take(`${i}\n`, i / 100); // a second of it
  output.tick(1_000);
  output.finish(1_000);
  const kept = lines();
  expect(kept.length).toBeLessThanOrEqual(BURST_LINES + LINES_PER_SECOND + TAIL_LINES);
  expect(kept.at(-1)).toBe(String(total - 1));
  expect(kept.slice(-TAIL_LINES)).toEqual(
    Array.from({ length: TAIL_LINES }, (_, i) => String(total - TAIL_LINES + i)),
  );
  const left = dropped().reduce((sum, [, count]) => sum + Number(count), 0);
  expect(kept.length + left).toBe(total);
  expect(kept.map(Number)).toEqual(kept.map(Number).toSorted((a, b) => a - b));
});

test("after a flood, lines are recorded as they come again", () => {
  const { take, lines } = recorder();
  for (let i = 0; i < 5_000; i++) take(`${i}\n`, 0);
  take("later\n", 60_000);
  expect(lines().at(-1)).toBe("later");
});

const process = (pid: number, parent: number, more: Partial<ProcessInfo> = {}): ProcessInfo => ({
  pid,
  parent,
  started: `start of ${pid}`,
  state: "waiting",
  cpuMs: 0,
  residentBytes: 1_000,
  ...more,
});

test("the tree is the command and all that descend from it, in whatever order they are listed", () => {
  const all = [
    process(4, 3),
    process(3, 2),
    process(2, 1),
    process(9, 1),
    process(5, 2, { state: "ended" }),
  ];
  expect(
    treeOf(2, all)
      .map(({ pid }) => pid)
      .sort((a, b) => a - b),
  ).toEqual([2, 3, 4]);
});

test("a process whose parent ended still belongs to the tree, but not one that got its number", () => {
  const gauges = new TreeGauges(2, 0);
  const count = (all: ProcessInfo[], now: number) =>
    gauges.measure(all, now).find(({ name }) => name === "processes")?.value;
  expect(count([process(2, 1), process(3, 2), process(4, 3)], 1_000)).toBe(3);
  expect(count([process(2, 1), process(4, 1)], 2_000)).toBe(2);
  expect(count([process(2, 1), process(4, 1, { started: "another" })], 3_000)).toBe(1);
});

test("CPU is the share of one core since the last look, with children that came and went", () => {
  const gauges = new TreeGauges(2, 0);
  const cpu = (all: ProcessInfo[], now: number) =>
    gauges.measure(all, now).find(({ name }) => name === "cpu_percent")?.value;
  expect(cpu([process(2, 1, { cpuMs: 50 })], 100)).toBe(50);
  expect(cpu([process(2, 1, { cpuMs: 50 }), process(3, 2, { cpuMs: 2_000 })], 1_100)).toBe(200);
  // The child has ended: its time is in its parent's account, not gone and not new.
  expect(cpu([process(2, 1, { cpuMs: 50, childrenCpuMs: 2_100 })], 2_100)).toBe(10);
});

test("memory is summed, and an empty tree has no gauges", () => {
  const gauges = new TreeGauges(2, 0);
  const [, memory] = gauges.measure([process(2, 1), process(3, 2, { residentBytes: 500 })], 10);
  expect(memory).toMatchObject({
    name: "memory_bytes",
    value: 1_500,
    unit: "bytes",
    type: "gauge",
  });
  expect(gauges.measure([process(7, 1)], 20)).toEqual([]);
});

test("an exit is an end, a signal that requests a stop too, and any other signal is a crash", () => {
  const known = { killedForMemory: false, readerLeft: false };
  expect(outcomeOf({ code: 3, signal: null }, known, 1)).toEqual({
    op: "end",
    at: 1,
    exit_code: 3,
  });
  expect(outcomeOf({ code: null, signal: "SIGTERM" }, known, 1)).toEqual({
    op: "end",
    at: 1,
    signal: "SIGTERM",
  });
  expect(outcomeOf({ code: null, signal: "SIGSEGV" }, known, 1)).toMatchObject({
    op: "crash",
    signal: "SIGSEGV",
    reason: "killed",
  });
  expect(outcomeOf({ code: 137, signal: null }, known, 1)).toMatchObject({
    op: "end",
    exit_code: 137,
  });
});

test("a kill because memory ran out has that reason, and one by a closed pipe is no crash", () => {
  expect(
    outcomeOf({ code: null, signal: "SIGKILL" }, { killedForMemory: true, readerLeft: false }, 1),
  ).toMatchObject({ op: "crash", reason: "out_of_memory", out_of_memory: true });
  expect(
    outcomeOf({ code: null, signal: "SIGPIPE" }, { killedForMemory: false, readerLeft: true }, 1),
  ).toMatchObject({ op: "end", signal: "SIGPIPE" });
});

test("of the environment only public variables are recorded", () => {
  expect(publicVariables({ CI: "true", DATABASE_PASSWORD: "x", TZ: "" })).toEqual({ CI: "true" });
});

test("a command line for cmd.exe keeps every argument unchanged", () => {
  expect(windowsLine(["npm", "run", 'echo "hi" & go'])).toBe(
    '"^"npm^" ^"run^" ^"echo^ \\^"hi\\^"^ ^&^ go^""',
  );
});

test("filters that a repository defines itself are turned off, and those of the user are not", () => {
  const entries = [
    ["global", "filter.lfs.clean"],
    ["local", "filter.a.b.clean"],
    ["worktree", "filter.with\nline.process"],
    ["local", "core.fsmonitor"],
    ["command", "core.hookspath"],
  ];
  expect(overridesOf(entries.flat().join("\0"))?.map(([name]) => name)).toEqual([
    ..."filter.a.b.clean filter.a.b.process filter.a.b.required".split(" "),
    "filter.with\nline.clean",
    "filter.with\nline.process",
    "filter.with\nline.required",
  ]);
  expect(overridesOf("local\0core.fsmonitor"), "a git without overrides").toBeUndefined();
});

test.skipIf(spawnSync("git", ["--version"]).status !== 0)(
  "in a stranger's repository git runs none of its programs",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "datacat-git-"));
    const git = (...args: string[]) => execFileSync("git", args, { cwd: folder, stdio: "pipe" });
    const evil = join(folder, "evil");
    writeFileSync(evil, `#!/bin/sh\ntouch ${folder}/ran\ncat\n`, { mode: 0o755 });
    writeFileSync(join(folder, "git"), `#!/bin/sh\ntouch ${folder}/ran\n`, { mode: 0o755 });
    writeFileSync(join(folder, "file.txt"), "1");
    writeFileSync(join(folder, ".gitattributes"), "*.txt filter=evil\n");
    git("init", "--quiet", "--initial-branch=main");
    git("add", "file.txt", ".gitattributes");
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message=one");
    for (const name of ["core.fsmonitor", "filter.evil.clean", "filter.evil.process"])
      git("config", name, evil);
    git("config", "core.hooksPath", folder);
    writeFileSync(join(folder, "file.txt"), "2");
    vi.stubEnv("PATH", ".:/usr/local/bin:/usr/bin:/bin");
    const found = await readCi({}, folder);
    vi.unstubAllEnvs();
    expect(found).toMatchObject({ provider: "git", branch: "main", dirty: true, subject: "one" });
    expect(existsSync(join(folder, "ran"))).toBe(false);
    rmSync(folder, { recursive: true });
  },
);

test("a user's own rules hold for output", () => {
  const { rules } = parseOwnRules('{"names":["badge"]}');
  const ops: Op[] = [];
  const output = new OutputRecorder((op) => ops.push(op), 0, new Redactor(rules));
  output.take("stdout", Buffer.from("badge=7 token=abc\n"), 0);
  expect(ops).toMatchObject([{ message: "badge=[redacted] token=[redacted]" }]);
});
