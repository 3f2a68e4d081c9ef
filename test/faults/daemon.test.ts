/** Promises 1, 7, 8–10, 12, 19 of README.md: real daemon processes that are killed, run out of disk and run twice, checked by what the server received. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { merge } from "../../src/core/state/merge.ts";
import type { JsonObject } from "../../src/core/wire.ts";
import type { Behaviour } from "../daemon/fake-server.ts";
import { until, World } from "../daemon/world.ts";
import { PROGRAM, startDaemon } from "./daemons.ts";
import { Oracle } from "./oracle.ts";
import { generator } from "./random.ts";

const SEED = Number(process.env["DATACAT_SEED"] ?? 20_261_123);
const KILLS = Number(process.env["DATACAT_KILLS"] ?? 60);

test(`the daemon is killed ${KILLS} times, and the server has everything once, in order (seed ${SEED})`, async () => {
  await using world = await World.make();
  const random = generator(SEED);
  const oracle = new Oracle(world, random, 4);
  const behaviours: Behaviour[] = [
    "work",
    "work",
    "work",
    "lose reply",
    "hang up",
    { status: 503 },
  ];
  for (let kill = 0; kill < KILLS; kill++) {
    world.server.next = [behaviours[Math.floor(random() * behaviours.length)] ?? "work"];
    const daemon = startDaemon(world);
    const dies = sleep(150 + random() * 450);
    for (let i = 0; i < 20; i++) {
      oracle.log();
      await sleep(random() * 12);
    }
    await dies;
    daemon.kill("SIGKILL");
    await once(daemon, "exit");
  }
  oracle.end();
  world.server.next = [];
  const last = startDaemon(world);
  await until(() => lanes(world)).toEqual([]);
  last.kill("SIGTERM");
  await once(last, "exit");
  oracle.judge();
});

test("the server fails in all ways in one run, and has everything once, in order", async () => {
  await using world = await World.make();
  const random = generator(SEED + 1);
  const oracle = new Oracle(world, random, 3);
  const behaviours: Behaviour[] = [
    "lose reply",
    "hang up",
    { status: 500 },
    { status: 429 },
    { status: 413 },
    "work",
  ];
  world.server.next = Array.from(
    { length: 12 },
    () => behaviours[Math.floor(random() * behaviours.length)] ?? "work",
  );
  await world.daemon();
  for (let i = 0; i < 600; i++) {
    oracle.log();
    if (i % 20 === 0) await sleep(20);
  }
  oracle.end();
  await expect.poll(() => lanes(world), { timeout: 120_000 }).toEqual([]);
  oracle.judge();
});

test("ten daemons are started at once: one works, the others exit", async () => {
  await using world = await World.make();
  const lane = world.lane("many");
  lane.append({ op: "start", at: 1 });
  const daemons = Array.from({ length: 10 }, () => startDaemon(world));
  await Promise.race(daemons.map((daemon) => once(daemon, "exit")));
  await until(() => daemons.filter((daemon) => daemon.exitCode === null)).toHaveLength(1);
  lane.append({ op: "end", at: 2 });
  await until(() => world.server.session("many").ops.map((op) => op.op)).toEqual(["start", "end"]);
  const [living] = daemons.filter((daemon) => daemon.exitCode === null);
  const info: unknown = JSON.parse(readFileSync(world.home.info, "utf8"));
  expect(info).toMatchObject({ pid: living?.pid });
  living?.kill("SIGTERM");
  await once(living ?? process, "exit");
  expect(existsSync(world.home.info)).toBe(false);
  expect(existsSync(world.home.lock)).toBe(false);
});

test("a lock of a killed daemon, or one that names a reused pid, is taken over", async () => {
  await using world = await World.make();
  const daemon = startDaemon(world);
  await until(() => existsSync(world.home.info)).toBe(true);
  daemon.kill("SIGKILL");
  await once(daemon, "exit");
  const next = await world.daemon();
  await next.stop();
  writeFileSync(world.home.lock, JSON.stringify({ pid: process.pid, pid_started: "1", id: "x" }));
  await (await world.daemon()).stop();
});

test("a daemon whose home is moved away and served by another one stops", async () => {
  await using world = await World.make();
  const first = await world.daemon();
  writeFileSync(world.home.lock, JSON.stringify({ pid: 1, id: "another" }));
  await first.stopped;
});

test("with the port taken it listens on another port and reports it", async () => {
  await using world = await World.make();
  const other = await World.make();
  await using _ = other;
  const first = await world.daemon();
  const second = await other.daemon({ port: first.port });
  expect(second.port).not.toBe(first.port);
  expect((await fetch(`http://127.0.0.1:${second.port}/health`)).status).toBe(200);
});

test("over the disk budget the oldest metrics are dropped, and all that is missing is counted", async () => {
  await using world = await World.make();
  await world.server.down();
  const lane = world.lane("full", {}, 100_000);
  lane.append({ op: "start", at: 1 });
  const wanted: JsonObject = {};
  let issued = 1;
  for (let at = 2; at < 12_000; at++) {
    if (at % 100 === 0) {
      const patch = { [`key-${at}`]: at };
      merge(wanted, patch);
      lane.append({ op: "state", at, patch });
    } else {
      lane.append({ op: "metric", at, type: "gauge", name: "g", value: at });
    }
    issued += 1;
  }
  await world.daemon({ env: { ...world.env, DATACAT_MAX_DISK: "400k" } });
  const size = () =>
    readdirSync(world.home.lanes).reduce(
      (sum, name) =>
        sum + (statSync(join(world.home.lanes, name), { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
  await until(size).toBeLessThan(410_000);
  lane.append({ op: "end", at: 12_000 });
  issued += 1;
  await world.server.up();
  await expect.poll(() => lanes(world), { timeout: 60_000 }).toEqual([]);

  const { ops } = world.server.session("full");
  const stored = ops.reduce((sum, op) => sum + (op.op === "points" ? op.values.length : 1), 0);
  const dropped = world.server.dropped("full");
  expect(Object.keys(dropped)).toEqual(["disk_budget"]);
  expect(stored + (dropped["disk_budget"] ?? 0)).toBe(issued);
  const state: JsonObject = {};
  for (const op of world.server.ops("full", "state")) merge(state, op.patch);
  expect(state).toEqual(wanted);
  // The newest metrics are kept.
  const last = world.server.ops("full", "points").at(-1);
  expect(last?.values.at(-1)).toBe(11_999);
});

test("without work it stops, and a program that starts at that moment is served", async () => {
  await using world = await World.make();
  const daemon = await world.daemon({ stay: () => false, idleMs: 300 });
  await daemon.stopped;
  expect(existsSync(world.home.info)).toBe(false);
  const lane = world.lane("late");
  lane.append({ op: "start", at: 1 });
  const next = await world.daemon({ stay: () => false, idleMs: 300 });
  await until(() => world.server.ops("late", "start")).toHaveLength(1);
  await sleep(600);
  expect(existsSync(world.home.info)).toBe(true);
  lane.append({ op: "end", at: 2 });
  await next.stopped;
});

test("without work it stays while the process of --while runs", async () => {
  await using world = await World.make();
  let isWanted = true;
  let asked = 0;
  const stay = () => {
    asked += 1;
    return isWanted;
  };
  const daemon = await world.daemon({ stay, idleMs: 100 });
  await until(() => asked).toBeGreaterThan(2); // each time it would have stopped
  expect(existsSync(world.home.info)).toBe(true);
  isWanted = false;
  await daemon.stopped;
});

test("without HOME, in a folder that was deleted, with closed streams, it runs", async () => {
  await using world = await World.make();
  const folder = join(world.home.folder, "gone");
  const { mkdirSync } = await import("node:fs");
  mkdirSync(folder);
  const script = `cd '${folder}'; rmdir '${folder}'; exec '${process.execPath}' '${PROGRAM}' <&- >&- 2>&-`;
  const daemon = spawn("sh", ["-c", script], {
    env: { PATH: process.env["PATH"], ...world.env, DATACAT_DAEMON_PORT: "0" },
    stdio: "ignore",
  });
  const lane = world.lane("homeless");
  lane.append({ op: "start", at: 1 });
  await until(() => world.server.ops("homeless", "start")).toHaveLength(1);
  daemon.kill("SIGTERM");
  await once(daemon, "exit");
});

test("a checkpoint that is damaged or missing loses nothing", async () => {
  await using world = await World.make();
  const lane = world.lane("checkpoint");
  lane.append({ op: "start", at: 1 });
  const first = await world.daemon();
  await until(() => world.server.ops("checkpoint", "start")).toHaveLength(1);
  await first.stop();
  appendFileSync(world.home.checkpoint, "}garbage");
  const second = await world.daemon();
  lane.append({ op: "event", at: 2, name: "e", exception_type: "E" });
  await until(() => world.server.ops("checkpoint", "event")).toHaveLength(1);
  await second.stop();
  rmSync(world.home.checkpoint);
  await world.daemon();
  lane.append({ op: "end", at: 3 });
  await until(() => world.server.session("checkpoint").ops.map((op) => op.at)).toEqual([1, 2, 3]);
  expect(world.server.dropped("checkpoint")).toEqual({});
});

function lanes(world: World): string[] {
  return readdirSync(world.home.lanes);
}
