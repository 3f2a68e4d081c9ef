import { readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { build } from "../../../daemon/send/batcher.ts";
import { homeAt, makePrivate } from "../../../daemon/home.ts";
import { LaneWriter } from "../../../daemon/lanes/lane-file.ts";
import { Lanes } from "../../../daemon/lanes/lanes.ts";
import { Log } from "../../../daemon/log.ts";
import { until, World } from "../world.ts";

test("flipped bits at every byte of a lane cost at most the records they are in, and are counted", async () => {
  await using world = await World.make();
  const writer = world.lane("flipped", { writer: {} });
  writer.append({ op: "start", at: 1 });
  for (let at = 2; at <= 8; at++) writer.append({ op: "event", at, name: `event ${at}` });
  writer.append({ op: "end", at: 9 });
  const good = readFileSync(writer.path);
  const home = homeAt(join(world.home.folder, "flipped"));
  makePrivate(home);
  const path = join(home.lanes, `${writer.header.lane}.000001.lane`);

  for (let position = 0; position < good.length; position++) {
    const copy = Buffer.from(good);
    copy[position] = (copy[position] ?? 0) ^ (1 << (position % 8));
    writeFileSync(path, copy);
    const lanes = new Lanes(home, new Log(home.log), new Map());
    lanes.scan(0);
    const [lane] = lanes.all.values();
    expect(lane, `lane with byte ${position} damaged`).toBeDefined();
    if (!lane) return;
    lane.isClosed = true;
    const { batch } = build(lane, { maxBytes: 1_000_000 });
    const lost = batch?.dropped?.["damaged"] ?? 0;
    const where = `byte ${position}`;
    expect(batch?.last, where).toBe(9);
    expect(lost, where).toBeLessThanOrEqual(1);
    expect((batch?.ops.length ?? 0) + lost, where).toBe(9);
  }
});

test("a lane cut off anywhere gives its intact records, and counts the incomplete one", async () => {
  await using world = await World.make();
  const writer = world.lane("torn", { writer: {} });
  for (let at = 1; at <= 5; at++) writer.append({ op: "event", at, name: `event ${at}` });
  const good = readFileSync(writer.path);
  const ends = [...good.entries()].filter(([, byte]) => byte === 0x0a).map(([index]) => index);
  const header = ends[0] ?? 0;
  for (let length = header + 1; length <= good.length; length++) {
    writeFileSync(writer.path, good);
    truncateSync(writer.path, length);
    const lanes = new Lanes(world.home, new Log(world.home.log), new Map());
    lanes.scan(0);
    const [lane] = lanes.all.values();
    if (!lane) throw new Error("the lane was not found");
    lane.isClosed = true;
    const { batch } = build(lane, { maxBytes: 1_000_000 });
    // A record is whole without its line break, if its checksum is right.
    const whole = ends.filter((end) => end <= length).length - 1;
    const isTorn = !ends.includes(length - 1) && !ends.includes(length);
    expect(batch?.ops.length ?? 0, `cut at ${length}`).toBe(whole);
    expect(batch?.dropped?.["damaged"] ?? 0, `cut at ${length}`).toBe(isTorn ? 1 : 0);
  }
});

test("a gap that the client explains is counted once; one without an explanation is damage", async () => {
  await using world = await World.make();
  const writer = world.lane("holes");
  writer.tryAppendAs([
    { seq: 1, op: { op: "start", at: 1 } },
    { seq: 5, op: { op: "dropped", at: 5, cause: "disk_full", count: 3 } },
    { seq: 6, op: { op: "event", at: 6, name: "e" } },
    { seq: 7, op: { op: "event", at: 7, name: "e" } },
    { seq: 8, op: { op: "event", at: 8, name: "e" } },
    { seq: 11, op: { op: "event", at: 11, name: "e" } },
    { seq: 12, op: { op: "end", at: 12 } },
  ]);
  await world.daemon();
  await until(() => readdirSync(world.home.lanes)).toEqual([]);
  expect(world.server.dropped("holes")).toEqual({ damaged: 2 });
  expect(world.server.ops("holes", "dropped")).toHaveLength(1);
});

test("invalid records are counted as refused, and the rest is sent", async () => {
  await using world = await World.make();
  const writer = world.lane("odd");
  writer.append({ op: "start", at: 1 });
  const odd = [
    { op: "nonsense", at: 2 },
    { op: "event", at: "yesterday", name: "e" },
    { op: "metric", at: 3, type: "gauge", name: "m", value: null },
    { op: "state", at: 4, patch: deep(200) },
  ];
  // Another program wrote these, not ours.
  for (const op of odd) writer.append(op as never);
  writer.append({ op: "end", at: 5 });
  await world.daemon();
  await until(() => readdirSync(world.home.lanes)).toEqual([]);
  expect(world.server.session("odd").ops.map((op) => op.op)).toEqual(["start", "end"]);
  expect(world.server.dropped("odd")).toEqual({ refused: 4 });
});

test("a lane without a readable header is rejected, not sent to any session", async () => {
  await using world = await World.make();
  const name = "0198f3c2-0000-7000-8000-000000000000.000001.lane";
  writeFileSync(join(world.home.lanes, name), "garbage\nmore garbage\n");
  const lanes = new Lanes(world.home, new Log(world.home.log), new Map());
  lanes.scan(0);
  lanes.scan(3_600_000);
  expect(readdirSync(world.home.lanes)).toEqual([]);
  expect(readdirSync(world.home.rejected)).toEqual([name]);
});

test("an undamaged lane loses nothing", async () => {
  await using world = await World.make();
  const header = { lane: "l-1", session: "s", server: "", at: 1, writer: {} };
  const writer = LaneWriter.create(world.home.lanes, header);
  writer.append({ op: "start", at: 1 });
  writer.append({ op: "end", at: 2 });
  await world.daemon();
  await until(() => world.server.session("s").ops).toHaveLength(2);
  expect(world.server.dropped("s")).toEqual({});
});

function deep(levels: number): object {
  let value: object = {};
  for (let i = 0; i < levels; i++) value = { a: value };
  return value;
}
