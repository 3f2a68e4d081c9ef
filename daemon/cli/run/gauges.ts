/** The resources that a command and its descendants use, as gauges computed from a list of all processes. */
import type { Metric } from "../../../src/core/wire.ts";
import type { ProcessInfo } from "../../watch/process-info.ts";
import { openFiles } from "../../watch/processes.ts";

export class TreeGauges {
  readonly #root: number;
  /** The tree's processes at the last sample. A process whose parent has ended since still belongs to it. */
  #members = new Map<number, string>();
  #cpuMs = 0;
  #sampledAt: number;

  constructor(root: number, startedAt: number) {
    this.#root = root;
    this.#sampledAt = startedAt;
  }

  /** The gauges at `now`, from the list of all processes; none once the tree is empty. */
  measure(all: ProcessInfo[], now: number): Metric[] {
    const tree = treeOf(this.#root, all, this.#members);
    if (tree.length === 0) return [];
    this.#members = new Map(tree.map(({ pid, started }) => [pid, started]));

    // It includes children that have ended, so that short-lived ones count.
    const cpuMs = sum(tree, (one) => one.cpuMs + (one.childrenCpuMs ?? 0));
    const elapsed = now - this.#sampledAt;
    const percent = elapsed > 0 ? (Math.max(0, cpuMs - this.#cpuMs) / elapsed) * 100 : 0;
    this.#cpuMs = cpuMs;
    this.#sampledAt = now;

    const gauges = [
      gauge("cpu_percent", Math.round(percent * 10) / 10, "percent"),
      gauge(
        "memory_bytes",
        sum(tree, (one) => one.residentBytes),
        "bytes",
      ),
      gauge("processes", tree.length, "processes"),
    ];
    const threads = tree.flatMap((one) => one.threads ?? []);
    if (threads.length > 0) gauges.push(gauge("threads", sum(threads, Number), "threads"));
    const files = tree.flatMap((one) => openFiles(one.pid) ?? []);
    if (files.length > 0) gauges.push(gauge("open_files", sum(files, Number), "files"));
    return gauges;

    function gauge(name: string, value: number, unit: string): Metric {
      return { op: "metric", at: now, type: "gauge", name, value, unit };
    }
  }
}

/** `root` and its descendants, and `known` processes (pid and start) whose parent has ended, with theirs. */
export function treeOf(
  root: number,
  all: ProcessInfo[],
  known: ReadonlyMap<number, string> = new Map(),
): ProcessInfo[] {
  const alive = all.filter((one) => one.state !== "ended");
  const children = new Map<number, ProcessInfo[]>();
  for (const one of alive) {
    const siblings = children.get(one.parent);
    if (siblings) siblings.push(one);
    else children.set(one.parent, [one]);
  }
  const tree = new Set(
    alive.filter((one) => one.pid === root || known.get(one.pid) === one.started),
  );
  // A loop over a set also visits what is added meanwhile, so it reaches every generation.
  for (const member of tree) for (const child of children.get(member.pid) ?? []) tree.add(child);
  return [...tree];
}

function sum<Item>(items: Item[], valueOf: (item: Item) => number): number {
  return items.reduce((total, item) => total + valueOf(item), 0);
}
