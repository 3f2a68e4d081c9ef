/** The monitor with a clock and processes of the test's own: no waiting, no real process. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { execPath, kill, pid, platform } from "node:process";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Clock } from "../../../daemon/clock.ts";
import { readLane } from "../../../daemon/lanes/lane-file.ts";
import { Lanes } from "../../../daemon/lanes/lanes.ts";
import { Tail } from "../../../daemon/lanes/tail.ts";
import { ABANDONED_MS, FORKED_FATAL_MS, WATCH_MS } from "../../../daemon/limits.ts";
import { Log } from "../../../daemon/log.ts";
import { DiskWatch } from "../../../daemon/watch/disk.ts";
import { thisMachine } from "../../../daemon/watch/machine.ts";
import { Monitor, writerState } from "../../../daemon/watch/monitor.ts";
import { Observations } from "../../../daemon/watch/observations.ts";
import { readProcess } from "../../../daemon/watch/processes.ts";
import type { ProcessInfo } from "../../../daemon/watch/process-info.ts";
import { heartbeatLimitMs } from "../../../src/core/status/heartbeat.ts";
import { DAEMON_LEASE_MS } from "../../../src/core/limits.ts";
import type { Op } from "../../../src/core/wire.ts";
import { World } from "../world.ts";

const START = 1_790_000_000_000;
const PID = 4_000_000; // above Linux's largest, so no real process has it

class Watched {
  readonly world: World;
  /** Milliseconds since the start, by each clock. */
  readonly time = { now: 0, monotonic: 0, uptime: 0 };
  readonly processes = new Map<number, ProcessInfo>();
  readonly closed: string[] = [];
  resumed = 0;
  isDiskFull = false;
  monitor!: Monitor;
  lanes!: Lanes;
  #tail!: Tail;
  #observations!: Observations;

  constructor(world: World) {
    this.world = world;
    this.restart();
  }

  /** A new daemon for the same home. */
  restart(): void {
    const { home } = this.world;
    const clock: Clock = {
      now: () => START + this.time.now,
      monotonic: () => this.time.monotonic,
      uptime: () => this.time.uptime,
    };
    const log = new Log(home.log);
    const machine = thisMachine();
    const lanes = new Lanes(home, log, new Map());
    this.#observations?.closeAll();
    this.#observations = new Observations({ folder: home.lanes, lanes, clock, machine });
    this.#tail = new Tail({
      lanes,
      monotonic: () => clock.monotonic(),
      grew: (lane, growth) => this.monitor.note(lane, growth),
    });
    this.lanes = lanes;
    this.monitor = new Monitor({
      lanes,
      tail: this.#tail,
      observations: this.#observations,
      clock,
      machine,
      log,
      disk: new DiskWatch(() => this.isDiskFull),
      processes: {
        isAlive: (pid) => (this.processes.get(pid)?.state ?? "ended") !== "ended",
        readProcess: (pid) => this.processes.get(pid),
      },
      closed: (lane) => this.closed.push(lane.session),
      resumed: () => {
        this.resumed += 1;
      },
    });
  }

  /** A program's lane, which begins with its start. */
  program(
    session: string,
    {
      pid = PID,
      isOpener = true,
      hostname = thisMachine().hostname,
      language = "python 3.13.0",
    } = {},
  ) {
    this.processes.set(pid, process(pid));
    const writer = { pid, pid_started: "1", hostname, language };
    const lane = this.world.lane(session, { writer, at: START });
    if (isOpener) lane.append({ op: "start", at: START });
    return lane;
  }

  /** A process has ended, and its parent has not asked for its exit code. */
  zombie(pid: number, signal: number | undefined): void {
    this.processes.set(pid, { ...process(pid), state: "ended", signal });
  }

  /** Lets time pass, reading and checking as often as the daemon does. */
  pass(ms: number): void {
    for (let left = ms; left > 0; left -= WATCH_MS) {
      const step = Math.min(left, WATCH_MS);
      this.time.now += step;
      this.time.monotonic += step;
      this.time.uptime += step;
      this.check();
    }
  }

  check(): void {
    this.lanes.scan(this.time.monotonic);
    for (const lane of this.lanes.all.values()) this.#tail.read(lane);
    this.monitor.tick();
  }

  /** What the monitor recorded of a session. */
  async recorded(session: string): Promise<Op[]> {
    this.lanes.scan(this.time.monotonic);
    const ops: Op[] = [];
    for (const lane of this.lanes.ofSession(session)) {
      if (!lane.isObservations) continue;
      for await (const entry of readLane(lane.path(1))) {
        if (entry.kind === "record") ops.push(entry.op);
      }
    }
    return ops;
  }
}

