import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ManualClock, until, World } from "../world.ts";

test("a lost answer costs nothing: what was applied is not applied twice", async () => {
  await using world = await World.make();
  world.server.next = ["lose reply", "lose reply"];
  const lane = world.lane("lost");
  lane.append({ op: "start", at: 1 });
  for (let at = 2; at < 50; at++) lane.append({ op: "event", at, name: "e" });
  lane.append({ op: "end", at: 50 });
  await world.daemon();
  await until(() => readdirSync(world.home.lanes)).toEqual([]);
  expect(world.server.session("lost").ops.map((op) => op.at)).toEqual(oneTo(50));
});

test("what was written offline arrives as one session, in order, with its true times", async () => {
  await using world = await World.make();
  await world.server.down();
  const lane = world.lane("offline");
  lane.append({ op: "start", at: 1 });
  await world.daemon();
  for (let at = 2; at < 30; at++) lane.append({ op: "event", at, name: "e" });
  await until(() => readFileSync(world.home.log, "utf8")).toMatch(/sending to .* failed/);
  // Unsent records stay on disk, whatever failed.
  expect(readFileSync(lane.path, "utf8").match(/"op":"event"/g)).toHaveLength(28);
  await world.server.up();
  lane.append({ op: "end", at: 30 });
  await until(() => readdirSync(world.home.lanes)).toEqual([]);
  expect(world.server.session("offline").ops.map((op) => op.at)).toEqual(oneTo(30));
  expect(readFileSync(world.home.log, "utf8")).toMatch(/sending to .* works again/);
});

test.each([500, 502, 503, 401, 403, 404])("after an answer %d it tries again", async (status) => {
  await using world = await World.make();
  world.server.next = [{ status }, { status, body: "<html>" }];
  const lane = world.lane("s");
  lane.append({ op: "start", at: 1 });
  lane.append({ op: "end", at: 2 });
  await world.daemon();
  await until(() => readdirSync(world.home.lanes)).toEqual([]);
  expect(world.server.session("s").ops).toHaveLength(2);
});

test("Retry-After is followed, also by a flush", async () => {
  await using world = await World.make();
  const clock = new ManualClock();
  world.server.next = [{ status: 429, headers: { "retry-after": "600" } }];
  world.lane("s").append({ op: "start", at: 1 });
  const daemon = await world.daemon({ clock });
  await until(() => world.server.authorization).toHaveLength(1);
  clock.advance(599_000);
  expect(await daemon.flush(300)).toBe(false);
  expect(world.server.requests).toEqual([]);
  clock.advance(1_000);
  await until(() => world.server.requests).toHaveLength(1);
});

test("over a budget of new sessions only they wait, and the status gives the reason", async () => {
  await using world = await World.make();
  const clock = new ManualClock();
  const known = world.lane("known");
  known.append({ op: "start", at: 1 });
  const daemon = await world.daemon({ clock });
  await until(() => world.server.session("known").ops).toHaveLength(1);

  const statusNow = async () => {
    const { token } = JSON.parse(readFileSync(world.home.info, "utf8")) as { token: string };
    const headers = { authorization: `Bearer ${token}` };
    return (await fetch(`http://127.0.0.1:${daemon.port}/status`, { headers })).json();
  };
  const message = "The budget of this API key, 5 new sessions a day, is used up.";
  const error = { code: "too_many_requests", message, budget: "sessions_per_day" };
  const body = JSON.stringify({ error });
  world.server.next = [{ status: 429, body, headers: { "retry-after": "300" } }];
  world.lane("new").append({ op: "start", at: 1 });
  expect(await daemon.flush(300)).toBe(false);
  expect(await statusNow()).toMatchObject({ reachable: true, waiting: { message } });
  known.append({ op: "end", at: 2 });
  await until(() => world.server.session("known").ops).toHaveLength(2);
  expect(world.server.session("new").ops).toEqual([]);
  clock.advance(300_000);
  await until(() => world.server.session("new").ops).toHaveLength(1);
  expect(await statusNow()).toMatchObject({ waiting: null });
});

test("a server that asks for a slower pace gets it", async () => {
  await using world = await World.make();
  const clock = new ManualClock();
  world.server.slowDownMs = 600_000;
  const lane = world.lane("s");
  lane.append({ op: "start", at: 1 });
  const daemon = await world.daemon({ clock });
  await until(() => world.server.requests).toHaveLength(1);
  lane.append({ op: "end", at: 2 });
  clock.advance(599_000);
  expect(await daemon.flush(300)).toBe(false);
  expect(world.server.requests).toHaveLength(1);
  clock.advance(1_000);
  await until(() => world.server.requests).toHaveLength(2);
});

test("a request that is too large is split until it fits", async () => {
  await using world = await World.make();
  const lane = world.lane("large");
  lane.append({ op: "start", at: 1 });
  for (let at = 2; at < 400; at++) {
    lane.append({ op: "event", at, name: "e", data: { text: randomText(1_000) } });
  }
  lane.append({ op: "end", at: 400 });
  world.server.maxBytes = 20_000;
  await world.daemon();
  await until(() => readdirSync(world.home.lanes)).toEqual([]);
  expect(world.server.session("large").ops.map((op) => op.at)).toEqual(oneTo(400));
  expect(world.server.requests.every(({ bytes }) => bytes <= 20_000)).toBe(true);
});

