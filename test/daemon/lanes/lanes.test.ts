import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { homeAt, makePrivate } from "../../../daemon/home.ts";
import { loadCheckpoint, saveCheckpoint } from "../../../daemon/lanes/checkpoint.ts";
import { laneFile } from "../../../daemon/lanes/lane-file.ts";
import { Lanes } from "../../../daemon/lanes/lanes.ts";
import { OtherHomes } from "../../../daemon/lanes/other-homes.ts";
import { HEADERLESS_MS } from "../../../daemon/limits.ts";
import { Log } from "../../../daemon/log.ts";
import { World } from "../world.ts";

const open = (world: World) =>
  new Lanes(world.home, new Log(world.home.log), loadCheckpoint(world.home.checkpoint));

test("two writers of a session share it; the daemon's observations are no writer", async () => {
  await using world = await World.make();
  world.lane("alone");
  world.lane("alone", { role: "observations" });
  world.lane("shared");
  world.lane("shared");
  const lanes = open(world);
  lanes.scan(0);
  expect([...lanes.ofSession("alone")].map(({ isShared }) => isShared)).toEqual([false, false]);
  expect([...lanes.ofSession("shared")].map(({ isShared }) => isShared)).toEqual([true, true]);
});

test("a checkpoint gives a lane its position and the rest back; without one it is read from its start", async () => {
  await using world = await World.make();
  const writer = world.lane("s");
  const { lane: id } = writer.header;
  const saved = { part: 1, offset: 300, seq: 2, inode: 9, session: "s", server: "x" };
  saveCheckpoint(
    world.home.checkpoint,
    new Map([[id, { ...saved, isShared: true, started: "1" }]]),
  );
  const lanes = open(world);
  lanes.scan(0);
  const lane = lanes.all.get(id);
  expect(lane?.position).toEqual({ part: 1, offset: 300, seq: 2, inode: 9 });
  expect(lane?.isShared).toBe(true);
  expect(lane && lanes.checkpointed(lane)?.started).toBe("1");
  writeFileSync(world.home.checkpoint, "{");
  const fresh = open(world);
  fresh.scan(0);
  expect(fresh.all.get(id)?.position).toMatchObject({ part: 1, offset: 0, seq: 0 });
});

test("parts before the position are deleted, but never the newest", async () => {
  await using world = await World.make();
  const writer = world.lane("s", {}, 100); // smaller than a header, so each record has a part of its own
  for (let at = 1; at <= 3; at++) writer.append({ op: "heartbeat", at });
  const lanes = open(world);
  lanes.scan(0);
  const [lane] = lanes.all.values();
  if (!lane) throw new Error("the lane was not found");
  expect(lane.parts).toEqual([1, 2, 3, 4]);
  lane.position = { part: 2, offset: 0, seq: 1 };
  lanes.trim(lane);
  expect(readdirSync(world.home.lanes)).toEqual([2, 3, 4].map((part) => laneFile(lane.id, part)));
  lane.position = { part: 5, offset: 0, seq: 9 };
  lanes.trim(lane);
  expect(lane.parts).toEqual([4]);
});

test("a server that has less than it acknowledged gets the lane again from its first part", async () => {
  await using world = await World.make();
  world.lane("s");
  const lanes = open(world);
  lanes.scan(0);
  const [lane] = lanes.all.values();
  if (!lane) throw new Error("the lane was not found");
  lane.position = { part: 1, offset: 500, seq: 20 };
  lane.moveTo(30);
  expect(lane).toMatchObject({ position: { offset: 500, seq: 20 }, skipTo: 30 });
  lane.moveTo(5);
  expect(lane).toMatchObject({ position: { part: 1, offset: 0, seq: 5 }, skipTo: 5 });
});

test("lanes that are deleted or removed from the folder are gone", async () => {
  await using world = await World.make();
  const [one, two] = [world.lane("one"), world.lane("two")];
  const lanes = open(world);
  lanes.scan(0);
  const lane = lanes.all.get(one.header.lane);
  if (lane) lanes.delete(lane);
  expect(readdirSync(world.home.lanes)).toEqual([laneFile(two.header.lane, 1)]);
  expect(lanes.ofSession("one").size).toBe(0);
  expect([...lanes.all.keys()]).toEqual([two.header.lane]);
  writeFileSync(join(world.home.lanes, "not a lane.txt"), "");
  lanes.scan(1);
  expect(lanes.all.size).toBe(1);
});

test("a file that a full disk left without a header is removed, and one with a damaged header set aside", async () => {
  await using world = await World.make();
  const lanes = open(world);
  writeFileSync(join(world.home.lanes, laneFile("empty", 1)), "");
  writeFileSync(join(world.home.lanes, laneFile("damaged", 1)), "no header\n");
  lanes.scan(0);
  lanes.scan(HEADERLESS_MS);
  expect(readdirSync(world.home.lanes)).toEqual([]);
  expect(readdirSync(world.home.rejected)).toEqual([laneFile("damaged", 1)]);
});

test("a lane takes the space that its program reserved with it", async () => {
  await using world = await World.make();
  const { lane } = world.lane("killed").header;
  writeFileSync(join(world.home.lanes, `${lane}.reserve`), "\n");
  const lanes = open(world);
  lanes.scan(0);
  for (const each of lanes.all.values()) lanes.delete(each);
  expect(readdirSync(world.home.lanes)).toEqual([]);
});

test("the lanes of the last resort are found, unless another daemon has them", async () => {
  await using world = await World.make();
  const spare = homeAt(join(world.home.folder, "spare"));
  const log = new Log(world.home.log);
  const mine = new OtherHomes({ homes: [spare], id: "mine", log });
  await mine.refresh();
  expect(mine.folders).toEqual([]); // it does not exist
  makePrivate(spare);
  writeFileSync(join(spare.lanes, laneFile("late", 1)), "");
  const theirs = new OtherHomes({ homes: [spare], id: "theirs", log });
  await theirs.refresh();
  await mine.refresh();
  expect([theirs.folders, mine.folders]).toEqual([[spare.lanes], []]);
  theirs.release();
  await mine.refresh();
  expect(mine.folders).toEqual([spare.lanes]);
  rmSync(join(spare.lanes, laneFile("late", 1)));
  await mine.refresh();
  expect(mine.folders).toEqual([]);
  expect(readdirSync(spare.folder)).not.toContain("daemon.lock");
});
