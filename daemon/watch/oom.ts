/** Whether the system killed a process of a control group because memory ran out: the group counts such kills. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The counter's file and its value when the process was first seen; then those of the groups around it, the nearest first. */
export type OomWatch = {
  path: string;
  kills: number;
  around?: { path: string; kills: number }[];
  /** The lowest limit of memory of these groups. */
  limitBytes?: number;
};

export function watchOom(pid: number, root = ""): OomWatch | undefined {
  for (const path of counterFiles(readText(`${root}/proc/${pid}/cgroup`) ?? "", root)) {
    const kills = oomKills(path);
    if (kills === undefined) continue;
    const limits = [path, ...pathsAround(path)].flatMap((each) => limitOf(each) ?? []);
    const around = pathsAround(path).flatMap((each) => {
      const count = oomKills(each);
      return count === undefined ? [] : [{ path: each, kills: count }];
    });
    return {
      path,
      kills,
      ...(around.length > 0 && { around }),
      ...(limits.length > 0 && { limitBytes: Math.min(...limits) }),
    };
  }
  return undefined;
}

/** A group may be removed with its process. The counters of version 2 include the groups below, so the nearest that is left shows the kill. */
export function wasKilledForMemory({ path, kills, around = [] }: OomWatch): boolean {
  for (const watched of [{ path, kills }, ...around]) {
    const now = oomKills(watched.path);
    if (now !== undefined) return now > watched.kills;
  }
  return false;
}

/** The same file of each group around a group of version 2, up to the root. */
function pathsAround(path: string): string[] {
  const name = "/memory.events";
  const groups: string[] = [];
  if (!path.endsWith(name)) return groups;
  let folder = dirname(dirname(path));
  while (groups.length < MAX_DEPTH && folder.includes("/sys/fs/cgroup")) {
    groups.push(join(folder, name));
    folder = dirname(folder);
  }
  return groups;
}

/** Groups around a group that are looked at: systemd and Kubernetes nest fewer. */
const MAX_DEPTH = 16;

/** The limit of memory of a group, next to its counter. Without one it is "max", or in version 1 near 2^63. */
function limitOf(path: string): number | undefined {
  const name = path.endsWith("/memory.events") ? "memory.max" : "memory.limit_in_bytes";
  const bytes = Number(readText(join(dirname(path), name)) ?? NaN);
  return bytes > 0 && bytes < 2 ** 62 ? bytes : undefined;
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