test("an op that the server refuses is kept as a file and counted, and the rest is sent", async () => {
  await using world = await World.make();
  world.server.refuse = ({ ops }) =>
    ops.some((op) => op.op === "event" && op.name === "refused") ? "too_deep" : undefined;
  const lane = world.lane("refuseded");
  lane.append({ op: "start", at: 1 });
  for (let at = 2; at < 100; at++) {
    lane.append({ op: "event", at, name: at === 37 || at === 38 ? "refused" : "fine" });
  }
  lane.append({ op: "end", at: 100 });
  await world.daemon();
  await until(() => readdirSync(world.home.lanes)).toEqual([]);
  expect(world.server.session("refuseded").ops.map((op) => op.at)).toEqual(
    oneTo(100).filter((at) => at !== 37 && at !== 38),
  );
  expect(world.server.dropped("refuseded")).toEqual({ refused: 2 });
  const files = readdirSync(world.home.rejected);
  expect(files).toHaveLength(2);
  const file: unknown = JSON.parse(readFileSync(join(world.home.rejected, files[0] ?? ""), "utf8"));
  expect(file).toMatchObject({ session: "refuseded", seq: 37, op: { name: "refused" } });
});

test("a refused session does not delay another one", async () => {
  await using world = await World.make();
  world.server.refuse = ({ session }) => (session === "bad" ? "unavailable" : undefined);
  const bad = world.lane("bad");
  bad.append({ op: "start", at: 1 });
  const good = world.lane("good");
  good.append({ op: "start", at: 1 });
  await world.daemon();
  await until(() => world.server.ops("good", "start")).toHaveLength(1);
  good.append({ op: "end", at: 2 });
  await until(() => world.server.ops("good", "end")).toHaveLength(1);
});

test("a session that was deleted on the server is not sent again", async () => {
  await using world = await World.make();
  world.server.refuse = () => "gone";
  const lane = world.lane("deleted");
  lane.append({ op: "start", at: 1 });
  await world.daemon();
  await until(() => readdirSync(world.home.lanes)).toEqual([]);
  expect(readdirSync(world.home.rejected)).toEqual([]);
});

test("a server that has lost a lane gets it again", async () => {
  await using world = await World.make();
  const lane = world.lane("forgotten");
  lane.append({ op: "start", at: 1 });
  await world.daemon();
  await until(() => world.server.ops("forgotten", "start")).toHaveLength(1);
  world.server.sessions.clear();
  lane.append({ op: "end", at: 2 });
  await until(() => readdirSync(world.home.lanes)).toEqual([]);
  expect(world.server.session("forgotten").ops.map((op) => op.op)).toEqual(["start", "end"]);
});

test("ops wait for others; while a session's page is open they wait half a second", async () => {
  await using world = await World.make();
  const clock = new ManualClock();
  world.server.isWatched = true;
  const [watched, other] = [world.lane("watched"), world.lane("other")];
  watched.append({ op: "start", at: 1 });
  await world.daemon({ clock });
  await until(() => world.server.ops("watched", "start")).toHaveLength(1);
  watched.append({ op: "event", at: 2, name: "e" });
  clock.advance(400);
  await sentAnother();
  // Due within half a batch's time, so it travels with the urgent op of another session.
  await until(() => world.server.ops("watched", "event")).toHaveLength(1);

  world.server.isWatched = false;
  watched.append({ op: "event", at: 3, name: "e", exception_type: "Error" });
  await until(() => world.server.ops("watched", "event")).toHaveLength(2);
  watched.append({ op: "event", at: 4, name: "e" });
  clock.advance(500);
  await sentAnother();
  expect(world.server.ops("watched", "event")).toHaveLength(2);
  clock.advance(4_500);
  await until(() => world.server.ops("watched", "event")).toHaveLength(3);

  /** A request that the op of another lane causes: the daemon has then read the watched lane, too. */
  async function sentAnother(): Promise<void> {
    const before = world.server.ops("other", "event").length;
    other.append({ op: "event", at: 9, name: "e", exception_type: "Error" });
    await until(() => world.server.ops("other", "event")).toHaveLength(before + 1);
  }
});

test("one request carries several sessions", async () => {
  await using world = await World.make();
  for (let i = 0; i < 30; i++) {
    const lane = world.lane(`s-${i}`);
    lane.append({ op: "start", at: 1 });
    lane.append({ op: "end", at: 2 });
  }
  await world.daemon();
  await until(() => readdirSync(world.home.lanes)).toEqual([]);
  expect(world.server.requests.length).toBeLessThanOrEqual(3);
});

test("each server gets its own key and no other's", async () => {
  await using world = await World.make();
  const lane = world.lane("s");
  lane.append({ op: "start", at: 1 });
  await world.daemon({ env: { ...world.env, DATACAT_KEY: "secret" } });
  await until(() => world.server.requests.length).toBe(1);
  expect(world.server.authorization).toContain("Bearer secret");
  const elsewhere = await World.make();
  await using _ = elsewhere;
  const other = world.lane("t", { server: elsewhere.server.url });
  other.append({ op: "start", at: 1 });
  await until(() => elsewhere.server.requests.length).toBe(1);
  expect(elsewhere.server.authorization).toEqual([undefined]);
});

test("a state that did not change is not sent; with two writers everything is", async () => {
  await using world = await World.make();
  const lane = world.lane("state");
  lane.append({ op: "start", at: 1 });
  for (let at = 2; at < 10; at++) lane.append({ op: "state", at, patch: { level: 1, at: at % 2 } });
  const daemon = await world.daemon();
  await daemon.flush(5_000);
  const patches = () => world.server.ops("state", "state").map((op) => op.patch);
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
  await until(() => world.server.ops("joined", "event")).toHaveLength(1);
  expect(world.server.ops("joined", "end")).toEqual([]);
  lane.append({ op: "end", at: 4 });
  await until(() => world.server.ops("joined", "end")).toHaveLength(1);
});

function oneTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}

/** What gzip cannot make small. */
function randomText(length: number): string {
  return Array.from({ length }, () => Math.random().toString(36).slice(-1)).join("");
}
