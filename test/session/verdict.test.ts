import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { SERVER } from "../../src/core/access/authority.ts";
import { describe, expect, test } from "vitest";
import type { Op } from "../../src/core/wire.ts";
import { heartbeat, event, start, state, World } from "./world.ts";

const status = async (world: World) => (await world.client.ask("summary")).verdict.status;
/** Alarms are real and ring by themselves; this waits for what they bring about. */
const catalogued = (world: World, row: object) =>
  expect.poll(() => world.catalogued(), { timeout: 10_000 }).toMatchObject(row);
const LEASE = 400;
const silence = () => scheduler.wait(LEASE + 50);

describe("a session that falls silent", () => {
  test("is suspended once its lease is over, by its alarm, and the catalog knows", async () => {
    const world = new World();
    await world.send([start(Date.now())], { lease_ms: LEASE });
    expect(await status(world)).toBe("active");
    await catalogued(world, { status: "suspended", is_open: 1 });
    expect(await status(world)).toBe("suspended");
    const { transitions } = await world.client.ask("summary");
    expect(transitions.map((transition) => transition.status)).toEqual(["active", "suspended"]);
  });

  test("is active again with its next batch, and that is published at once", async () => {
    const world = new World();
    await world.send([start(Date.now())], { lease_ms: 1 });
    await catalogued(world, { status: "suspended" });
    await world.send([heartbeat(Date.now())], { lease_ms: 60_000 });
    expect(await status(world)).toBe("active");
    await catalogued(world, { status: "active" });
    expect((await world.client.ask("summary")).transitions.map((one) => one.status)).toEqual([
      "active",
      "suspended",
      "active",
    ]);
  });

  test("that has ended or crashed needs no alarm any more", async () => {
    for (const last of [
      { op: "end", at: Date.now() },
      { op: "crash", at: Date.now() },
    ] satisfies Op[]) {
      const world = new World();
      await world.send([start(Date.now()), last], { lease_ms: LEASE });
      await catalogued(world, { is_open: 0 });
      await expect.poll(() => world.alarmAt()).toBeNull();
      await silence();
      expect(await status(world)).toBe(last.op === "end" ? "ended" : "crashed");
    }
  });
});

describe("the alarm", () => {
  test("run twice changes nothing", async () => {
    const world = new World();
    await world.send([start(Date.now()), state(Date.now(), { a: 1 })], { lease_ms: LEASE });
    await catalogued(world, { status: "suspended" });
    const before = [await world.everything(), await world.catalogued()];
    for (let i = 0; i < 3; i++) {
      await runInDurableObject(world.stub, (session) => session.alarm());
      if (i === 1) await world.evict();
    }
    expect([await world.everything(), await world.catalogued()]).toEqual(before);
  });

  test("after a rest that a question ended does what was due before", async () => {
    for (let i = 0; i < 5; i++) {
      const world = new World();
      await world.send([start(Date.now())], { lease_ms: 60_000 });
      await world.evict();
      await world.client.ask("summary");
      await catalogued(world, { status: "active" });
    }
  });

  test("on waking up without memory does what was due before", async () => {
    const world = new World();
    await world.send([start(Date.now())], { lease_ms: LEASE });
    await world.evict();
    await catalogued(world, { status: "suspended" });
  });

  test("is armed once per lease, not once per heartbeat", async () => {
    const world = new World();
    await world.send([start(Date.now())], { lease_ms: 60_000 });
    await catalogued(world, { status: "active" });
    const armed = await runInDurableObject(world.stub, async (session, { storage }) => {
      let times = 0;
      const setAlarm = storage.setAlarm.bind(storage);
      Object.defineProperty(storage, "setAlarm", {
        configurable: true,
        value: (at: number) => {
          times++;
          return setAlarm(at);
        },
      });
      for (let i = 0; i < 100; i++)
        world.note(
          JSON.parse(
            await session.ingest(
              SERVER,
              JSON.stringify({
                batches: [world.batch([heartbeat(Date.now() + i)], { lease_ms: 60_000 })],
              }),
            ),
          ),
        );
      Reflect.deleteProperty(storage, "setAlarm");
      return times;
    });
    expect(armed).toBeLessThanOrEqual(1); // the publication of the heartbeats, in 30 s
    const due = (await world.alarmAt()) ?? 0;
    expect(due).toBeGreaterThan(Date.now());
    expect(due).toBeLessThanOrEqual(Date.now() + 60_001);
  });

  test("finds out by itself that it came too early, and is set for the new end", async () => {
    const world = new World();
    await world.send([start(Date.now())], { lease_ms: 20_000 });
    await catalogued(world, { status: "active" });
    await expect.poll(() => world.alarmAt()).toBeGreaterThan(Date.now());
    const first = (await world.alarmAt()) ?? 0;
    await world.send([], { lease_ms: 60_000 });
    expect(await world.alarmAt()).toBe(first); // left alone: setting it costs a row
    await world.ring();
    expect(await status(world)).toBe("active");
    expect(await world.alarmAt()).toBeGreaterThan(first + 30_000);
  });

  test("is never set after the last date, whatever the lease", async () => {
    const world = new World();
    expect(await world.send([start(Date.now())], { lease_ms: 1e300 })).not.toHaveProperty("error");
    await catalogued(world, { status: "active" });
    await expect.poll(() => world.alarmAt()).toBeGreaterThan(Date.now());
    expect(await world.alarmAt()).toBeLessThan(Date.now() + 86_500_000);
    const other = new World();
    expect(await other.send([start(Date.now())], { lease_ms: 10.5 })).not.toHaveProperty("error");
  });
});

