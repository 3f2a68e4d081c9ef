import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { isAlive, listProcesses, parseStat, readProcess } from "../../../daemon/watch/processes.ts";

test("a process is alive until it is killed", async () => {
  const child = spawn("sleep", ["60"]);
  await once(child, "spawn");
  const pid = child.pid ?? 0;
  const started = readProcess(pid)?.started;
  expect(isAlive(pid, started)).toBe(true);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(isAlive(pid, started)).toBe(false);
});

test("a pid that another process has got is not the process that was watched", () => {
  expect(isAlive(process.pid)).toBe(true);
  expect(isAlive(process.pid, "1")).toBe(false);
});

test.runIf(process.platform === "linux")("a zombie has ended", async () => {
  // The shell's child ends at once; exec'ed into sleep, the shell never looks at it.
  const parent = spawn("sh", ["-c", "sleep 0.2 & echo $!; exec sleep 60"]);
  const [line] = await once(parent.stdout, "data");
  const pid = Number(String(line));
  await expect.poll(() => readProcess(pid)?.state).toBe("ended");
  expect(isAlive(pid)).toBe(false);
  parent.kill("SIGKILL");
});

test.runIf(process.getuid?.() !== 0)("another user's process is alive", () => {
  expect(isAlive(1)).toBe(true);
});

test("a stopped process is seen to be stopped", async () => {
  const child = spawn("sleep", ["60"]);
  await once(child, "spawn");
  child.kill("SIGSTOP");
  await expect.poll(() => readProcess(child.pid ?? 0)?.state).toBe("stopped");
  child.kill("SIGKILL");
});

/** A process with all its descendants, itself first. */
function treeOf(pid: number | undefined) {
  const all = listProcesses();
  const tree = all.filter((found) => found.pid === pid);
  for (const member of tree) tree.push(...all.filter(({ parent }) => parent === member.pid));
  return tree;
}

test("a list of processes has the children's children", async () => {
  const child = spawn("sh", ["-c", "sh -c 'sleep 60 & wait' & wait"]);
  await expect.poll(() => treeOf(child.pid).length).toBeGreaterThanOrEqual(3);
  for (const member of treeOf(child.pid)) process.kill(member.pid, "SIGKILL");
});

test("a program's name with blanks and brackets does not confuse /proc", () => {
  const fields = `S 7 ${"0 ".repeat(9)}12 3 0 0 20 0 1 0 8123456 1000 500`;
  expect(parseStat(`4321 (we (ird) name) ${fields}`)).toMatchObject({
    pid: 4321,
    parent: 7,
    state: "waiting",
    cpuMs: 150,
    started: "8123456",
  });
});
