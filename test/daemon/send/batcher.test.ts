import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import * as v from "valibot";
import { expect, test } from "vitest";
import type { Lane } from "../../../daemon/lanes/lane.ts";
import { Lanes } from "../../../daemon/lanes/lanes.ts";
import { BATCH_OPS } from "../../../daemon/limits.ts";
import { Log } from "../../../daemon/log.ts";
import { build, type BuildOptions, keepalive } from "../../../daemon/send/batcher.ts";
import { StateFilter } from "../../../daemon/send/filter.ts";
import { LocalMaps } from "../../../daemon/sourcemaps/local.ts";
import { asResolved } from "../../../src/core/sourcemaps/resolved.ts";
import { advanceLane } from "../../../src/core/session/lanes.ts";
import { newIndex } from "../../../src/core/session/session-index.ts";
import { Batch } from "../../../src/core/batch.ts";
import type { Op } from "../../../src/core/wire.ts";
import { World } from "../world.ts";

const WHOLE: BuildOptions = { maxBytes: 1_000_000 };
const event = (at: number, name = "e"): Op => ({ op: "event", at, name });
const events = (count: number) => Array.from({ length: count }, (_, index) => event(index + 1));

/** The home's only lane. */
function laneOf(world: World): Lane {
  const lanes = new Lanes(world.home, new Log(world.home.log), new Map());
  lanes.scan(0);
  const [lane] = lanes.all.values();
  if (!lane) throw new Error("the lane was not found");
  return lane;
}

function laneWith(world: World, ops: Op[]): Lane {
  const writer = world.lane("s");
  for (const op of ops) writer.append(op);
  return laneOf(world);
}

test("a batch has the lane's records from its position on, and the first one its writer", async () => {
  await using world = await World.make();
  const lane = laneWith(world, events(5));
  const first = build(lane, { ...WHOLE, maxRecords: 3 });
  expect(first).toMatchObject({ records: 3, isLast: false, lastOp: { at: 3 } });
  expect(first.batch).toMatchObject({ session: "s", lane: lane.id, first: 1, last: 3 });
  expect(first.batch?.ops.map(({ at }) => at)).toEqual([1, 2, 3]);
  expect(first.batch?.writer).toMatchObject({ pid: process.pid });
  lane.position = first.end;
  const second = build(lane, WHOLE);
  expect(second.batch).toMatchObject({ first: 4, last: 5 });
  expect(second.batch?.writer).toBeUndefined();
  lane.position = second.end;
  expect(build(lane, WHOLE)).toMatchObject({ batch: undefined, end: lane.position, records: 0 });
});

test("a batch that was not acknowledged is built again, the same", async () => {
  await using world = await World.make();
  const lane = laneWith(world, events(5));
  expect(build(lane, WHOLE)).toEqual(build(lane, WHOLE));
});

test("a batch ends before the record that exceeds its bytes, but has at least one", async () => {
  await using world = await World.make();
  const lane = laneWith(
    world,
    [1, 2, 3].map((at) => event(at, "e".repeat(150))),
  );
  expect(build(lane, { maxBytes: 1 }).batch?.last).toBe(1);
  expect(build(lane, { maxBytes: 500 }).batch?.last).toBe(2);
});

test("a batch has no more ops than the server takes", async () => {
  await using world = await World.make();
  world.lane("s").tryAppendAs(events(BATCH_OPS + 1).map((op) => ({ seq: op.at, op })));
  expect(build(laneOf(world), WHOLE).batch?.ops).toHaveLength(BATCH_OPS);
});

test("only the batch with the last record of a closed lane is the last", async () => {
  await using world = await World.make();
  const lane = laneWith(world, events(3));
  expect(build(lane, WHOLE).isLast).toBe(false);
  lane.isClosed = true;
  expect(build(lane, { ...WHOLE, maxRecords: 2 }).isLast).toBe(false);
  expect(build(lane, WHOLE).isLast).toBe(true);
});

test("records that the server has are not sent again", async () => {
  await using world = await World.make();
  const lane = laneWith(world, events(5));
  lane.moveTo(3);
  expect(build(lane, WHOLE).batch).toMatchObject({ first: 4, last: 5 });
  lane.moveTo(9);
  expect(build(lane, WHOLE)).toMatchObject({ batch: undefined, end: { seq: 9 } });
});

test("the refused record and invalid ones are counted, and keep their sequences", async () => {
  await using world = await World.make();
  // Another program wrote the second, not ours.
  const lane = laneWith(world, [event(1), { op: "nonsense", at: 2 } as never, event(3), event(4)]);
  const { batch, records } = build(lane, { ...WHOLE, refusedSeq: 3 });
  expect(batch).toMatchObject({ first: 1, last: 4, dropped: { refused: 2 } });
  expect(batch?.ops.map(({ at }) => at)).toEqual([1, 4]);
  expect(records).toBe(4);
});

