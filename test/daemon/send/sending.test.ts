import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { until, World } from "../world.ts";

test("a lost reply costs nothing: what was applied is not applied twice", async () => {
  await using world = await World.make();
  world.far.moods = ["lose reply", "lose reply"];
  const lane = world.lane("lost");
  lane.append({ op: "start", at: 1 });
  for (let at = 2; at < 50; at++) lane.append({ op: "event", at, name: "e" });
  lane.append({ op: "end", at: 50 });
  await world.daemon();
  await until(() => readdirSync(world.home.lanes)).toEqual([]);
  expect(world.far.session("lost").ops.map((op) => op.at)).toEqual(oneTo(50));
});

test("what was written offline arrives as one session, in order, with its true times", async () => {
  await using world = await World.make();
  await world.far.down();
  const lane = world.lane("offline");
  lane.append({ op: "start", at: 1 });
  await world.daemon();
  for (let at = 2; at < 30; at++) lane.append({ op: "event", at, name: "e" });
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(world.far.requests).toEqual([]);
  await world.far.up();
  lane.append({ op: "end", at: 30 });
  await until(() => readdirSync(world.home.lanes)).toEqual([]);
  expect(world.far.session("offline").ops.map((op) => op.at)).toEqual(oneTo(30));
});

test.each([500, 502, 503, 401, 403, 404])("after an answer %d it tries again", async (status) => {
  await using world = await World.make();
  world.far.moods = [{ status }, { status, body: "<html>" }];
  const lane = world.lane("s");
  lane.append({ op: "start", at: 1 });
  lane.append({ op: "end", at: 2 });
  await world.daemon();
  await until(() => readdirSync(world.home.lanes)).toEqual([]);
  expect(world.far.session("s").ops).toHaveLength(2);
});

test("Retry-After is honoured", async () => {
  await using world = await World.make();
  world.far.moods = [{ status: 429, headers: { "retry-after": "2" } }];
  const lane = world.lane("s");
  lane.append({ op: "start", at: 1 });
  const started = Date.now();
  await world.daemon();
  await until(() => world.far.requests.length).toBe(1);
  expect(Date.now() - started).toBeGreaterThanOrEqual(1_900);
});

test("a server that asks for it is spared", async () => {
  await using world = await World.make();
  world.far.slowDownMs = 1_500;
  const lane = world.lane("s");
  lane.append({ op: "start", at: 1 });
  await world.daemon();
  await until(() => world.far.requests.length).toBe(1);
  lane.append({ op: "end", at: 2 });
  await until(() => world.far.requests.length).toBe(2);
  const [first, second] = world.far.requests;
  expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(1_400);
});

test("a request that is too large is split until it fits", async () => {
  await using world = await World.make();
  const lane = world.lane("large");
  lane.append({ op: "start", at: 1 });
  for (let at = 2; at < 400; at++) {
    lane.append({ op: "event", at, name: "e", data: { text: randomText(1_000) } });
  }
  lane.append({ op: "end", at: 400 });
  world.far.maxBytes = 20_000;
  await world.daemon();
  await until(() => readdirSync(world.home.lanes)).toEqual([]);
  expect(world.far.session("large").ops.map((op) => op.at)).toEqual(oneTo(400));
  expect(world.far.requests.every(({ bytes }) => bytes <= 20_000)).toBe(true);
});

test("one op that the server will not have is parked and counted, and the rest goes on", async () => {
  await using world = await World.make();
  world.far.refuse = ({ ops }) =>
    ops.some((op) => op.op === "event" && op.name === "poison") ? "too_deep" : undefined;
  const lane = world.lane("poisoned");
  lane.append({ op: "start", at: 1 });
  for (let at = 2; at < 100; at++) {
    lane.append({ op: "event", at, name: at === 37 || at === 38 ? "poison" : "fine" });
  }
  lane.append({ op: "end", at: 100 });
  await world.daemon();
  await until(() => readdirSync(world.home.lanes)).toEqual([]);
  expect(world.far.session("poisoned").ops.map((op) => op.at)).toEqual(
    oneTo(100).filter((at) => at !== 37 && at !== 38),
  );
  expect(world.far.dropped("poisoned")).toEqual({ refused: 2 });
  const letters = readdirSync(world.home.rejected);
  expect(letters).toHaveLength(2);
  const letter: unknown = JSON.parse(
    readFileSync(join(world.home.rejected, letters[0] ?? ""), "utf8"),
  );
  expect(letter).toMatchObject({ session: "poisoned", seq: 37, op: { name: "poison" } });
});

test("a bad session does not hold up a good one", async () => {
  await using world = await World.make();
  world.far.refuse = ({ session }) => (session === "bad" ? "unavailable" : undefined);
  const bad = world.lane("bad");
  bad.append({ op: "start", at: 1 });
  const good = world.lane("good");
  good.append({ op: "start", at: 1 });
  await world.daemon();
  await until(() => world.far.ops("good", "start")).toHaveLength(1);
  good.append({ op: "end", at: 2 });
  await until(() => world.far.ops("good", "end")).toHaveLength(1);
});

