/** This machine and this process, as lane headers name them. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { arch, hostname, networkInterfaces, platform, userInfo } from "node:os";
import { join } from "node:path";
import type { Writer } from "../../src/core/batch.ts";
import { readProcess } from "./processes.ts";

export type Machine = Required<Pick<Writer, "machine_id" | "hostname" | "os">> &
  Pick<Writer, "boot_id" | "user">;

export function thisMachine(): Machine {
  const bootId = readText("/proc/sys/kernel/random/boot_id");
  const user = userName();
  return {
    machine_id: machineId(hardwareAddresses()),
    boot_id: bootId,
    hostname: hostname(),
    os: `${platform()} ${arch()}`,
    user,
  };
}

/** This process, for lanes that the daemon writes. */
export function thisProcess(): Pick<Writer, "pid" | "pid_started"> {
  return { pid: process.pid, pid_started: readProcess(process.pid)?.started };
}

/** As in 1.x: the MD5 of the first hardware address; "" without any. */
function machineId(addresses: string[]): string {
  const first = addresses.find((address) => !/^[0:]*$/.test(address));
  return first === undefined ? "" : createHash("md5").update(first.toLowerCase()).digest("hex");
}

/** Ordered by the interfaces' index. Node's list has no interfaces without an IP address, so Linux's own is read. */
function hardwareAddresses(): string[] {
  const folder = "/sys/class/net";
  try {
    return readdirSync(folder)
      .map((name) => ({
        index: Number(readText(join(folder, name, "ifindex"))),
        address: readText(join(folder, name, "address")) ?? "",
      }))
      .toSorted((a, b) => a.index - b.index)
      .map((found) => found.address);
  } catch {
    return Object.values(networkInterfaces()).flatMap((addresses) =>
      (addresses ?? []).filter((found) => !found.internal).map((found) => found.mac),
    );
  }
}

function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined; // a uid that is in no user database, as in many containers
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}