test("missing records are damage, unless a record soon after counts them itself", async () => {
  await using world = await World.make();
  world.lane("s").tryAppendAs([
    { seq: 1, op: event(1) },
    { seq: 4, op: event(4) },
    { seq: 5, op: { op: "dropped", at: 5, cause: "disk_full", count: 2 } },
    { seq: 9, op: event(9) },
  ]);
  const { batch } = build(laneOf(world), WHOLE);
  expect(batch).toMatchObject({ first: 1, last: 9, dropped: { damaged: 3 } });
  expect(batch?.ops).toContainEqual({
    op: "dropped",
    at: 5,
    cause: "disk_full",
    count: 2,
    sequences: 2,
  });
});

test("a value that is described explains no missing record", async () => {
  await using world = await World.make();
  const described: Op = { op: "dropped", at: 5, cause: "unserialisable", count: 1 };
  world.lane("s").tryAppendAs([
    { seq: 1, op: event(1) },
    { seq: 4, op: described },
    { seq: 5, op: event(5) },
  ]);
  const { batch } = build(laneOf(world), WHOLE);
  expect(batch).toMatchObject({ first: 1, last: 5, dropped: { damaged: 2 } });
  expect(JSON.stringify(batch?.ops[1])).toBe(JSON.stringify(described));
});

test("an explanation that comes too late does not explain a gap", async () => {
  await using world = await World.make();
  world
    .lane("s")
    .tryAppendAs([
      ...[3, 4, 5, 6, 7, 8].map((seq) => ({ seq, op: event(seq) })),
      { seq: 9, op: { op: "dropped", at: 9, cause: "disk_full", count: 2 } },
    ]);
  expect(build(laneOf(world), WHOLE).batch?.dropped).toEqual({ damaged: 2 });
});

test("records missing in a reduced part were removed by the disk budget", async () => {
  await using world = await World.make();
  world.lane("s").tryAppendAs([1, 4].map((seq) => ({ seq, op: event(seq) })));
  const lane = laneOf(world);
  lane.reduced.add(1);
  expect(build(lane, WHOLE).batch?.dropped).toEqual({ disk_budget: 2 });
});

test("a relay may leave sequences out", async () => {
  await using world = await World.make();
  world.lane("s", { role: "relay" }).tryAppendAs([
    { seq: 1, op: event(1) },
    { seq: 4, op: { op: "dropped", at: 4, cause: "disk_full", count: 0 } },
  ]);
  const { batch } = build(laneOf(world), WHOLE);
  expect(batch).toMatchObject({ first: 1, last: 4, ops: [{ at: 1 }] });
  expect(batch?.dropped).toBeUndefined();
});

test.each([
  ["a program's own lane", undefined, ["resolved"]],
  ["the lane of a program elsewhere", "relay", ["recorded"]],
  ["the lane of another user's program", "local", ["recorded"]],
] as const)("source maps beside programs resolve exceptions of %s", async (_, role, expected) => {
  await using world = await World.make();
  const op = { ...event(1), exception_type: "Error", stacktrace: ["recorded"] };
  world.lane("s", role && { role }).append(op);
  const maps = new LocalMaps(() => 0);
  maps.resolve = () => ({ stacktrace: ["resolved"] });
  const [sent] = build(laneOf(world), { ...WHOLE, maps }).batch?.ops ?? [];
  if (sent?.op !== "event") throw new Error("The exception was not sent.");
  expect(sent.stacktrace).toEqual(["recorded"]);
  expect(asResolved(sent).stacktrace).toEqual(expected);
});

test("source maps beside programs resolve the stacks of a hang that the daemon observed", async () => {
  const maps = new LocalMaps(() => 0);
  const resolved = { threads: [["resolved"]], sources: [] };
  maps.resolveThreads = () => resolved;
  const threads = [{ frames: ["recorded"] }];
  const expected = [
    ["observations", resolved],
    ["relay", undefined],
  ] as const;
  for (const [role, found] of expected) {
    await using world = await World.make();
    world.lane("s", { role }).append({ op: "stacks", at: 1, when: "hung", threads });
    const [sent] = build(laneOf(world), { ...WHOLE, maps }).batch?.ops ?? [];
    expect(sent).toMatchObject({ op: "stacks", threads });
    expect(sent && "resolved" in sent ? sent.resolved : undefined).toEqual(found);
  }
});

test("damage at the end of a lane is counted once the lane is closed", async () => {
  await using world = await World.make();
  const lane = laneWith(world, events(2));
  appendFileSync(lane.path(1), "garbage\n");
  expect(build(lane, WHOLE)).toMatchObject({ batch: { last: 2 }, end: { seq: 2 } });
  lane.isClosed = true;
  expect(build(lane, WHOLE)).toMatchObject({ batch: { last: 3, dropped: { damaged: 1 } } });
});

