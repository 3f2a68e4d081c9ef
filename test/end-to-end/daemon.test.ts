/** The daemon against the real Worker: the session has everything that was recorded, and nothing else. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { homeAt, makePrivate } from "../../daemon/home.ts";
import { newId } from "../../daemon/id.ts";
import { LaneWriter } from "../../daemon/lanes/lane-file.ts";
import { thisMachine } from "../../daemon/watch/machine.ts";
import type { Daemon } from "../../daemon/daemon.ts";
import { runDaemon } from "../../daemon/main.ts";
import { serve, type Server } from "../../daemon/serve/serve.ts";
import { readProcess } from "../../daemon/watch/processes.ts";
import type { Summary } from "../../src/core/answers/summary.ts";

const folder = mkdtempSync(join(tmpdir(), "datacat-daemon-"));
const home = homeAt(join(folder, "home"));
let server: Server;
let daemon: Daemon;

beforeAll(async () => {
  makePrivate(home);
  server = await serve({ data: join(folder, "data") });
  const env = { DATACAT_HOME: home.folder, DATACAT_URL: server.url };
  const started = await runDaemon({ env, folder, port: 0, stay: () => true });
  if (!started) throw new Error("another daemon has the home");
  daemon = started;
});

afterAll(async () => {
  await daemon.stop();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("of a killed program all records are stored, and the verdict is a crash", async () => {
  const child = spawn("sleep", ["600"]);
  await once(child, "spawn");
  const session = newId(Date.now());
  const lane = open(session, child.pid ?? 0);
  const at = Date.now();
  lane.append({ op: "start", at, product: "game", version: "1.4.2" });
  for (let i = 0; i < 500; i++) {
    lane.append({ op: "metric", at: at + i, type: "gauge", name: "fps", value: 60 - (i % 7) });
    lane.append({ op: "metric", at: at + i, type: "counter", name: "frames", delta: 1 });
    lane.append({ op: "metric", at: at + i, type: "histogram", name: "latency", value: i / 1000 });
  }
  for (let i = 0; i < 5; i++)
    lane.append({ op: "state", at: at + i, patch: { level: i, same: 1 } });
  lane.append({ op: "event", at: at + 1, name: "door_opened", data: { door: 7 } });
  await expect.poll(() => status(session), { timeout: 20_000 }).toBe("active");

  child.kill("SIGKILL");
  await expect.poll(() => status(session), { timeout: 20_000, interval: 20 }).toBe("crashed");

  const summary = await get<Summary>(session);
  expect(summary).toMatchObject({
    product: "game",
    version: "1.4.2",
    counts: { states: 5, exceptions: 0, series: 3 },
    ledger: { dropped: {} },
  });
  const state = await get<{ state: object }>(`${session}/state`);
  expect(state.state).toMatchObject({ level: 4, same: 1 });
  // Counted, not sampled: the sums are those of all calls.
  const series = await get<{ name: string; last: number; points: number; sum: number }[]>(
    `${session}/metrics`,
  );
  const named = (name: string) => series.find((one) => one.name === name);
  expect(named("frames")?.last).toBe(500);
  expect(named("fps")?.points).toBe(500);
  await expect.poll(() => readdirSync(home.lanes), { timeout: 20_000 }).toEqual([]);
});

test("1.x's requests to the daemon are on the server before it answers the end", async () => {
  const { session_id } = await post("/register", {
    product: "p",
    version: "1",
    parent_pid: process.pid,
  });
  await post("/state", { session_id, state: { progress: 1 } });
  await post("/event", { session_id, name: "e", data: { a: 1 } });
  await post("/metric", { session_id, name: "m", type: "counter", value: 0, delta: 3, tags: [] });
  await post("/end", { session_id });
  const response = await fetch(`http://127.0.0.1:${daemon.port}/session?session_id=${session_id}`);
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({
    id: session_id,
    active: false,
    state: { product: "p", version: "1", progress: 1 },
    state_history: [{ state: { progress: 1 } }],
    events: [{ name: "e", data: { a: 1 } }],
    metrics: [{ name: "m", type: "counter", value: 3 }],
  });
});

function open(session: string, pid: number): LaneWriter {
  const started = readProcess(pid)?.started;
  return LaneWriter.create(home.lanes, {
    lane: newId(Date.now()),
    session,
    server: "",
    at: Date.now(),
    writer: { ...thisMachine(), pid, ...(started !== undefined && { pid_started: started }) },
  });
}

async function status(session: string): Promise<string | undefined> {
  const response = await fetch(`${server.url}/api/sessions/${session}/summary`);
  if (!response.ok) return undefined;
  return ((await response.json()) as Summary).verdict.status; // what the API answers
}

async function get<Answer>(path: string): Promise<Answer> {
  const whole = path.includes("/") ? path : `${path}/summary`;
  const response = await fetch(`${server.url}/api/sessions/${whole}`);
  return (await response.json()) as Answer; // what the API answers
}

async function post(path: string, body: object): Promise<{ session_id: string }> {
  const response = await fetch(`http://127.0.0.1:${daemon.port}${path}`, {
    method: "POST",
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as { session_id: string }; // or a status, which is not read
}
