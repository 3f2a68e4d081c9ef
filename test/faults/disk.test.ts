/** Promises 13 and 15 of README.md: a disk that fails at any write or sync, and power failure. Real files; disk.c makes the faults. */
import { type ChildProcess, execFileSync } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Op } from "../../src/core/wire.ts";
import { until, World } from "../daemon/world.ts";
import { startDaemon } from "./daemons.ts";
import { generator } from "./random.ts";

const SEED = Number(process.env["DATACAT_SEED"] ?? 20_261_126);
const CUTS = Number(process.env["DATACAT_CUTS"] ?? 6);

/** Interposing on the C library needs glibc. CI has a compiler because Go's race detector needs one. */
const canFail =
  process.platform === "linux" && (process.env["CI"] === "true" || existsSync("/usr/bin/gcc"));

describe.skipIf(!canFail)("on a disk that fails", () => {
  let folder: string;
  let library: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "datacat-disk-"));
    library = join(folder, "disk.so");
    const source = join(import.meta.dirname, "disk.c");
    execFileSync("gcc", ["-shared", "-fPIC", "-O2", "-o", library, source, "-ldl", "-lpthread"]);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const failing = (world: World, faults: { [name: string]: string }): ChildProcess =>
    startDaemon(world, { LD_PRELOAD: library, DISK_FOLDER: world.home.folder, ...faults });

  /** A short session, recorded, sent and removed, with the n-th call failing; returns the number of calls. */
  async function record(failAt: number, error: number): Promise<number> {
    await using world = await World.make();
    const calls = join(folder, `calls-${failAt}-${error}`);
    const lane = world.lane("short", { writer: {} });
    const ops: Op[] = [
      { op: "start", at: 1 },
      { op: "state", at: 2, patch: { level: 1 } },
      { op: "event", at: 3, name: "door" },
      { op: "end", at: 4 },
    ];
    for (const op of ops) lane.append(op);

    const faults = { DISK_CALLS: calls, DISK_FAIL_AT: `${failAt}`, DISK_ERRNO: `${error}` };
    let daemon = failing(world, faults);
    // The next program starts a daemon that stopped. It must not stop twice.
    daemon.once("exit", () => (daemon = failing(world, { DISK_CALLS: calls })));
    await until(() => readdirSync(world.home.lanes)).toEqual([]);
    daemon.removeAllListeners("exit");
    daemon.kill("SIGTERM");
    if (daemon.exitCode === null) await once(daemon, "exit");

    expect(world.server.session("short").ops, `call ${failAt} failed`).toEqual(ops);
    expect(world.server.dropped("short")).toEqual({});
    return statSync(calls).size;
  }

  test("if any write or sync fails, everything arrives once, and the daemon does not stop twice", async () => {
    const calls = await record(0, 0);
    expect(calls).toBeGreaterThan(8); // else disk.c is not in use
    for (let at = 1; at <= calls; at++) {
      await record(at, at % 2 === 0 ? constants.errno.ENOSPC : constants.errno.EIO);
    }
  });

  test(`the power fails ${CUTS} times: what was written a second before is there, once and in order (seed ${SEED})`, async () => {
    const random = generator(SEED);
    for (let cut = 0; cut < CUTS; cut++) await cutPower(cut, random);
  });

  async function cutPower(cut: number, random: () => number): Promise<void> {
    await using world = await World.make();
    const kept = join(folder, `kept-${cut}`);
    for (const name of ["inodes", "home/lanes", "home/rejected"])
      mkdirSync(join(kept, name), { recursive: true });
    const isOffline = cut % 2 === 0;
    if (isOffline) await world.server.down();

    const daemon = failing(world, { DISK_KEPT: kept });
    const lane = world.lane("cut", { writer: {} }, 4_000); // a new part after about thirty ops
    const issued: Op[] = [];
    const log = (op: Op) => {
      issued.push(op);
      lane.append(op);
    };
    log({ op: "start", at: 1 });
    for (let at = 2; at < 150; at++)
      log(
        random() < 0.5
          ? { op: "event", at, name: `event ${at}` }
          : { op: "state", at, patch: { [`key-${at}`]: at } },
      );
    // A second later all of it is on the disk or at the server.
    const safe = () =>
      new Set([
        ...keptTimes(join(kept, "home/lanes")),
        ...(world.server.sessions.get("cut")?.ops ?? []).map(({ at }) => at),
      ]).size;
    await until(safe).toBe(issued.length);
    const wasSafe = issued.length;
    for (let at = 150; at < 150 + random() * 60; at++) log({ op: "event", at, name: `late ${at}` });
    daemon.kill("SIGKILL");
    await once(daemon, "exit");

    rmSync(world.home.folder, { recursive: true });
    cpSync(join(kept, "home"), world.home.folder, { recursive: true });
    if (isOffline) await world.server.up();
    await world.daemon();
    const arrived = () => world.server.sessions.get("cut")?.ops.map(({ at }) => at) ?? [];
    await until(() => arrived().length).toBeGreaterThanOrEqual(wasSafe);
    const next = world.lane("next", { writer: {} });
    next.append({ op: "start", at: 1 });
    next.append({ op: "end", at: 2 });
    await until(() => world.server.sessions.get("next")?.ops.length).toBe(2);
    expect(arrived(), `cut ${cut}`).toEqual(issued.slice(0, arrived().length).map(({ at }) => at));
  }
});

/** The times of the ops that whole lines in the folder's lanes hold. */
function keptTimes(lanes: string): number[] {
  return readdirSync(lanes).flatMap((name) =>
    [...readFileSync(join(lanes, name), "utf8").matchAll(/"seq":\d+,"at":(\d+).*\}\n/g)].map(
      ([, at]) => Number(at),
    ),
  );
}
