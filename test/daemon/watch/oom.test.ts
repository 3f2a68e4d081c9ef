import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { wasKilledForMemory, watchOom } from "../../../daemon/watch/oom.ts";

/** A root folder with these files. */
function rootWith(files: Record<string, string>) {
  const root = mkdtempSync(join(tmpdir(), "datacat-oom-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  for (const [path, text] of Object.entries(files)) write(path, text);
  return { root, write };
}

const V2 = "sys/fs/cgroup/app/memory.events";
const V1 = "sys/fs/cgroup/memory/app/memory.oom_control";

test("a kill that the control group counts after the start was for memory", () => {
  const { root, write } = rootWith({ "proc/7/cgroup": "0::/app\n", [V2]: "oom 3\noom_kill 2\n" });
  const watch = watchOom(7, root);
  expect(watch).toEqual({ path: join(root, V2), kills: 2 });
  expect(watch && wasKilledForMemory(watch)).toBe(false);
  write(V2, "oom 4\noom_kill 3\n");
  expect(watch && wasKilledForMemory(watch)).toBe(true);
});

test("other counters of the group are not kills", () => {
  const { root, write } = rootWith({ "proc/7/cgroup": "0::/app\n", [V2]: "oom 0\noom_kill 0\n" });
  const watch = watchOom(7, root);
  write(V2, "oom 9\noom_kill 0\noom_group_kill 9\n");
  expect(watch && wasKilledForMemory(watch)).toBe(false);
});

test("in version 1 the memory controller's group counts", () => {
  const { root } = rootWith({
    "proc/7/cgroup": "9:cpu,cpuacct:/other\n4:hugetlb,memory:/app\n",
    [V1]: "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n",
  });
  expect(watchOom(7, root)).toEqual({ path: join(root, V1), kills: 5 });
});

test("where both versions are mounted, the one that has a counter is used", () => {
  const { root } = rootWith({ "proc/7/cgroup": "0::/app\n4:memory:/app\n", [V1]: "oom_kill 1\n" });
  expect(watchOom(7, root)?.path).toBe(join(root, V1));
});

test("a system without control groups, or a group without a counter, has nothing to watch", () => {
  expect(watchOom(7, rootWith({}).root)).toBeUndefined();
  expect(watchOom(7, rootWith({ "proc/7/cgroup": "0::/\n" }).root)).toBeUndefined();
});

test("a group that was removed with its process proves no kill", () => {
  const { root } = rootWith({ "proc/7/cgroup": "0::/app\n", [V2]: "oom_kill 2\n" });
  const watch = watchOom(7, root);
  rmSync(join(root, V2));
  expect(watch && wasKilledForMemory(watch)).toBe(false);
});

test("a group that was removed is counted by those around it, whose limits count as well", () => {
  const { root, write } = rootWith({
    "proc/7/cgroup": "0::/a/b\n",
    "sys/fs/cgroup/a/b/memory.events": "oom_kill 0\n",
    "sys/fs/cgroup/a/b/memory.max": "max\n",
    "sys/fs/cgroup/a/memory.events": "oom_kill 3\n",
    "sys/fs/cgroup/a/memory.max": "419430400\n",
  });
  const watch = watchOom(7, root);
  expect(watch?.limitBytes).toBe(419_430_400);
  write("sys/fs/cgroup/a/memory.events", "oom_kill 4\n");
  expect(watch && wasKilledForMemory(watch), "the group itself counts none").toBe(false);
  rmSync(join(root, "sys/fs/cgroup/a/b"), { recursive: true });
  expect(watch && wasKilledForMemory(watch)).toBe(true);
});
