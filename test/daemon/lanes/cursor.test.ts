import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Cursor } from "../../../daemon/lanes/cursor.ts";
import { frame } from "../../../daemon/lanes/frame.ts";
import type { Lane, Position } from "../../../daemon/lanes/lane.ts";
import { Lanes } from "../../../daemon/lanes/lanes.ts";
import { Log } from "../../../daemon/log.ts";
import { World } from "../world.ts";

/** The home's only lane. */
function laneOf(world: World): Lane {
  const lanes = new Lanes(world.home, new Log(world.home.log), new Map());
  lanes.scan(0);
  const [lane] = lanes.all.values();
  if (!lane) throw new Error("the lane was not found");
  return lane;
}

/** Every record from a position on: its sequence, with the number of missing ones before it, if any. */
function read(lane: Lane, from: Position = lane.position): { found: string[]; end: Position } {
  using cursor = new Cursor(lane, from);
  const found: string[] = [];
  while (cursor.next()) {
    const flags = [
      cursor.missing > 0 && `${cursor.missing} missing`,
      cursor.isDamaged && "damaged",
      cursor.isReduced && "reduced",
    ].filter(Boolean);
    found.push([cursor.seq, ...flags].join(", "));
  }
  if (cursor.missingAtEnd > 0) found.push(`${cursor.missingAtEnd} at the end`);
  return { found, end: cursor.position };
}

test("records are read in order over all parts, and on from any position", async () => {
  await using world = await World.make();
  const writer = world.lane("s", {}, 600);
  for (let at = 1; at <= 9; at++) writer.append({ op: "event", at, name: "e".repeat(100) });
  const lane = laneOf(world);
  expect(lane.parts.length).toBeGreaterThan(2);
  const { found, end } = read(lane);
  expect(found).toEqual(["1", "2", "3", "4", "5", "6", "7", "8", "9"]);
  expect(end).toMatchObject({ part: lane.parts.at(-1), seq: 9 });
  expect(read(lane, end).found).toEqual([]);

  using cursor = new Cursor(lane, lane.position);
  for (let seq = 1; seq <= 9; seq++) {
    cursor.next();
    expect(read(lane, cursor.position).found).toHaveLength(9 - seq);
  }
});

test("a position in a part that was deleted continues in the next part", async () => {
  await using world = await World.make();
  const writer = world.lane("s", {}, 100); // smaller than a header, so each record has a part of its own
  for (let at = 1; at <= 3; at++) writer.append({ op: "heartbeat", at });
  const lane = laneOf(world);
  lane.parts = lane.parts.filter((part) => part > 3);
  expect(read(lane, { part: 2, offset: 5_000, seq: 1 }).found).toEqual(["3, 1 missing"]);
});

test("an offset into a file that was replaced is not used", async () => {
  await using world = await World.make();
  const writer = world.lane("s");
  for (let at = 1; at <= 3; at++) writer.append({ op: "heartbeat", at });
  const lane = laneOf(world);
  const { end } = read(lane, { part: 1, offset: 0, seq: 1 });
  expect(read(lane, { ...end, seq: 1, inode: (end.inode ?? 0) + 1 }).found).toEqual(["2", "3"]);
  expect(read(lane, { ...end, seq: 1, offset: end.offset + 1 }).found).toEqual(["2", "3"]);
  expect(read(lane, { ...end, seq: 1 }).found).toEqual([]);
});

test("a damaged record is counted once a later one, or the end of the lane, shows that it is missing", async () => {
  await using world = await World.make();
  const writer = world.lane("s");
  for (let at = 1; at <= 4; at++) writer.append({ op: "event", at, name: `event ${at}` });
  const text = readFileSync(writer.path, "utf8");
  writeFileSync(writer.path, text.replace("event 2", "event x").replace("event 4", "event y"));
  const lane = laneOf(world);
  expect(read(lane).found).toEqual(["1", "3, 1 missing, damaged"]);
  lane.isClosed = true;
  expect(read(lane).found).toEqual(["1", "3, 1 missing, damaged", "1 at the end"]);
});

test("an empty line is no damage: a writer begins a line after one that was cut off", async () => {
  await using world = await World.make();
  const writer = world.lane("s");
  writer.append({ op: "heartbeat", at: 1 });
  appendFileSync(writer.path, "\n");
  writer.append({ op: "heartbeat", at: 2 });
  expect(read(laneOf(world)).found).toEqual(["1", "2"]);
});

test("an incomplete last line is read only once the lane is closed", async () => {
  await using world = await World.make();
  const writer = world.lane("s");
  writer.append({ op: "heartbeat", at: 1 });
  appendFileSync(writer.path, frame('{"seq":2,"at":2,"op":"heartbeat"}').subarray(0, -1));
  const lane = laneOf(world);
  expect(read(lane).found).toEqual(["1"]);
  lane.isClosed = true;
  expect(read(lane).found).toEqual(["1", "2"]);
});

test("what is missing in a reduced part, or at its end, was removed by the disk budget", async () => {
  await using world = await World.make();
  const writer = world.lane("s", {}, 700);
  writer.tryAppendAs([{ seq: 1, op: { op: "event", at: 1, name: "e".repeat(700) } }]);
  writer.tryAppendAs([{ seq: 5, op: { op: "heartbeat", at: 5 } }]);
  writer.tryAppendAs([{ seq: 9, op: { op: "heartbeat", at: 9 } }]);
  const lane = laneOf(world);
  expect(lane.parts).toEqual([1, 2]);
  expect(read(lane).found).toEqual(["1", "5, 3 missing", "9, 3 missing"]);
  lane.reduced.add(1);
  expect(read(lane).found).toEqual(["1, reduced", "5, 3 missing, reduced", "9, 3 missing"]);
});

test("a line that is intact but no record of this format is counted as damaged", async () => {
  await using world = await World.make();
  const writer = world.lane("s");
  for (const json of ["null", "[]", '{"at":1}', '{"seq":1.5}', '{"seq":', '"text"']) {
    appendFileSync(writer.path, frame(json));
  }
  appendFileSync(writer.path, frame('{"seq":2,"at":2,"op":"heartbeat"}'));
  expect(read(laneOf(world)).found).toEqual(["2, 1 missing, damaged"]);
});