test("a session that was deleted on the server is not sent again", async () => {
  await using world = await World.make();
  world.far.refuse = () => "gone";
  const lane = world.lane("deleted");
  lane.append({ op: "start", at: 1 });
  await world.daemon();
  await until(() => readdirSync(world.home.lanes)).toEqual([]);
  expect(readdirSync(world.home.rejected)).toEqual([]);
});

test("a server that forgot a lane gets it again", async () => {
  await using world = await World.make();
  const lane = world.lane("forgotten");
  lane.append({ op: "start", at: 1 });
  await world.daemon();
  await until(() => world.far.ops("forgotten", "start")).toHaveLength(1);
  world.far.sessions.clear();
  lane.append({ op: "end", at: 2 });
  await until(() => readdirSync(world.home.lanes)).toEqual([]);
  expect(world.far.session("forgotten").ops.map((op) => op.op)).toEqual(["start", "end"]);
});

test("calm data waits for company; while someone watches it comes at once", async () => {
  await using world = await World.make();
  const lane = world.lane("watched");
  lane.append({ op: "start", at: 1 });
  world.far.isWatched = true;
  await world.daemon();
  await until(() => world.far.requests.length).toBe(1);
  const started = Date.now();
  lane.append({ op: "event", at: 2, name: "e" });
  await until(() => world.far.ops("watched", "event")).toHaveLength(1);
  expect(Date.now() - started).toBeLessThan(4_000);

  world.far.isWatched = false;
  lane.append({ op: "event", at: 3, name: "e", exception_type: "Error" });
  await until(() => world.far.ops("watched", "event")).toHaveLength(2);
  const calm = Date.now();
  lane.append({ op: "event", at: 4, name: "e" });
  lane.append({ op: "event", at: 5, name: "e" });
  await until(() => world.far.ops("watched", "event")).toHaveLength(4);
  expect(Date.now() - calm).toBeGreaterThan(4_000);
});

test("several sessions travel in one request", async () => {
  await using world = await World.make();
  for (let i = 0; i < 30; i++) {
    const lane = world.lane(`s-${i}`);
    lane.append({ op: "start", at: 1 });
    lane.append({ op: "end", at: 2 });
  }
  await world.daemon();
  await until(() => readdirSync(world.home.lanes)).toEqual([]);
  expect(world.far.requests.length).toBeLessThanOrEqual(3);
});

test("each server gets its own key and no other's", async () => {
  await using world = await World.make();
  const lane = world.lane("s");
  lane.append({ op: "start", at: 1 });
  await world.daemon({ env: { ...world.env, DATACAT_KEY: "secret" } });
  await until(() => world.far.requests.length).toBe(1);
  expect(world.far.authorization).toContain("Bearer secret");
  const elsewhere = await World.make();
  await using _ = elsewhere;
  const other = world.lane("t", { server: elsewhere.far.url });
  other.append({ op: "start", at: 1 });
  await until(() => elsewhere.far.requests.length).toBe(1);
  expect(elsewhere.far.authorization).toEqual([undefined]);
});

test("a state that did not change is not sent; with two writers everything is", async () => {
  await using world = await World.make();
  const lane = world.lane("state");
  lane.append({ op: "start", at: 1 });
  for (let at = 2; at < 10; at++) lane.append({ op: "state", at, patch: { level: 1, at: at % 2 } });
  const daemon = await world.daemon();
  await daemon.flush(5_000);
  const patches = () => world.far.ops("state", "state").map((op) => op.patch);
  expect(patches().slice(0, 3)).toEqual([{ level: 1, at: 0 }, { at: 1 }, { at: 0 }]);
  const before = patches().length;

  const second = world.lane("state");
  second.append({ op: "state", at: 20, patch: { level: 1 } });
  lane.append({ op: "state", at: 21, patch: { level: 1 } });
  await daemon.flush(5_000);
  expect(patches().slice(before)).toEqual([{ level: 1 }, { level: 1 }]);
});

test("a process that joined a session does not end it", async () => {
  await using world = await World.make();
  const lane = world.lane("joined");
  lane.append({ op: "start", at: 1 });
  const worker = world.lane("joined");
  worker.append({ op: "event", at: 2, name: "worked" });
  worker.append({ op: "end", at: 3 });
  await world.daemon();
  await until(() => world.far.ops("joined", "event")).toHaveLength(1);
  expect(world.far.ops("joined", "end")).toEqual([]);
  lane.append({ op: "end", at: 4 });
  await until(() => world.far.ops("joined", "end")).toHaveLength(1);
});

function oneTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}

/** What gzip cannot make small. */
function randomText(length: number): string {
  return Array.from({ length }, () => Math.random().toString(36).slice(-1)).join("");
}