test("the end of a writer that joined the session is not sent", async () => {
  await using world = await World.make();
  const lane = laneWith(world, [event(1), { op: "end", at: 2 }]);
  const names = (options: BuildOptions) => build(lane, options).batch?.ops.map(({ op }) => op);
  expect(names(WHOLE)).toEqual(["event", "end"]);
  expect(names({ ...WHOLE, isJoiner: true })).toEqual(["event"]);
});

test("a state that changes nothing is not sent; a start is sent whole", async () => {
  await using world = await World.make();
  const start: Op = { op: "start", at: 1, state: { a: 1 } };
  const lane = laneWith(world, [
    start,
    { op: "state", at: 2, patch: { a: 1 } },
    { op: "state", at: 3, patch: { a: 1, b: 2 } },
  ]);
  const filtered = build(lane, { ...WHOLE, filter: new StateFilter() }).batch;
  expect(filtered?.last).toBe(3);
  expect(filtered?.ops).toMatchObject([start, { op: "state", at: 3, patch: { b: 2 } }]);
  expect(build(lane, WHOLE).batch?.ops).toHaveLength(3);
});

test("a start has the machine's tags after the program's own, 64 in all", async () => {
  await using world = await World.make();
  const many = Array.from({ length: 63 }, (_, n) => `t${n}`);
  const lane = laneWith(world, [
    { op: "start", at: 1, tags: ["rack:7", "own"] },
    { op: "start", at: 2 },
    { op: "start", at: 3, tags: many },
    { op: "tags", at: 4, tags: ["later"] },
  ]);
  const { batch } = build(lane, { ...WHOLE, tags: ["rack:7", "gpu"] });
  expect(
    batch?.ops.map((op) => (op.op === "start" || op.op === "tags" ? op.tags : undefined)),
  ).toEqual([["rack:7", "own", "gpu"], ["rack:7", "gpu"], [...many, "rack:7"], ["later"]]);
  expect(v.is(Batch, batch)).toBe(true);
});

test("every batch accounts for its range, whatever was aggregated, filtered, altered, reported or damaged", async () => {
  await using world = await World.make();
  const kinds: ((at: number) => Op)[] = [
    (at) => event(at),
    (at) => ({ op: "state", at, patch: { level: at % 3 } }),
    (at) => ({ op: "metric", at, type: "gauge", name: "g", value: at }),
    (at) => ({ op: "metric", at, type: "timer", name: "t", value: at, count: 1e9 }),
    (at) => ({ op: "metric", at, type: "counter", name: "c", delta: 1 }),
    (at) => ({ op: "metric", at, type: "counter", name: "c", value: 5 }),
    (at) => ({ op: "metric", at, type: "histogram", name: "h", value: at }),
    (at) => ({ op: "dropped", at, cause: "unserialisable", count: 1 }),
    (at) => ({ op: "dropped", at, cause: "disk_full", count: at % 5 }),
    (at) => ({ op: "end", at }),
  ];
  // A fixed sequence in which every kind follows every other.
  const ops = Array.from({ length: 600 }, (_, i): Op => {
    const kind = kinds[(i * i + 3 * (i >> 3)) % kinds.length];
    return kind?.(1 + i * 100) ?? event(i);
  });
  const lane = laneWith(world, ops);
  const path = lane.path(1);
  const lines = readFileSync(path, "utf8").split("\n");
  // Every thirteenth record is gone, and some of the others are damaged.
  const left = lines.flatMap((line, i) =>
    i > 0 && i % 13 === 0 ? [] : [i > 0 && i % 29 === 0 ? `x${line}` : line],
  );
  writeFileSync(path, left.join("\n"));
  const index = newIndex("s", 0, 0);
  const filter = new StateFilter();
  let aggregated = 0;
  for (let size = 1; ; size = (size % 40) + 1) {
    const { batch, end } = build(lane, { ...WHOLE, maxRecords: size, filter, isJoiner: true });
    if (!batch) break;
    advanceLane(index, v.parse(Batch, JSON.parse(JSON.stringify(batch))));
    filter.commit();
    aggregated += batch.aggregated ?? 0;
    lane.position = end;
  }
  expect(index.lanes[0]?.applied).toBeGreaterThan(590);
  expect(aggregated).toBeGreaterThan(20);
});

test("a keepalive has the next sequence, no ops, and the lease", async () => {
  await using world = await World.make();
  const lane = laneWith(world, events(3));
  lane.position = build(lane, WHOLE).end;
  expect(keepalive(lane, 30_000)).toEqual({
    session: "s",
    lane: lane.id,
    first: 4,
    last: 3,
    ops: [],
    lease_ms: 30_000,
  });
});
