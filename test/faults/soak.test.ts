/** Promise 24 of README.md: after many sessions over a bad connection a daemon uses as much memory and disk as after the first few. */
import { once } from "node:events";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Behaviour } from "../daemon/fake-server.ts";
import { until, World } from "../daemon/world.ts";
import { openFiles, residentBytes, startDaemon } from "./daemons.ts";
import { Oracle } from "./oracle.ts";
import { generator } from "./random.ts";

const SEED = Number(process.env["DATACAT_SEED"] ?? 20_261_127);
const ROUNDS = Number(process.env["DATACAT_SOAK"] ?? 30);

test(`memory, descriptors and disk use do not grow over ${ROUNDS} rounds of sessions and faults (seed ${SEED})`, async () => {
  await using world = await World.make();
  const random = generator(SEED);
  const behaviours: Behaviour[] = [
    "work",
    "work",
    "work",
    "lose reply",
    "hang up",
    { status: 503 },
  ];
  const daemon = startDaemon(world);
  const samples: { memory: number; files: number; disk: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    world.server.next = [behaviours[Math.floor(random() * behaviours.length)] ?? "work"];
    const oracle = new Oracle(world, random, 20, `round-${round}`);
    for (let i = 0; i < 1_000; i++) oracle.log();
    await sleep(100);
    for (let i = 0; i < 1_000; i++) oracle.log();
    oracle.end();
    await until(() => readdirSync(world.home.lanes)).toEqual([]);
    oracle.judge();
    world.server.sessions.clear();
    samples.push({
      memory: residentBytes(daemon.pid),
      files: openFiles(daemon.pid),
      disk: sizeOf(world.home.folder),
    });
  }
  daemon.kill("SIGTERM");
  await once(daemon, "exit");

  const third = Math.ceil(ROUNDS / 3);
  const early = most(samples.slice(0, third));
  const late = most(samples.slice(-third));
  expect(late.memory).toBeLessThanOrEqual(early.memory * 1.25);
  expect(late.files).toBeLessThanOrEqual(early.files + 2); // a connection may still be closing
  expect(late.disk).toBeLessThanOrEqual(early.disk + 100_000); // the log, which has its own bound
});

type Sample = { memory: number; files: number; disk: number };

function most(samples: Sample[]): Sample {
  const of = (key: keyof Sample) => Math.max(...samples.map((sample) => sample[key]));
  return { memory: of("memory"), files: of("files"), disk: of("disk") };
}

function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).reduce((sum, entry) => {
    const path = join(entry.parentPath, entry.name);
    return sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0);
  }, 0);
}