test("a program that never sent a heartbeat, or paused, is never hung", async () => {
  await using world = await World.make();
  const watched = new Watched(world);
  watched.program("silent");
  const paused = watched.program("paused", { pid: PID + 1 });
  paused.append({ op: "heartbeat", at: START, timeout_ms: 50 }, { op: "pause", at: START });
  watched.pass(600_000);
  expect(await watched.recorded("silent")).toEqual([]);
  expect(await watched.recorded("paused")).toEqual([]);
});

test("a program that ended unwritten lost an unknown number of records, and may have ended by itself", async () => {
  await using world = await World.make();
  const watched = new Watched(world);
  watched.program("full", { pid: PID });
  appendFileSync(watched.program("marked", { pid: PID + 1 }).path, "\n");
  watched.program("written", { pid: PID + 2 }).append({ op: "end", at: START });
  watched.program("killed", { pid: PID + 3 });
  watched.pass(WATCH_MS);
  watched.processes.delete(PID + 1);
  watched.processes.delete(PID + 3);
  watched.pass(WATCH_MS);
  watched.isDiskFull = true;
  watched.pass(2 * WATCH_MS);
  watched.isDiskFull = false;
  watched.processes.clear();
  watched.pass(WATCH_MS);

  const full = { from: START + 3 * WATCH_MS, to: START + 4 * WATCH_MS };
  const unknown = { op: "dropped", count: 0, at_least: true };
  expect(await watched.recorded("full")).toMatchObject([
    { op: "crash", message: expect.stringContaining("may have ended") as unknown },
    { ...unknown, cause: "disk_full", first_at: full.from, last_at: full.to },
  ]);
  expect(await watched.recorded("marked")).toMatchObject([
    { op: "crash", message: expect.stringContaining("may have ended") as unknown },
    { ...unknown, cause: "write_failed", first_at: START },
  ]);
  expect(await watched.recorded("written")).toEqual([]);
  expect(await watched.recorded("killed")).toMatchObject([{ op: "crash", reason: "process_died" }]);
});

test("a program whose heartbeats stop is hung, and recovers with the duration", async () => {
  await using world = await World.make();
  const watched = new Watched(world);
  const lane = watched.program("hung");
  lane.append({ op: "heartbeat", at: START, timeout_ms: 1_000 });
  watched.check();
  watched.pass(heartbeatLimitMs(1_000));
  expect(await watched.recorded("hung")).toEqual([]);
  watched.pass(WATCH_MS);
  expect(await watched.recorded("hung")).toMatchObject([
    { op: "hang", last_heartbeat_at: START, process_state: "blocked" },
  ]);
  watched.pass(60_000);
  lane.append({ op: "heartbeat", at: START + 70_000 });
  watched.check();
  expect(await watched.recorded("hung")).toMatchObject([
    { op: "hang" },
    { op: "recovered", duration_ms: 70_000 },
  ]);
});

test("samples of a hang are recorded: three at its start, and the last one before it recovers", async () => {
  await using world = await World.make();
  const watched = new Watched(world);
  const lane = watched.program("hung");
  lane.append({ op: "heartbeat", at: START, timeout_ms: 1_000 });
  const path = join(world.home.lanes, `${lane.header.lane}.stacks`);
  writeFileSync(path, "");
  const sample = (at: number, line: number) =>
    appendFileSync(
      path,
      `# ${START + at}\nThread 0x1 [MainThread] (most recent call first):\n  File "/srv/game.py", line ${line} in load\n`,
    );
  watched.check();
  for (const at of [1_000, 2_000]) sample(at, 1);
  watched.pass(heartbeatLimitMs(1_000) + 3 * WATCH_MS);
  sample(5_000, 2);
  watched.restart();
  watched.pass(6 * WATCH_MS);
  sample(60_000, 3);
  watched.pass(6 * WATCH_MS);
  // The client empties it when its heartbeats continue.
  sample(70_000, 4);
  watched.pass(6 * WATCH_MS);
  writeFileSync(path, "");
  lane.append({ op: "heartbeat", at: START + 75_000 });
  watched.check();
  const recorded = (await watched.recorded("hung")).filter(({ op }) => op === "stacks");
  expect(recorded).toMatchObject([
    { when: "hung", at: START + 1_000 },
    { when: "hung", at: START + 2_000 },
    {
      when: "hung",
      at: START + 5_000,
      threads: [{ frames: ['File "/srv/game.py", line 2, in load'] }],
    },
    { when: "recovered", at: START + 70_000 },
  ]);
});

