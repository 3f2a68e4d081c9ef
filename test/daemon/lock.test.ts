import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { GUARD_MS } from "../../daemon/limits.ts";
import { Lock } from "../../daemon/lock.ts";

/** Waits for no other daemon: one attempt. */
const AT_ONCE = -1;

function newHome() {
  const folder = mkdtempSync(join(tmpdir(), "datacat-lock-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "daemon.lock");
  return {
    folder,
    path,
    take: (id: string) => Lock.take(path, id, AT_ONCE),
  };
}

test("one daemon has the lock until it releases it", async () => {
  const { folder, take } = newHome();
  const first = await take("first");
  expect(first?.isHeld()).toBe(true);
  expect(await take("second")).toBeUndefined();
  first?.release();
  expect(first?.isHeld()).toBe(false);
  const second = await take("second");
  expect(second?.isHeld()).toBe(true);
  expect(readdirSync(folder)).toEqual(["daemon.lock"]);
});

test("of many that try at the same time, one gets the lock", async () => {
  const { folder, take } = newHome();
  const locks = await Promise.all(Array.from({ length: 8 }, (_, index) => take(`d${index}`)));
  expect(locks.filter((lock) => lock?.isHeld())).toHaveLength(1);
  expect(readdirSync(folder)).toEqual(["daemon.lock"]);
});

test.each([
  ["a process that has ended", { pid: 2 ** 30, id: "old" }],
  ["a process whose pid another one has now", { pid: process.pid, pid_started: "1", id: "old" }],
  ["a daemon that wrote half of it", "{"],
])("the lock of %s is free", async (_, holder) => {
  const { path, take } = newHome();
  writeFileSync(path, typeof holder === "string" ? holder : JSON.stringify(holder));
  expect((await take("new"))?.isHeld()).toBe(true);
});

test("while another daemon takes the lock, none does; a guard from a killed one is removed", async () => {
  const { folder, path, take } = newHome();
  const guard = `${path}.guard`;
  writeFileSync(guard, "");
  expect(await take("new")).toBeUndefined();
  expect(readdirSync(folder)).toEqual(["daemon.lock.guard"]);
  const stale = (Date.now() - GUARD_MS - 1_000) / 1000;
  utimesSync(guard, stale, stale);
  expect((await take("new"))?.isHeld()).toBe(true);
  expect(existsSync(guard)).toBe(false);
});

test("a daemon that lost the lock does not release that of another", async () => {
  const { path, take } = newHome();
  const first = await take("first");
  rmSync(path);
  expect(first?.isHeld()).toBe(false);
  const second = await take("second");
  first?.release();
  expect(second?.isHeld()).toBe(true);
});

test("a home that was removed holds no lock", async () => {
  const { folder, take } = newHome();
  const lock = await take("first");
  rmSync(folder, { recursive: true });
  expect(lock?.isHeld()).toBe(false);
  expect(lock?.retake()).toBe(false);
  lock?.release();
});

test("a daemon takes its home again when that was removed and made again, unless another has it", async () => {
  const { folder, path, take } = newHome();
  const lock = await take("first");
  rmSync(path);
  expect(lock?.retake()).toBe(true);
  expect(lock?.isHeld()).toBe(true);
  rmSync(folder, { recursive: true });
  mkdirSync(folder);
  const second = await take("second");
  expect(lock?.retake()).toBe(false);
  expect(second?.isHeld()).toBe(true);
});
