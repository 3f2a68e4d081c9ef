/** The writer of a lane: its process, machine and boot, by which the daemon recognises them later although process ids are reused. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { hostname, networkInterfaces, userInfo } from "node:os";
import { basename } from "node:path";
import { isMainThread } from "node:worker_threads";
import type { Writer } from "../../../src/core/batch.ts";
import { redactArguments } from "../../../src/core/secrets/arguments.ts";
import { redactor } from "../encode/redactor.ts";
import { isAllGranted, isGranted } from "./permission.ts";
import { CLIENT } from "../version.ts";

export function thisProcess(): Writer {
  // Without a script (`node -e`) the first entry is an argument already, which may name a secret.
  const [program = process.execPath, ...args] = redactArguments(process.argv.slice(1), redactor);
  const mayAll = isAllGranted();
  const maySystem = isGranted({ name: "sys" });
  const known: { [Key in keyof Writer]: Writer[Key] | undefined } = {
    program: basename(program),
    arguments: args,
    language: runtime(),
    client: CLIENT,
    pid: process.pid,
    pid_started: startOf(process.pid),
    parent_pid: process.ppid,
    thread: isMainThread ? undefined : quietly(threadNumber, mayAll),
    machine_id: quietly(machineId, mayAll),
    boot_id: quietly(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(), mayAll),
    hostname: quietly(hostname, maySystem),
    os: `${process.platform} ${process.arch}`,
    user: quietly(username, maySystem),
  };
  // Safe cast: each field has its own type or is absent.
  return Object.fromEntries(
    Object.entries(known).filter(([, value]) => value !== undefined),
  ) as Writer;
}

/** The start time of a process on Linux (field 22 of /proc/PID/stat); undefined elsewhere, or if the process does not exist. */
export function startOf(pid: number): string | undefined {
  return quietly(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field, the program's name, may contain spaces and brackets.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  }, isAllGranted());
}

/** This thread's number on Linux: the last part of "PID/task/THREAD". */
function threadNumber(): number {
  return Number(basename(readlinkSync("/proc/thread-self")));
}

function runtime(): string {
  const { deno, bun, node } = process.versions;
  return deno ? `deno ${deno}` : bun ? `bun ${bun}` : `node ${node}`;
}

/** The machine's id as in 1.x: the MD5 of the first hardware address in the order of the interfaces' index. */
function machineId(): string {
  const address = process.platform === "linux" ? linuxAddress() : anyAddress();
  return address === undefined ? "" : createHash("md5").update(address).digest("hex");
}

function linuxAddress(): string | undefined {
  const root = "/sys/class/net";
  return readdirSync(root)
    .filter((name) => name !== "lo")
    .map((name) => ({
      index: Number(quietly(() => readFileSync(`${root}/${name}/ifindex`, "utf8")) ?? Number.NaN),
      address:
        quietly(() => readFileSync(`${root}/${name}/address`, "utf8").trim().toLowerCase()) ?? "",
    }))
    .filter(({ index, address }) => !Number.isNaN(index) && isHardware(address))
    .sort((a, b) => a.index - b.index)[0]?.address;
}

function anyAddress(): string | undefined {
  return Object.values(networkInterfaces())
    .flat()
    .find((info) => info !== undefined && !info.internal && isHardware(info.mac))
    ?.mac.toLowerCase();
}

function isHardware(address: string): boolean {
  return address !== "" && !/^[0:]+$/.test(address);
}

/** Bun takes the name from $USER only, which services do not have. */
function username(): string | undefined {
  const { username, uid } = userInfo();
  if (!process.versions.bun || username !== "unknown") return username;
  const users = readFileSync("/etc/passwd", "utf8").split("\n");
  return users.map((line) => line.split(":")).find(([, , id]) => id === String(uid))?.[0];
}

function quietly<Value>(find: () => Value, isAllowed = true): Value | undefined {
  try {
    return isAllowed ? find() : undefined;
  } catch {
    return undefined; // the system does not have it, or refuses to show it
  }
}