test("a signal that requests the end ends the session; another one, and a fatal error, is a crash", async () => {
  await using world = await World.make();
  const watched = new Watched(world);
  const stack =
    'Current thread 0x1 (most recent call first):\n  File "/srv/game.py", line 2 in f\n';
  const fatal = `Fatal Python error: Segmentation fault\n\n${stack}`;
  const ways = [
    { session: "asked", text: "\0".repeat(15) + stack, isOpener: true },
    { session: "cpu", text: "\0".repeat(constants.signals.SIGXCPU) + stack, isOpener: true },
    { session: "fault", text: fatal, isOpener: true },
    { session: "child", text: fatal, isOpener: false },
    { session: "nothing", text: "", isOpener: true },
  ];
  for (const [index, { session, text, isOpener }] of ways.entries()) {
    const lane = watched.program(session, { pid: PID + index, isOpener });
    if (!isOpener) lane.append({ op: "event", at: START, name: "e" });
    writeFileSync(join(world.home.lanes, `${lane.header.lane}.fatal`), text);
  }
  watched.pass(WATCH_MS);
  watched.processes.clear();
  watched.pass(WATCH_MS);
  const kinds = async (session: string) => (await watched.recorded(session)).map(({ op }) => op);
  expect(await kinds("asked")).toEqual(["stacks", "end"]);
  expect(await kinds("cpu")).toEqual(["stacks", "crash"]);
  expect(await kinds("fault")).toEqual(["event", "stacks", "crash"]);
  expect(await kinds("child")).toEqual(["event", "stacks"]);
  expect(await kinds("nothing")).toEqual(["crash"]);
  expect((await watched.recorded("cpu")).at(-1)).toMatchObject({ signal: "SIGXCPU" });
  expect((await watched.recorded("nothing")).at(-1)).toMatchObject({
    reason: "process_died",
    also_ended: 4,
    message: expect.stringContaining("as after SIGKILL") as unknown,
  });
});

test("the end of a process that joined is an event with its cause, unless it ended by itself or by a request", async () => {
  await using world = await World.make();
  const watched = new Watched(world);
  const stop =
    "\0".repeat(15) +
    'Current thread 0x1 (most recent call first):\n  File "/srv/game.py", line 2 in f\n';
  const ways = [
    { session: "killed", running: true, signal: 9 },
    { session: "gone", running: true },
    { session: "ended", running: false },
    { session: "stopped", running: true, fatal: stop },
    { session: "stopped unseen", running: true, signal: 15 },
    { session: "fault", running: true, fatal: "Fatal Python error: Segmentation fault\n" },
  ];
  for (const [index, { session, running, fatal }] of ways.entries()) {
    const lane = watched.program(session, { pid: PID + index, isOpener: false });
    lane.append({ op: "event", at: START, name: "e" });
    const path = join(world.home.lanes, lane.header.lane);
    if (running) writeFileSync(`${path}.running`, "");
    if (fatal) writeFileSync(`${path}.fatal`, fatal);
  }
  watched.pass(WATCH_MS);
  for (const [index, { signal }] of ways.entries()) watched.zombie(PID + index, signal);
  watched.pass(WATCH_MS);
  const names = async (session: string) =>
    (await watched.recorded(session)).map((op) => op.op === "event" && op.name);
  expect(await watched.recorded("killed")).toMatchObject([
    {
      op: "event",
      name: "process_gone",
      message: "A process of the session was ended by SIGKILL",
      data: { pid: PID, signal: "SIGKILL" },
    },
  ]);
  expect(await names("gone")).toEqual(["process_gone"]);
  expect(await names("ended")).toEqual([]);
  expect(await names("stopped")).toEqual([]);
  expect(await names("stopped unseen")).toEqual([]);
  expect(await names("fault")).toEqual(["fatal_error"]);
});

