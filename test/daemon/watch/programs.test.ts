import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import type { LaneWriter } from "../../../daemon/lanes/lane-file.ts";
import { readProcess } from "../../../daemon/watch/processes.ts";
import { until, World } from "../world.ts";

test("a killed program is recorded as crashed, after the last op that it wrote", async () => {
  await using world = await World.make();
  const { child, lane } = await program(world, "killed");
  await world.daemon();
  await until(() => world.server.ops("killed", "start")).toHaveLength(1);
  lane.append({ op: "event", at: Date.now(), name: "last" });
  child.kill("SIGKILL");
  await until(() => world.server.ops("killed", "crash")).toHaveLength(1);
  expect(world.server.session("killed").ops.map((op) => op.op)).toEqual([
    "start",
    "event",
    "crash",
  ]);
  // "killed" with the signal, if the daemon looks before this process has read the exit code.
  const { reason, signal } = world.server.ops("killed", "crash")[0] ?? {};
  expect(reason).toBe(signal === "SIGKILL" ? "killed" : "process_died");
  await until(() => readdirSync(world.home.lanes)).toEqual([]);
});

test("a program that ended its session and then exits did not crash", async () => {
  await using world = await World.make();
  const { child, lane } = await program(world, "ended");
  await world.daemon();
  lane.append({ op: "end", at: Date.now(), exit_code: 0 });
  child.kill("SIGKILL");
  await until(() => readdirSync(world.home.lanes)).toEqual([]);
  expect(world.server.ops("ended", "crash")).toEqual([]);
});

test("a program that crashed while no daemon ran is found, with the time of its last record", async () => {
  await using world = await World.make();
  const { child, lane } = await program(world, "orphan");
  const at = Date.now();
  lane.append({ op: "event", at, name: "e", exception_type: "ValueError", handled: false });
  child.kill("SIGKILL");
  await once(child, "exit");
  await world.daemon();
  await until(() => world.server.ops("orphan", "crash")).toHaveLength(1);
  expect(world.server.ops("orphan", "crash")[0]).toMatchObject({
    at,
    reason: "uncaught_exception",
  });
});

test("a daemon that is started again does not record a crash twice", async () => {
  await using world = await World.make();
  const { child } = await program(world, "once");
  world.server.refuse = ({ ops }) =>
    ops.some((op) => op.op === "start") ? "unavailable" : undefined;
  const first = await world.daemon();
  // Seen alive: the server was contacted, and a check of processes is due within WATCH_MS.
  await until(() => world.server.refused).toBeGreaterThan(0);
  child.kill("SIGKILL");
  await until(() => world.server.ops("once", "crash")).toHaveLength(1);
  await first.stop();
  world.server.refuse = () => undefined;
  await world.daemon();
  await until(() => readdirSync(world.home.lanes)).toEqual([]);
  expect(world.server.ops("once", "crash")).toHaveLength(1);
  expect(world.server.ops("once", "start")).toHaveLength(1);
});

test("a stopped program is hung, with its process state, and recovers with the duration", async () => {
  await using world = await World.make();
  const { child, lane } = await program(world, "hung");
  await world.daemon();
  const at = Date.now();
  lane.append({ op: "heartbeat", at, timeout_ms: 100 });
  child.kill("SIGSTOP");
  await until(() => world.server.ops("hung", "hang")).toHaveLength(1);
  expect(world.server.ops("hung", "hang")[0]).toMatchObject({
    last_heartbeat_at: at,
    process_state: "stopped",
  });
  child.kill("SIGCONT");
  const back = Date.now();
  lane.append({ op: "heartbeat", at: back, timeout_ms: 60_000 });
  await until(() => world.server.ops("hung", "recovered")).toHaveLength(1);
  expect(world.server.ops("hung", "recovered")[0]).toMatchObject({ duration_ms: back - at });
  expect(world.server.ops("hung", "crash")).toEqual([]);
  child.kill("SIGKILL");
});

test("a busy loop is distinguished from a wait", async () => {
  await using world = await World.make();
  const { child, lane } = await program(world, "spinning", ["sh", "-c", "while :; do :; done"]);
  await world.daemon();
  lane.append({ op: "heartbeat", at: Date.now(), timeout_ms: 2_000 });
  await until(() => world.server.ops("spinning", "hang")).toHaveLength(1);
  child.kill("SIGKILL");
  expect(world.server.ops("spinning", "hang")[0]?.process_state).toBe("spinning");
});

test("a worker process that is killed does not crash the session that it joined", async () => {
  await using world = await World.make();
  const main = await program(world, "workers");
  const worker = await program(world, "workers", undefined, false);
  worker.lane.append({ op: "event", at: Date.now(), name: "working" });
  await world.daemon();
  await until(() => world.server.ops("workers", "event")).toHaveLength(1);
  worker.child.kill("SIGKILL");
  await until(() => readdirSync(world.home.lanes)).toHaveLength(1);
  expect(world.server.ops("workers", "crash")).toEqual([]);
  main.child.kill("SIGKILL");
  await until(() => world.server.ops("workers", "crash")).toHaveLength(1);
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