describe("verdicts", () => {
  test("survive the object: hung, recovered, crashed, revived", async () => {
    const world = new World();
    const now = Date.now() - 600_000;
    const steps: [Op, string][] = [
      [start(now), "active"],
      [heartbeat(now), "active"],
      [{ op: "hang", at: now + 70_000, process_state: "blocked" }, "hung"],
      [{ op: "recovered", at: now + 80_000, duration_ms: 80_000 }, "active"],
      [{ op: "crash", at: now + 90_000, signal: "SIGKILL" }, "crashed"],
      [event(now + 60_000, "late, of before"), "crashed"],
      [event(now + 100_000, "alive after all"), "active"],
      [{ op: "end", at: now + 110_000, exit_code: 0 }, "ended"],
    ];
    for (const [op, expected] of steps) {
      await world.send([op], { lease_ms: 60_000 });
      await world.evict();
      expect([op.op, await status(world)]).toEqual([op.op, expected]);
    }
    expect(await world.client.ask("summary")).toMatchObject({
      ever_hung: true,
      exit_code: 0,
      ended_at: now + 110_000,
    });
    await catalogued(world, { status: "ended", ever_hung: 1, exit_code: 0 });
  });

  test("are published at once when people wait for them", async () => {
    for (const op of [
      { op: "hang", at: Date.now() },
      { op: "end", at: Date.now() },
      { op: "crash", at: Date.now() },
      event(Date.now(), "x", { exception_type: "New" }),
    ] satisfies Op[]) {
      const world = new World();
      await world.send([start(Date.now())]);
      await catalogued(world, { status: "active" });
      await world.send([op]);
      await catalogued(world, { revision: 2 }); // well within the 30 s that other changes may take
    }
  });

  test("of a hang that came and went within one batch are among the transitions", async () => {
    const world = new World();
    const now = Date.now() - 600_000;
    await world.send([
      start(now),
      heartbeat(now + 1_000),
      { op: "hang", at: now + 70_000, last_heartbeat_at: now + 1_000 },
      heartbeat(now + 75_000),
      event(now + 76_000, "later"),
      { op: "end", at: now + 77_000, exit_code: 0 },
    ]);
    const { transitions } = await world.client.ask("summary");
    expect(transitions.map(({ status }) => status)).toEqual(["active", "hung", "active", "ended"]);
  });

  test("of 1.x: a request to a crashed session is kept, but does not bring it back", async () => {
    const world = new World();
    const now = Date.now() - 60_000;
    await world.client.record([start(now)]);
    await world.client.record([{ op: "crash", at: now, reason: "parent_process_terminated" }]);
    await world.client.record([event(now + 30_000, "later"), heartbeat(now + 31_000)]);
    expect(await world.client.ask("summary")).toMatchObject({
      verdict: { status: "crashed" },
      counts: { events: 2, heartbeats: 1 },
    });
  });
});

describe("a machine that was restarted", () => {
  const machine = (boot: string) => ({
    machine_id: "machine-r",
    boot_id: boot,
    hostname: "workshop",
  });
  async function gone(product: string, boot: string): Promise<World> {
    const world = new World();
    await world.send([{ op: "start", at: Date.now(), product }, state(Date.now(), { a: 1 })], {
      lease_ms: 1,
      writer: machine(boot),
    });
    await catalogued(world, { status: "suspended" });
    return world;
  }

  test("means a crash of the silent sessions of the same product that ran before, and of no others", async () => {
    const product = `game-${crypto.randomUUID()}`;
    const silent = await gone(product, "boot-1");
    const other = await gone(`${product}-other`, "boot-1");
    const same = await gone(product, "boot-2");
    const returned = new World();
    await returned.send([{ op: "start", at: Date.now(), product }], {
      lease_ms: 60_000,
      writer: machine("boot-2"),
    });
    await catalogued(silent, { status: "crashed" });
    expect((await silent.client.ask("summary")).verdict).toMatchObject({
      status: "crashed",
      headline: "Crashed: the machine restarted",
    });
    expect(await status(other)).toBe("suspended");
    expect(await status(same)).toBe("suspended");
    expect(await status(returned)).toBe("active");
    // It had not crashed: its daemon comes back with the rest.
    await silent.send([event(Date.now() + 5_000, "hello again")], { lease_ms: 60_000 });
    expect((await silent.client.ask("summary")).counts.events).toBe(2);
  });

  test("changes nothing of a session that still reports, or whose boot is not known", async () => {
    const reporting = new World();
    await reporting.send([start(Date.now())], { lease_ms: 60_000, writer: machine("boot-1") });
    const unknown = new World();
    await unknown.send([start(Date.now())], { lease_ms: 1 });
    await scheduler.wait(5);
    for (const world of [reporting, unknown, new World()])
      await env.SESSIONS.getByName(world.id).machineRestarted({
        bootId: "boot-9",
        machineId: "m-1",
        product: "game",
        at: Date.now(),
      });
    expect(await status(reporting)).toBe("active");
    expect(await status(unknown)).toBe("suspended");

    const product = `game-${crypto.randomUUID()}`;
    const silent = await gone(product, "boot-1");
    const boot = { bootId: "boot-9", machineId: "machine-r", product, at: Date.now() };
    const before = { at: Date.now() - 60_000 };
    for (const other of [
      { product: "other" },
      { machineId: "other" },
      { bootId: "boot-1" },
      before,
    ])
      await silent.stub.machineRestarted({ ...boot, ...other });
    expect(await status(silent)).toBe("suspended");
    await silent.stub.machineRestarted(boot);
    expect(await status(silent)).toBe("crashed");
  });
});
