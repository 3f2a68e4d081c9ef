/** The resources that a command and its descendants use, as gauges computed from a list of all processes. */
import type { Metric } from "../../../src/core/wire.ts";
import type { ProcessInfo } from "../../watch/process-info.ts";
import { openFiles } from "../../watch/processes.ts";
import { MEASURED_PROCESSES } from "../limits.ts";
import { type Traffic, trafficOf, type Usage, usageOf } from "./usage.ts";

/** Reads what the list of processes does not have. */
type Sources = {
  usageOf: (pid: number) => Usage | undefined;
  trafficOf: (pid: number) => Traffic | undefined;
};

/** Traffic is that of all programs. */
const MACHINE = ["of:machine"];

export class TreeGauges {
  readonly #root: number;
  /** The tree's processes at the last sample. A process whose parent has ended since still belongs to it. */
  #members = new Map<number, string>();
  #cpuMs = 0;
  #sampledAt: number;
  readonly #sources: Sources;
  /** The counters' values at the last sample. */
  readonly #totals = new Map<string, number>();
  #peakBytes = 0;

  constructor(root: number, startedAt: number, sources: Sources = { usageOf, trafficOf }) {
    this.#root = root;
    this.#sampledAt = startedAt;
    this.#sources = sources;
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
    return [...gauges, ...this.#usage(tree, now)];

    function gauge(name: string, value: number, unit: string): Metric {
      return { op: "metric", at: now, type: "gauge", name, value, unit };
    }
  }

  /** Storage, network and the highest memory of one process. What does not change is not recorded. */
  #usage(tree: ProcessInfo[], at: number): Metric[] {
    const largest = tree
      .toSorted((a, b) => b.residentBytes - a.residentBytes)
      .slice(0, MEASURED_PROCESSES);
    const usages = largest.flatMap(({ pid }) => this.#sources.usageOf(pid) ?? []);
    const machine = tree[0] && this.#sources.trafficOf(tree[0].pid);
    const ops: Metric[] = [];
    const peakBytes = Math.max(this.#peakBytes, ...usages.map((usage) => usage.peakBytes));
    if (peakBytes > this.#peakBytes) {
      this.#peakBytes = peakBytes;
      const name = "peak_memory_bytes";
      ops.push({ op: "metric", at, type: "gauge", name, value: peakBytes, unit: "bytes" });
    }
    if (usages.length > 0) {
      // A parent counts its children that have ended. What an orphan had done is lost with it, so the sum may fall.
      this.#count(
        ops,
        "disk_read_bytes",
        sum(usages, ({ readBytes }) => readBytes),
        at,
        true,
      );
      this.#count(
        ops,
        "disk_written_bytes",
        sum(usages, ({ writtenBytes }) => writtenBytes),
        at,
        true,
      );
    }
    for (const [name, total] of machine ? traffic(machine) : [])
      this.#count(ops, name, total, at, false, MACHINE);
    return ops;
  }

  /** Adds a counter's increase. `fromZero`: its first value arose since the command started. */
  #count(
    ops: Metric[],
    name: string,
    total: number,
    at: number,
    fromZero: boolean,
    tags?: string[],
  ): void {
    const before = this.#totals.get(name) ?? (fromZero ? 0 : total);
    this.#totals.set(name, total);
    const delta = total - before;
    if (delta > 0)
      ops.push({ op: "metric", at, type: "counter", name, delta, unit: "bytes", tags });
  }
}

/** The increase of each counter by its name. */
function traffic({ receivedBytes, sentBytes }: Traffic): [string, number][] {
  return [
    ["network_received_bytes", receivedBytes],
    ["network_sent_bytes", sentBytes],
  ];
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
