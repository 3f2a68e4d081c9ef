/** Whether the system killed a process of a control group because memory ran out: the group counts such kills. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The counter's file and its value when the process was first seen. */
export type OomWatch = { path: string; kills: number };

export function watchOom(pid: number, root = ""): OomWatch | undefined {
  for (const path of counterFiles(readText(`${root}/proc/${pid}/cgroup`) ?? "", root)) {
    const kills = oomKills(path);
    if (kills !== undefined) return { path, kills };
  }
  return undefined;
}

export function wasKilledForMemory(watch: OomWatch): boolean {
  return (oomKills(watch.path) ?? watch.kills) > watch.kills;
}

/** Version 2 has one line, `0::/path`; version 1 has one for the memory controller. */
function counterFiles(groups: string, root: string): string[] {
  return groups.split("\n").flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) return [];
    if (controllers === "") return [join(root, "/sys/fs/cgroup", path, "memory.events")];
    if (!controllers.split(",").includes("memory")) return [];
    return [join(root, "/sys/fs/cgroup/memory", path, "memory.oom_control")];
  });
}

function oomKills(path: string): number | undefined {
  const [, count] = /^oom_kill (\d+)$/m.exec(readText(path) ?? "") ?? [];
  return count === undefined ? undefined : Number(count);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
