/** What the daemon costs: `node test/bench/daemon.bench.ts [points of the outage] [one part]`. Prints the table that README.md keeps. */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Agent } from "undici";
import { frame } from "../../daemon/lanes/frame.ts";
import { type Home, homeAt, makePrivate } from "../../daemon/home.ts";
import { newId } from "../../daemon/id.ts";
import { LaneWriter } from "../../daemon/lanes/lane-file.ts";
import { thisMachine, thisProcess } from "../../daemon/watch/machine.ts";
import { runDaemon } from "../../daemon/main.ts";
import type { Op } from "../../src/core/wire.ts";

const OUTAGE_POINTS = Number(process.argv[2] ?? 10_000_000);
const rows: [string, string, string][] = [];

const parts = { throughput, wire, outage, death };
for (const [name, run] of Object.entries(parts)) {
  if (process.argv[3] === undefined || process.argv[3] === name) await run();
}

const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
console.log(`\nNode ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? "?"}\n`);
for (const row of rows) console.log(row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  "));
process.exit(0);

/** From lane files to acknowledged batches, by the CPU time that the daemon's process took. */
async function throughput(): Promise<void> {
  const points = 1_000_000;
  const home = newHome();
  fill(home, points);
  const sink = await startSink();
  const daemon = startDaemon(home, sink.url);
  const started = performance.now();
  const pid = daemon.pid ?? 0;
  while (laneCount(home) > 0) await sleep(20);
  const seconds = (performance.now() - started) / 1000;
  const cpu = cpuSeconds(pid);
  rows.push([
    "lane to sent batch, wall clock",
    `${thousands(points / seconds)} points/s`,
    "must reach 200,000",
  ]);
  rows.push([
    "  by its own CPU time (all threads)",
    `${thousands(points / cpu)} points/s`,
    `${cpu.toFixed(1)} s for ${thousands(points)} points, start included`,
  ]);
  await end(daemon, sink.process, home);
}

/** A typical minute of a program, sent by the daemon every five seconds and as one JSON request per op. */
async function wire(): Promise<void> {
  const ops = believable(60);
  const home = newHome();
  const sink = await startSink();
  const writer = LaneWriter.create(home.lanes, header("wire"));
  const env = { DATACAT_HOME: home.folder, DATACAT_URL: sink.url };
  const daemon = await runDaemon({ env, folder: home.folder, port: 0, stay: () => true });
  const interval = 5_000;
  for (let from = ops[0]?.at ?? 0; from <= (ops.at(-1)?.at ?? 0); from += interval) {
    for (const op of ops) if (op.at >= from && op.at < from + interval) writer.append(op);
    await daemon?.flush(10_000);
  }
  const ours = await sink.totals();

  const agent = new Agent();
  const naive = ops.slice(0, 2_000);
  const started = performance.now();
  for (const op of naive) {
    const { body } = await agent.request({
      origin: sink.url,
      path: "/api/sessions/01990000-0000-7000-8000-000000000000/metrics",
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(op),
    });
    await body.dump();
  }
  const rate = naive.length / ((performance.now() - started) / 1000);
  const theirs = await sink.totals();
  const bytesPerOp = (theirs.bytes - ours.bytes) / naive.length;
  const requests = ops.length / ours.requests;
  const bytes = bytesPerOp / (ours.bytes / ops.length);
  rows.push([
    "requests per op, against one each",
    `${thousands(requests)}× fewer`,
    "must reach 100×",
  ]);
  rows.push([
    "bytes per op, against one JSON request",
    `${bytes.toFixed(0)}× fewer`,
    `must reach 20×; ${(ours.bytes / ops.length).toFixed(1)} against ${bytesPerOp.toFixed(0)}`,
  ]);
  rows.push([
    "baseline: one request per op",
    `${thousands(rate)} ops/s`,
    "one after another, kept alive",
  ]);
  await agent.close();
  await daemon?.stop();
  sink.process.kill();
  rmSync(home.folder, { recursive: true, force: true });
}

/** Resident memory while the server is away and the lanes grow. */
async function outage(): Promise<void> {
  const home = newHome();
  const daemon = startDaemon(home, "http://127.0.0.1:9");
  const pid = daemon.pid ?? 0;
  await sleep(1500);
  const before = residentMb(pid);
  let highest = before;
  const sampler = setInterval(() => {
    highest = Math.max(highest, residentMb(pid));
  }, 100);
  const part = Math.ceil(OUTAGE_POINTS / 20);
  for (let i = 0; i < 20; i++) {
    fill(home, part);
    await sleep(500);
  }
  await sleep(5_000);
  clearInterval(sampler);
  rows.push([
    `resident, server away, ${thousands(OUTAGE_POINTS)} points`,
    `${highest.toFixed(0)} MB at most`,
    `must stay below 100; ${before.toFixed(0)} MB idle, ${residentMb(pid).toFixed(0)} at the end`,
  ]);

  const sink = await startSink();
  await end(daemon, undefined, undefined);
  const again = startDaemon(home, sink.url);
  const started = performance.now();
  let catching = 0;
  while (laneCount(home) > 0) {
    await sleep(100);
    catching = Math.max(catching, residentMb(again.pid ?? 0));
  }
  const seconds = (performance.now() - started) / 1000;
  rows.push([
    "  caught up with afterwards",
    `${seconds.toFixed(0)} s`,
    `${thousands(OUTAGE_POINTS / seconds)} points/s, ${catching.toFixed(0)} MB at most`,
  ]);
  await end(again, sink.process, home);
}

/** From `kill -9` of a program to its verdict at the server. */
async function death(): Promise<void> {
  const home = newHome();
  const sink = await startSink();
  const daemon = startDaemon(home, sink.url);
  const times: number[] = [];
  for (let i = 0; i < 10; i++) {
    const child = spawn("sleep", ["60"]);
    await once(child, "spawn");
    const stat = readFileSync(`/proc/${child.pid}/stat`, "utf8");
    const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
    const writer = LaneWriter.create(home.lanes, {
      ...header(`death-${i}`),
      writer: { ...thisMachine(), pid: child.pid ?? 0, pid_started: started },
    });
    writer.append({ op: "start", at: Date.now() });
    await sleep(800 + 37 * i);
    const killed = performance.now();
    child.kill("SIGKILL");
    while (laneCount(home) > 0) await sleep(5);
    times.push(performance.now() - killed);
  }
  times.sort((a, b) => a - b);
  rows.push([
    "kill -9 to verdict at the server",
    `${times[5]?.toFixed(0)} ms median`,
    `must be below 1,000; ${times.at(-1)?.toFixed(0)} at most of 10`,
  ]);
  await end(daemon, sink.process, home);
}

/** An ended lane with that many points of 20 series, written in blocks: only its bytes matter here. */
function fill(home: Home, points: number): void {
  const lane = newId(Date.now());
  const writer = LaneWriter.create(home.lanes, { ...header(`fill-${lane}`), lane });
  writer.append({ op: "start", at: Date.now() });
  let part = 1;
  let path = writer.path;
  writer.close();
  let descriptor = openSync(path, "a");
  let block: Buffer[] = [];
  let size = 0;
  let total = 0;
  const at = Date.now() - points;
  const flush = () => {
    writeSync(descriptor, Buffer.concat(block));
    total += size;
    block = [];
    size = 0;
  };
  for (let i = 0; i < points; i++) {
    const value = Math.round(6000 + 1000 * Math.sin(i / 50)) / 100;
    const line = frame(
      `{"seq":${i + 2},"at":${at + i},"op":"metric","type":"gauge","name":"series_${i % 20}","value":${value}}`,
    );
    block.push(line);
    size += line.length;
    if (size < 256 * 1024) continue;
    flush();
    if (total < 8 * 1024 * 1024) continue;
    closeSync(descriptor);
    part += 1;
    total = 0;
    path = join(home.lanes, `${lane}.${String(part).padStart(6, "0")}.lane`);
    descriptor = openSync(path, "a");
    const { at: opened, session } = header(`fill-${lane}`);
    block.push(
      frame(
        JSON.stringify({
          lane,
          format: 1,
          part,
          first: i + 3,
          session,
          server: "",
          at: opened,
          writer: {},
        }),
      ),
    );
  }
  block.push(frame(`{"seq":${points + 2},"at":${Date.now()},"op":"end"}`));
  flush();
  closeSync(descriptor);
}

/** Frames at 60 per second with a few gauges, counters, timings and events, and a state that changes now and then. */
function believable(seconds: number): Op[] {
  const ops: Op[] = [{ op: "start", at: 1_790_000_000_000, product: "game", version: "1.4.2" }];
  for (let tick = 0; tick < seconds * 60; tick++) {
    const at = 1_790_000_000_000 + Math.round((tick * 1000) / 60);
    const wobble = Math.sin(tick / 40);
    ops.push({
      op: "metric",
      at,
      type: "gauge",
      name: "fps",
      value: 60 + Math.round(wobble * 50) / 10,
    });
    ops.push({
      op: "metric",
      at,
      type: "timer",
      name: "frame",
      value: 0.0166 + Math.round(wobble * 1000) / 1e6,
      unit: "seconds",
    });
    ops.push({ op: "metric", at, type: "counter", name: "draw_calls", delta: 120 + (tick % 7) });
    ops.push({
      op: "metric",
      at,
      type: "histogram",
      name: "latency",
      value: 0.01 + (tick % 50) / 1000,
    });
    if (tick % 30 === 0)
      ops.push({ op: "state", at, patch: { player: { hp: 100 - (tick % 100), x: tick } } });
    if (tick % 60 === 0)
      ops.push({
        op: "event",
        at,
        name: "door_opened",
        category: "info",
        data: { door: tick % 9 },
      });
    if (tick % 60 === 0) ops.push({ op: "heartbeat", at });
  }
  ops.push({ op: "end", at: 1_790_000_000_000 + seconds * 1000, exit_code: 0 });
  return ops;
}

function header(session: string) {
  const at = Date.now();
  return {
    lane: newId(at),
    session,
    server: "",
    at,
    writer: { ...thisProcess(), ...thisMachine() },
  };
}

function newHome(): Home {
  const home = homeAt(mkdtempSync(join(tmpdir(), "datacat-bench-")));
  makePrivate(home);
  return home;
}

function startDaemon(home: Home, url: string): ChildProcess {
  const program = fileURLToPath(new URL("../../daemon/launch/datacat-daemon.mjs", import.meta.url));
  return spawn(process.execPath, [program], {
    cwd: home.folder,
    env: {
      ...process.env,
      DATACAT_HOME: home.folder,
      DATACAT_URL: url,
      DATACAT_MAX_DISK: "8G",
      DATACAT_DAEMON_PORT: "0",
    },
    stdio: ["ignore", "ignore", "inherit"],
  });
}

async function startSink() {
  const sink = fork(fileURLToPath(new URL("daemon-sink.ts", import.meta.url)));
  const [{ port }] = (await once(sink, "message")) as [{ port: number }];
  return {
    process: sink,
    url: `http://127.0.0.1:${port}`,
    totals: async () => {
      sink.send("totals");
      const [totals] = await once(sink, "message");
      return totals as { requests: number; bytes: number };
    },
  };
}

async function end(
  daemon: ChildProcess,
  sink: ChildProcess | undefined,
  home: Home | undefined,
): Promise<void> {
  daemon.kill("SIGTERM");
  await once(daemon, "exit");
  sink?.kill();
  if (home) rmSync(home.folder, { recursive: true, force: true });
}

function laneCount(home: Home): number {
  return readdirSync(home.lanes).length;
}

function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function residentMb(pid: number): number {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes ?? 0) / 1024;
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString("en");
}