test.runIf(platform === "linux")("the signal of a zombie is read", async () => {
  // It does not ask for its child's end, because its thread waits.
  const code = `const { spawn } = require("node:child_process");
    const child = spawn("sleep", ["60"], { stdio: "ignore" });
    require("node:fs").writeSync(1, String(child.pid));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);`;
  const parent = spawn(execPath, ["-e", code]);
  try {
    const [output] = (await once(parent.stdout, "data")) as [Buffer];
    kill(Number(output), "SIGKILL");
    await expect.poll(() => readProcess(Number(output))?.signal, { timeout: 20_000 }).toBe(9);
  } finally {
    parent.kill("SIGKILL");
  }
});

test("a fatal error of a forked process is recorded while its parent runs on, and once", async () => {
  await using world = await World.make();
  const watched = new Watched(world);
  const lane = watched.program("parent");
  const path = join(world.home.lanes, `${lane.header.lane}.fatal`);
  writeFileSync(path, "Fatal Python error: Segmentation fault\n");
  utimesSync(path, START / 1_000, START / 1_000);
  watched.pass(30_000);
  expect(await watched.recorded("parent")).toMatchObject([
    { op: "event", exception_type: "Segmentation fault", handled: false },
  ]);
  expect(statSync(path).size).toBe(0);
});

test("Node's report is kept until the process that wrote it is gone, which a core file delays, and then removed", async () => {
  await using world = await World.make();
  const watched = new Watched(world);
  const lane = watched.program("heap", { language: "node 24.1.0" });
  const path = join(world.home.lanes, `${lane.header.lane}.fatal`);
  const header = {
    event: "Allocation failed - JavaScript heap out of memory",
    trigger: "OOMError",
  };
  writeFileSync(path, JSON.stringify({ header, environmentVariables: { SECRET: "x" } }));
  utimesSync(path, START / 1_000, START / 1_000);
  watched.pass(FORKED_FATAL_MS - 2 * WATCH_MS);
  watched.processes.delete(PID);
  watched.pass(WATCH_MS);
  expect(await watched.recorded("heap")).toMatchObject([
    { op: "event", exception_type: "JavaScript heap out of memory" },
    { op: "stacks" },
    { op: "crash", reason: "fatal_error", signal: "SIGABRT" },
  ]);
  expect(statSync(path).size).toBe(0);
});

test("a daemon that starts while a program hangs records neither the hang again nor forgets it", async () => {
  await using world = await World.make();
  const watched = new Watched(world);
  const lane = watched.program("hung");
  lane.append({ op: "heartbeat", at: START, timeout_ms: 1_000 });
  watched.check();
  watched.pass(10_000);
  watched.restart();
  watched.pass(10_000);
  expect(await watched.recorded("hung")).toHaveLength(1);
  lane.append({ op: "heartbeat", at: START + 30_000 });
  watched.check();
  expect(await watched.recorded("hung")).toMatchObject([
    { op: "hang" },
    { op: "recovered", duration_ms: 30_000 },
  ]);
});

test("a machine that slept makes neither hang nor crash, but is recorded", async () => {
  await using world = await World.make();
  const watched = new Watched(world);
  const lane = watched.program("slept");
  lane.append({ op: "heartbeat", at: START, timeout_ms: 4_000 });
  watched.pass(2_000);
  watched.time.now += 3_600_000;
  watched.time.uptime += 3_600_000;
  watched.pass(heartbeatLimitMs(4_000));
  expect(await watched.recorded("slept")).toMatchObject([{ op: "slept", duration_ms: 3_600_000 }]);
  expect(watched.resumed).toBe(1);
  watched.pass(WATCH_MS * 2);
  expect((await watched.recorded("slept")).map(({ op }) => op)).toEqual(["slept", "hang"]);
});

test("a daemon that was stopped counts no heartbeat as missed meanwhile", async () => {
  await using world = await World.make();
  const watched = new Watched(world);
  const lane = watched.program("s");
  lane.append({ op: "heartbeat", at: START, timeout_ms: 4_000 });
  watched.check();
  for (const clock of ["now", "monotonic", "uptime"] as const) watched.time[clock] += 60_000;
  watched.check();
  expect(await watched.recorded("s")).toEqual([]);
  expect(watched.resumed).toBe(1);
});

test("a clock that is set, forwards or back, makes neither sleep nor hang", async () => {
  await using world = await World.make();
  const watched = new Watched(world);
  const lane = watched.program("set");
  lane.append({ op: "heartbeat", at: START, timeout_ms: 60_000 });
  watched.check();
  for (const step of [86_400_000, -172_800_000]) {
    watched.time.now += step;
    watched.pass(5_000);
  }
  expect(await watched.recorded("set")).toEqual([]);
  expect(watched.resumed).toBe(0);
});

