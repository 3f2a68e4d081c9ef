import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import type { Clock } from "../../../daemon/clock.ts";
import type { LaneWriter } from "../../../daemon/lanes/lane-file.ts";
import { writerState } from "../../../daemon/watch/monitor.ts";
import { readProcess } from "../../../daemon/watch/processes.ts";
import { until, World } from "../world.ts";

test("a program that is killed is reported dead, with the last thing it wrote", async () => {
  await using world = await World.make();
  const { child, lane } = await program(world, "killed");
  await world.daemon();
  await until(() => world.far.ops("killed", "start")).toHaveLength(1);
  lane.append({ op: "event", at: Date.now(), name: "last words" });
  child.kill("SIGKILL");
  await until(() => world.far.ops("killed", "crash")).toHaveLength(1);
  expect(world.far.session("killed").ops.map((op) => op.op)).toEqual(["start", "event", "crash"]);
  expect(world.far.ops("killed", "crash")[0]).toMatchObject({ reason: "process_died" });
  await until(() => readdirSync(world.home.lanes)).toEqual([]);
});

test("a program that ended its session and then exits did not crash", async () => {
  await using world = await World.make();
  const { child, lane } = await program(world, "ended");
  await world.daemon();
  lane.append({ op: "end", at: Date.now(), exit_code: 0 });
  child.kill("SIGKILL");
  await until(() => readdirSync(world.home.lanes)).toEqual([]);
  expect(world.far.ops("ended", "crash")).toEqual([]);
});

test("a program that died while no daemon ran is found dead, at the time of its last record", async () => {
  await using world = await World.make();
  const { child, lane } = await program(world, "orphan");
  const at = Date.now();
  lane.append({ op: "event", at, name: "e", exception_type: "ValueError", handled: false });
  child.kill("SIGKILL");
  await once(child, "exit");
  await new Promise((resolve) => setTimeout(resolve, 50));
  await world.daemon();
  await until(() => world.far.ops("orphan", "crash")).toHaveLength(1);
  expect(world.far.ops("orphan", "crash")[0]).toMatchObject({ at, reason: "uncaught_exception" });
});

test("a daemon that is started again does not report a death twice", async () => {
  await using world = await World.make();
  const { child } = await program(world, "once");
  world.far.refuse = ({ ops }) => (ops.some((op) => op.op === "start") ? "unavailable" : undefined);
  const first = await world.daemon();
  await new Promise((resolve) => setTimeout(resolve, 600));
  child.kill("SIGKILL");
  await until(() => world.far.ops("once", "crash")).toHaveLength(1);
  await first.stop();
  world.far.refuse = () => undefined;
  await world.daemon();
  await until(() => readdirSync(world.home.lanes)).toEqual([]);
  expect(world.far.ops("once", "crash")).toHaveLength(1);
  expect(world.far.ops("once", "start")).toHaveLength(1);
});

test("a program that stops beating is hung, says why, and recovers with the duration", async () => {
  await using world = await World.make();
  const { child, lane } = await program(world, "hung");
  await world.daemon();
  const at = Date.now();
  lane.append({ op: "heartbeat", at, timeout_ms: 100 });
  child.kill("SIGSTOP");
  await until(() => world.far.ops("hung", "hang")).toHaveLength(1);
  expect(world.far.ops("hung", "hang")[0]).toMatchObject({
    last_heartbeat_at: at,
    process_state: "stopped",
  });
  child.kill("SIGCONT");
  const back = Date.now();
  lane.append({ op: "heartbeat", at: back, timeout_ms: 60_000 });
  await until(() => world.far.ops("hung", "recovered")).toHaveLength(1);
  expect(world.far.ops("hung", "recovered")[0]).toMatchObject({ duration_ms: back - at });
  expect(world.far.ops("hung", "crash")).toEqual([]);
  child.kill("SIGKILL");
});

test("a busy loop is told from a wait", async () => {
  await using world = await World.make();
  const { child, lane } = await program(world, "spinning", ["sh", "-c", "while :; do :; done"]);
  await world.daemon();
  lane.append({ op: "heartbeat", at: Date.now(), timeout_ms: 2_000 });
  await until(() => world.far.ops("spinning", "hang")).toHaveLength(1);
  child.kill("SIGKILL");
  expect(world.far.ops("spinning", "hang")[0]?.process_state).toBe("spinning");
});

