import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Lane } from "../../../daemon/lanes/lane.ts";
import type { LaneWriter } from "../../../daemon/lanes/lane-file.ts";
import { Lanes } from "../../../daemon/lanes/lanes.ts";
import { Tail } from "../../../daemon/lanes/tail.ts";
import { FIRST_RETRY_MS, MAX_IMMEDIATE_MOVES, WATCHED_MS } from "../../../daemon/limits.ts";
import { Log } from "../../../daemon/log.ts";
import { Outgoing, type Sent, type Totals } from "../../../daemon/send/outgoing.ts";
import { DAEMON_LEASE_MS } from "../../../src/core/limits.ts";
import type { Batch } from "../../../src/core/batch.ts";
import type { Op } from "../../../src/core/wire.ts";
import { ManualClock, World } from "../world.ts";

const BATCH_MS = 5_000;
const ROOM = 1_000_000;
/** Half of the first wait: the jitter is the least. */
const FIRST_WAIT_MS = FIRST_RETRY_MS / 2;
const event = (at: number): Op => ({ op: "event", at, name: "e" });
const refusal = (code: string) => ({ code, message: "Refused." });

type Setup = {
  clock: ManualClock;
  writer: LaneWriter;
  lane: Lane;
  lanes: Lanes;
  totals: Totals;
  outgoing: Outgoing;
  /** Reads what the writer has appended. */
  read: () => void;
  /** Appends events and reads them. */
  append: (...ops: Op[]) => void;
  send: () => Sent;
  rejected: () => string[];
};

/** The sender's state of a new lane of this session. */
function setUp(world: World, { isLive = false } = {}): Setup {
  const clock = new ManualClock();
  const writer = world.lane("s");
  const log = new Log(world.home.log);
  const lanes = new Lanes(world.home, log, new Map());
  lanes.scan(0);
  const lane = lanes.all.get(writer.header.lane);
  if (!lane) throw new Error("the lane was not found");
  const monotonic = () => clock.monotonic();
  const tail = new Tail({ lanes, monotonic, grew: (_, growth) => outgoing.note(growth) });
  const totals: Totals = { requests: 0, bytes: 0, batches: 0, ops: 0, refused: 0, lastOkAt: 0 };
  const outgoing = new Outgoing(
    lane,
    {
      lanes,
      tail,
      log,
      rejected: world.home.rejected,
      batchMs: BATCH_MS,
      isLive: () => isLive,
      monotonic,
      random: () => 0,
    },
    totals,
  );
  const read = () => tail.read(lane);
  return {
    clock,
    writer,
    lane,
    lanes,
    totals,
    outgoing,
    read,
    append(...ops) {
      for (const op of ops) writer.append(op);
      read();
    },
    send() {
      const sent = outgoing.build(ROOM);
      if (!sent) throw new Error("nothing to send");
      return sent;
    },
    rejected: () => readdirSync(world.home.rejected),
  };
}

const batchOf = ({ text }: Sent): Batch => JSON.parse(text) as Batch;

test("an acknowledged batch moves the lane on, and nothing is due until it grows", async () => {
  await using world = await World.make();
  const { outgoing, append, send, lane, totals } = setUp(world);
  append(event(1), event(2));
  expect(outgoing.dueAt()).toBe(WATCHED_MS);
  const { built } = send();
  outgoing.conclude(built, { session: "s", lane: lane.id, applied: 2 });
  expect(lane.position.seq).toBe(2);
  expect(outgoing.dueAt()).toBe(Infinity);
  expect(totals).toMatchObject({ batches: 1, ops: 2 });
  append(event(3));
  expect(outgoing.dueAt()).toBe(BATCH_MS);
  expect(batchOf(send())).toMatchObject({ first: 3, last: 3 });
});

test("an urgent op is due at once, and so is anything on request", async () => {
  await using world = await World.make();
  const { outgoing, append, send, lane } = setUp(world);
  append({ op: "start", at: 1 });
  expect(outgoing.dueAt()).toBe(0);
  outgoing.conclude(send().built, { session: "s", lane: lane.id, applied: 1 });
  append(event(2));
  expect(outgoing.dueAt()).toBe(BATCH_MS);
  outgoing.hurry();
  expect(outgoing.dueAt()).toBe(0);
});

test("while the session's page is open, ops wait for less time", async () => {
  await using world = await World.make();
  const { outgoing, append, send, lane } = setUp(world);
  append(event(1));
  outgoing.conclude(send().built, { session: "s", lane: lane.id, applied: 1, watched: true });
  append(event(2));
  expect(outgoing.dueAt()).toBe(WATCHED_MS);
});

test("without an answer the same records are sent again after a wait that doubles", async () => {
  await using world = await World.make();
  const { outgoing, append, send, clock } = setUp(world);
  append({ op: "start", at: 1, state: { a: 1 } }, { op: "state", at: 2, patch: { a: 2 } });
  const first = send();
  outgoing.conclude(first.built, undefined);
  expect(outgoing.dueAt()).toBe(FIRST_WAIT_MS);
  clock.advance(FIRST_WAIT_MS);
  const second = send();
  expect(second.text).toBe(first.text);
  outgoing.conclude(second.built, undefined);
  expect(outgoing.dueAt()).toBe(3 * FIRST_WAIT_MS);
});