test("a process that was seen alive crashed when it was found gone; one that was not, with its last record", async () => {
  await using world = await World.make();
  const watched = new Watched(world);
  watched.program("seen");
  const found = watched.program("found", { pid: PID + 1 });
  found.append({ op: "event", at: START + 7, name: "e", exception_type: "E", handled: false });
  watched.processes.delete(PID + 1);
  watched.pass(1_200);
  watched.processes.delete(PID);
  watched.pass(WATCH_MS);
  expect(await watched.recorded("seen")).toMatchObject([
    { op: "crash", at: START + 1_600, reason: "process_died" },
  ]);
  expect(await watched.recorded("found")).toMatchObject([
    { op: "crash", at: START + 7, reason: "uncaught_exception" },
  ]);
  expect(watched.closed).toEqual(["found", "seen"]);
  watched.restart();
  watched.check();
  expect(await watched.recorded("seen")).toHaveLength(1);
});

test("a session that ended, or that a lost process only joined, has not crashed", async () => {
  await using world = await World.make();
  const watched = new Watched(world);
  watched.program("ended").append({ op: "end", at: START + 1, exit_code: 0 });
  watched.program("joined", { pid: PID + 1 });
  const worker = watched.program("joined", { pid: PID + 2, isOpener: false });
  worker.append({ op: "event", at: START + 1, name: "working" });
  watched.check();
  watched.processes.delete(PID);
  watched.processes.delete(PID + 2);
  watched.pass(WATCH_MS);
  expect(await watched.recorded("ended")).toEqual([]);
  expect(await watched.recorded("joined")).toEqual([]);
  expect(watched.monitor.isLive("joined")).toBe(true);
  expect(watched.monitor.isLive("ended")).toBe(false);
});

test("a lane from another machine is live for its lease, and closed after a day without growth", async () => {
  await using world = await World.make();
  const watched = new Watched(world);
  watched.program("elsewhere", { hostname: "another" });
  watched.processes.delete(PID); // its pid is another machine's
  watched.check();
  const [lane] = watched.lanes.all.values();
  if (!lane) throw new Error("the lane was not found");
  const advance = (ms: number) => {
    for (const clock of ["now", "monotonic", "uptime"] as const) watched.time[clock] += ms;
    watched.check();
  };
  advance(DAEMON_LEASE_MS);
  expect(watched.monitor.isLive("elsewhere")).toBe(true);
  advance(1);
  expect(watched.monitor.isLive("elsewhere")).toBe(false);
  watched.monitor.extendLease(lane, 60_000);
  advance(60_000);
  expect(watched.monitor.isLive("elsewhere")).toBe(true);
  advance(ABANDONED_MS);
  expect(lane.isClosed).toBe(true);
  expect(await watched.recorded("elsewhere")).toEqual([]);
});

test("the state of a writer is known only where its pid means something", () => {
  const machine = { machine_id: "", hostname: "here", os: "", boot_id: "boot-2" };
  const gone = () => false;
  const alive = () => true;
  const writer = { pid: 7, hostname: "here", boot_id: "boot-2" };
  expect(writerState(writer, "1", machine, gone)).toBe("ended");
  expect(writerState(writer, "1", machine, alive)).toBe("alive");
  if (platform === "linux") {
    expect(writerState({ ...writer, pid, thread: pid }, "1", machine, alive)).toBe("alive");
    expect(writerState({ ...writer, pid, thread: 1 }, "1", machine, alive)).toBe("thread_ended");
  }
  expect(writerState({ ...writer, boot_id: "boot-1" }, "1", machine, alive)).toBe("rebooted");
  // Another container that shares the folder: its pids are not this one's.
  const elsewhere = { ...writer, hostname: "there" };
  expect(writerState(elsewhere, "1", machine, gone)).toBe("unknown");
  expect(writerState({ ...elsewhere, boot_id: "x" }, "1", machine, gone)).toBe("unknown");
  expect(writerState(elsewhere, undefined, machine, alive)).toBe("unknown");
  expect(writerState(elsewhere, "1", machine, alive)).toBe("alive");
  expect(writerState({ hostname: "here" }, undefined, machine, gone)).toBe("unknown");
});

function process(pid: number): ProcessInfo {
  return { pid, parent: 1, started: "1", state: "waiting", cpuMs: 0, residentBytes: 0 };
}