test("a program that never beat, or paused, is never hung", async () => {
  await using world = await World.make();
  const silent = await program(world, "silent");
  const paused = await program(world, "paused");
  await world.daemon();
  paused.lane.append({ op: "heartbeat", at: Date.now(), timeout_ms: 50 });
  paused.lane.append({ op: "pause", at: Date.now() });
  await new Promise((resolve) => setTimeout(resolve, 3_500));
  expect(world.far.ops("silent", "hang")).toEqual([]);
  expect(world.far.ops("paused", "hang")).toEqual([]);
  silent.child.kill("SIGKILL");
  paused.child.kill("SIGKILL");
});

test("a machine that slept makes neither hang nor crash, but is told", async () => {
  await using world = await World.make();
  const { child, lane } = await program(world, "slept");
  let asleep = 0;
  const clock: Clock = {
    now: () => Date.now() + asleep,
    monotonic: () => performance.now(),
    uptime: () => performance.now() + asleep,
  };
  await world.daemon({ clock });
  lane.append({ op: "heartbeat", at: Date.now(), timeout_ms: 4_000 });
  await until(() => world.far.ops("slept", "heartbeat")).toHaveLength(1);
  asleep = 3_600_000;
  await until(() => world.far.ops("slept", "slept")).toHaveLength(1);
  const told = world.far.ops("slept", "slept")[0]?.duration_ms ?? 0;
  expect(Math.abs(told - 3_600_000)).toBeLessThan(5_000);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(world.far.ops("slept", "hang")).toEqual([]);
  expect(world.far.ops("slept", "crash")).toEqual([]);
  child.kill("SIGKILL");
});

test("a clock that is set, forwards or back, makes neither sleep nor hang", async () => {
  await using world = await World.make();
  const { child, lane } = await program(world, "set");
  let wrong = 0;
  const clock: Clock = {
    now: () => Date.now() + wrong,
    monotonic: () => performance.now(),
    uptime: () => performance.now(),
  };
  await world.daemon({ clock });
  lane.append({ op: "heartbeat", at: Date.now(), timeout_ms: 60_000 });
  await until(() => world.far.ops("set", "heartbeat")).toHaveLength(1);
  for (wrong of [86_400_000, -86_400_000]) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  lane.append({ op: "event", at: 1, name: "e", exception_type: "E" });
  await until(() => world.far.ops("set", "event")).toHaveLength(1);
  expect(world.far.session("set").ops.map((op) => op.op)).toEqual(["start", "heartbeat", "event"]);
  child.kill("SIGKILL");
});

test("a worker process that is killed does not crash the session that it joined", async () => {
  await using world = await World.make();
  const main = await program(world, "workers");
  const worker = await program(world, "workers", undefined, false);
  worker.lane.append({ op: "event", at: Date.now(), name: "working" });
  await world.daemon();
  await until(() => world.far.ops("workers", "event")).toHaveLength(1);
  worker.child.kill("SIGKILL");
  await until(() => readdirSync(world.home.lanes)).toHaveLength(1);
  expect(world.far.ops("workers", "crash")).toEqual([]);
  main.child.kill("SIGKILL");
  await until(() => world.far.ops("workers", "crash")).toHaveLength(1);
});

test("what became of a writer is judged only where its pid means something", () => {
  const machine = { machine_id: "", hostname: "here", os: "", boot_id: "boot-2" };
  const dead = () => false;
  const alive = () => true;
  const writer = { pid: 7, hostname: "here", boot_id: "boot-2" };
  expect(writerState(writer, "1", machine, dead)).toBe("dead");
  expect(writerState(writer, "1", machine, alive)).toBe("alive");
  expect(writerState({ ...writer, boot_id: "boot-1" }, "1", machine, alive)).toBe("rebooted");
  // Another container that shares the folder: its pids are not ours.
  expect(writerState({ ...writer, hostname: "there" }, "1", machine, dead)).toBe("unknown");
  expect(writerState({ ...writer, hostname: "there", boot_id: "x" }, "1", machine, dead)).toBe(
    "unknown",
  );
  expect(writerState({ hostname: "here" }, undefined, machine, dead)).toBe("unknown");
});

/** A real process with a lane in its name: what the client inside it would do. */
async function program(
  world: World,
  session: string,
  command = ["sleep", "600"],
  isOpener = true,
): Promise<{ child: ChildProcess; lane: LaneWriter }> {
  const [name = "", ...args] = command;
  const child = spawn(name, args);
  await once(child, "spawn");
  const pid = child.pid ?? 0;
  const started = readProcess(pid)?.started;
  const lane = world.lane(session, {
    writer: { pid, ...(started !== undefined && { pid_started: started }) },
  });
  if (isOpener) lane.append({ op: "start", at: Date.now() });
  return { child, lane };
}