test("a server at another sequence gets the lane from there: at once, after several such answers with a wait", async () => {
  await using world = await World.make();
  const { outgoing, append, send, lane } = setUp(world);
  append(event(1), event(2), event(3));
  const gap = { session: "s", lane: lane.id, applied: 1, error: refusal("lane_gap") };
  for (let move = 1; move <= MAX_IMMEDIATE_MOVES; move++) {
    outgoing.conclude(send().built, gap);
    expect(outgoing.dueAt()).toBe(0);
    expect(batchOf(send())).toMatchObject({ first: 2, last: 3 });
  }
  outgoing.conclude(send().built, gap);
  expect(outgoing.dueAt()).toBeGreaterThan(0);
});

test("batches halve until the refused record is alone; it is kept as a file, and the rest is sent", async () => {
  await using world = await World.make();
  const { outgoing, append, send, lane, totals, rejected } = setUp(world);
  append(event(1), event(2), event(3), event(4));
  const sizes: number[] = [];
  while (rejected().length === 0) {
    const { built } = send();
    sizes.push(built?.records ?? 0);
    outgoing.conclude(built, {
      session: "s",
      lane: lane.id,
      applied: 0,
      error: refusal("too_deep"),
    });
  }
  expect(sizes).toEqual([4, 2, 1]);
  const [file = ""] = rejected();
  expect(file).toBe(`${lane.id}.000000001.json`);
  expect(JSON.parse(readFileSync(join(world.home.rejected, file), "utf8"))).toMatchObject({
    session: "s",
    seq: 1,
    error: { code: "too_deep" },
    op: { at: 1 },
  });
  expect(totals.refused).toBe(1);

  const without = send();
  expect(batchOf(without)).toMatchObject({ first: 1, last: 1, ops: [], dropped: { refused: 1 } });
  outgoing.conclude(without.built, { session: "s", lane: lane.id, applied: 1 });
  expect(batchOf(send())).toMatchObject({ first: 2, last: 3 });
});

test("a record that is refused even when it is left out is not kept twice, and waits", async () => {
  await using world = await World.make();
  const { outgoing, append, send, lane, totals, rejected } = setUp(world);
  append(event(1));
  const refused = { session: "s", lane: lane.id, applied: 0, error: refusal("too_large") };
  outgoing.conclude(send().built, refused);
  expect(outgoing.dueAt()).toBe(0);
  outgoing.conclude(send().built, refused);
  expect(outgoing.dueAt()).toBe(FIRST_WAIT_MS);
  expect(rejected()).toHaveLength(1);
  expect(totals.refused).toBe(1);
});

test("the lane of a session that was deleted on the server is deleted", async () => {
  await using world = await World.make();
  const { outgoing, append, send, lane, lanes, rejected } = setUp(world);
  append(event(1));
  outgoing.conclude(send().built, {
    session: "s",
    lane: lane.id,
    applied: 0,
    error: refusal("gone"),
  });
  expect(lanes.all.size).toBe(0);
  expect(readdirSync(world.home.lanes)).toEqual([]);
  expect(rejected()).toEqual([]);
});

test("after a refusal of another kind the batch is sent again later", async () => {
  await using world = await World.make();
  const { outgoing, append, send, lane } = setUp(world);
  append(event(1));
  outgoing.conclude(send().built, {
    session: "s",
    lane: lane.id,
    applied: 0,
    error: refusal("unavailable"),
  });
  expect(outgoing.dueAt()).toBeGreaterThanOrEqual(FIRST_WAIT_MS);
  expect(batchOf(send())).toMatchObject({ first: 1, last: 1 });
});

test("a session with a program gets a keepalive three times per lease; one without, none", async () => {
  await using world = await World.make();
  const { outgoing, append, send, lane, clock } = setUp(world, { isLive: true });
  append(event(1));
  outgoing.conclude(send().built, { session: "s", lane: lane.id, applied: 1 });
  expect(outgoing.build(ROOM)).toBeUndefined();
  expect(outgoing.dueAt()).toBe(DAEMON_LEASE_MS / 3);
  clock.advance(DAEMON_LEASE_MS / 3);
  const sent = send();
  expect(sent.built).toBeUndefined();
  expect(batchOf(sent)).toMatchObject({ ops: [], lease_ms: DAEMON_LEASE_MS });
  outgoing.conclude(undefined, { session: "s", lane: lane.id, applied: 1 });
  expect(outgoing.dueAt()).toBe((2 * DAEMON_LEASE_MS) / 3);
  outgoing.renewContact();
  expect(outgoing.dueAt()).toBe(0);
});

test("state that does not change is not sent, until a second writer joins the session", async () => {
  await using world = await World.make();
  const { outgoing, append, send, lane } = setUp(world);
  append({ op: "start", at: 1, state: { a: 1 } });
  outgoing.conclude(send().built, { session: "s", lane: lane.id, applied: 1 });
  append({ op: "state", at: 2, patch: { a: 1 } });
  expect(outgoing.build(ROOM)).toBeUndefined();
  world.lane("s");
  expect(batchOf(send()).ops).toMatchObject([{ op: "state", patch: { a: 1 } }]);
  expect(outgoing.filterSize).toBe(0);
});

test("a lane that can't be read waits and does not stop the others", async () => {
  await using world = await World.make();
  const { outgoing, append, lane } = setUp(world);
  append(event(1));
  lane.parts = [99];
  expect(outgoing.build(ROOM)).toBeUndefined();
  expect(outgoing.dueAt()).toBeGreaterThanOrEqual(FIRST_WAIT_MS);
});
