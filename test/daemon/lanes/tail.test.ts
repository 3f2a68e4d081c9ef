import { appendFileSync } from "node:fs";
import { expect, test } from "vitest";
import { frame } from "../../../daemon/lanes/frame.ts";
import type { Lane } from "../../../daemon/lanes/lane.ts";
import { Lanes } from "../../../daemon/lanes/lanes.ts";
import { type Growth, lastRecordAt, Tail } from "../../../daemon/lanes/tail.ts";
import { Log } from "../../../daemon/log.ts";
import type { Op } from "../../../src/core/wire.ts";
import { World } from "../world.ts";

/** The home's only lane, followed from now on. */
function follow(world: World): { lane: Lane; lanes: Lanes; tail: Tail; grown: Growth[] } {
  const lanes = new Lanes(world.home, new Log(world.home.log), new Map());
  const grown: Growth[] = [];
  const tail = new Tail({ lanes, monotonic: () => 7, grew: (_, growth) => grown.push(growth) });
  lanes.scan(0);
  const [lane] = lanes.all.values();
  if (!lane) throw new Error("the lane was not found");
  return { lane, lanes, tail, grown };
}

test("each record is passed on once, by whichever reading comes first", async () => {
  await using world = await World.make();
  const writer = world.lane("s");
  writer.append({ op: "start", at: 1 });
  const { lane, tail, grown } = follow(world);
  tail.read(lane);
  tail.read(lane);
  writer.append({ op: "heartbeat", at: 2 });
  tail.read(lane);
  expect(grown.map(({ ops }) => ops.map(({ op }) => op))).toEqual([["start"], ["heartbeat"]]);
  expect(tail.of(lane)).toMatchObject({ hasRecords: true, hasEnded: false, grewAt: 7 });
});

const urgent: [Op, boolean, boolean][] = [
  [{ op: "start", at: 1 }, true, true],
  [{ op: "end", at: 1 }, true, true],
  [{ op: "crash", at: 1 }, true, true],
  [{ op: "event", at: 1, name: "e", exception_type: "E" }, true, true],
  [{ op: "heartbeat", at: 1 }, true, false],
  [{ op: "pause", at: 1 }, true, false],
  [{ op: "event", at: 1, name: "e" }, false, false],
  [{ op: "state", at: 1, patch: {} }, false, false],
  [{ op: "metric", at: 1, type: "gauge", name: "m", value: 1 }, false, false],
];
test.each(urgent)("%o: passed on %s, urgent %s", async (op, isPassedOn, isUrgent) => {
  await using world = await World.make();
  world.lane("s").append(op);
  const { lane, tail, grown } = follow(world);
  tail.read(lane);
  expect(grown[0]?.ops.length).toBe(isPassedOn ? 1 : 0);
  expect(grown[0]?.isUrgent).toBe(isUrgent);
});

test("a lane that begins without its start is a joiner's; one whose first record is damaged is not", async () => {
  await using world = await World.make();
  const writer = world.lane("s");
  writer.append({ op: "event", at: 1, name: "e" });
  const joined = follow(world);
  joined.tail.read(joined.lane);
  expect(joined.tail.of(joined.lane).isJoiner).toBe(true);

  await using other = await World.make();
  const damaged = other.lane("s");
  appendFileSync(damaged.path, frame('{"seq":1,"at":1,"op":"event"}').fill(0x2a, 3, 4));
  appendFileSync(damaged.path, frame('{"seq":2,"at":2,"op":"event"}'));
  const unknown = follow(other);
  unknown.tail.read(unknown.lane);
  expect(unknown.tail.of(unknown.lane).isJoiner).toBe(false);
});

test("a lane is pending until its last byte is acknowledged, and done once it is closed and sent", async () => {
  await using world = await World.make();
  const writer = world.lane("s", {}, 2_000);
  writer.append({ op: "start", at: 1, product: "p".repeat(2_000) });
  const { lane, lanes, tail } = follow(world);
  tail.read(lane);
  expect(tail.isPending(lane)).toBe(true);
  const unsent = tail.unsentBytes(lane);
  writer.append({ op: "end", at: 2 });
  lanes.scan(0);
  tail.read(lane);
  expect(lane.parts).toEqual([1, 2]);
  expect(unsent).toBeLessThan(Infinity);
  expect(tail.unsentBytes(lane)).toBe(Infinity); // in two parts
  expect(lane.isClosed).toBe(true);
  const { part, offset } = tail.of(lane);
  lane.position = { part, offset, seq: 2 };
  expect(tail.isPending(lane)).toBe(false);
  expect(tail.isDone(lane)).toBe(false);
  lane.isSent = true;
  expect(tail.isDone(lane)).toBe(true);
  expect(lastRecordAt(lane)).toBe(2);
});
