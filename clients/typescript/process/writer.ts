/** Who writes a lane: what lets the daemon tell this very process from a later one of the same number, and this boot from the next. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { hostname, networkInterfaces, userInfo } from "node:os";
import { basename } from "node:path";
import { redactArguments } from "../../../src/core/redact.ts";
import type { Writer } from "../../../src/core/wire.ts";
import { isAllGranted, isGranted } from "./permission.ts";
import { CLIENT } from "../version.ts";

export function thisProcess(): Writer {
  // Without a script (`node -e`) the first word is an argument already, which may name a secret.
  const [program = process.execPath, ...words] = redactArguments(process.argv.slice(1));
  const mayAll = isAllGranted();
  const maySystem = isGranted({ name: "sys" });
  const facts: { [Key in keyof Writer]: Writer[Key] | undefined } = {
    program: basename(program),
    arguments: words,
    language: runtime(),
    client: CLIENT,
    pid: process.pid,
    pid_started: startOf(process.pid),
    parent_pid: process.ppid,
    machine_id: quietly(machineId, mayAll),
    boot_id: quietly(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(), mayAll),
    hostname: quietly(hostname, maySystem),
    os: `${process.platform} ${process.arch}`,
    user: quietly(username, maySystem),
  };
  // Every field is of its own type or absent.
  return Object.fromEntries(
    Object.entries(facts).filter(([, fact]) => fact !== undefined),
  ) as Writer;
}

/** When a process started, as Linux stamps it (field 22 of its stat); unknown elsewhere, or when there is no such process. */
export function startOf(pid: number): string | undefined {
  return quietly(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the program's name, which may hold blanks and brackets.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  }, isAllGranted());
}

function runtime(): string {
  const { deno, bun, node } = process.versions;
  return deno ? `deno ${deno}` : bun ? `bun ${bun}` : `node ${node}`;
}

/** 1.x's: the MD5 of the first hardware address, in the order of the interfaces' index. */
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

/** Bun knows it by $USER alone, which services do not have. */
function username(): string | undefined {
  const { username, uid } = userInfo();
  if (!process.versions.bun || username !== "unknown") return username;
  const users = readFileSync("/etc/passwd", "utf8").split("\n");
  return users.map((line) => line.split(":")).find(([, , id]) => id === String(uid))?.[0];
}

function quietly<Fact>(find: () => Fact, mayFind = true): Fact | undefined {
  try {
    return mayFind ? find() : undefined;
  } catch {
    return undefined; // a system that does not have it, or does not tell
  }
}
