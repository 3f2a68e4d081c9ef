/**
 * New sessions, each opened, filled with 50 ops and ended, until the catalog has them; single posts of 1.x's routes; and the memory of the
 * server's processes. The server is that of `npm start`, its clients are a process of their own (load.ts). Baselines: an empty request, and a
 * Worker whose objects only write a row (floor.ts). Linux only (/proc).
 *
 *   npm run bench sessions [sessions] [sessions in a request] [single posts]
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { cpuMs } from "./cpu.ts";
import { startFloor } from "./floor.ts";
import { type Load, load } from "./load.ts";

const [total = 1_000, atOnce = 40, posts = 6_000] = process.argv.slice(2).map(Number);
const CLIENTS = 16;
/** Their Worker has no evictor, so each stays in memory for 10 s. */
const FLOOR_OBJECTS = 600;
/** After it, the memory that only the start of the server needs is free again. */
const SETTLE_MS = 10_000;
const START = join(import.meta.dirname, "../../daemon/launch/start.mjs");

const data = mkdtempSync(join(tmpdir(), "datacat-bench-"));
const { process: server, url } = await start();
const { port } = new URL(url);
const pid = server.pid ?? 0;
try {
  await sessions("warm-up", 1, 1);
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const idle = residentMiB();
  const empty = await measure(pid, { path: "/health", clients: CLIENTS, count: posts });
  const opened = await sessions("session", 2, Math.ceil(total / atOnce));
  await checkListed();
  const full = residentMiB();
  const made = await ask("/api/sessions", JSON.stringify({ product: "game", version: "1" }));
  const { session_id } = JSON.parse(made) as { session_id: string };
  const path = `/api/sessions/${session_id}/metrics`;
  const body = JSON.stringify({ name: "fps", type: "gauge", value: 60 });
  const post = await measure(pid, { path, body, clients: CLIENTS, count: posts });
  const most = await measure(pid, { path, body, clients: 4 * CLIENTS, count: posts });

  const { floorOpened, floorPost } = await measureFloor(body);
  const median = opened.times.toSorted((a, b) => a - b)[opened.times.length >> 1] ?? 0;
  console.log(`\nLoad of the machine at the end: ${loadavg()[0]?.toFixed(1)}`);
  console.log(
    `Of ${atOnce} sessions in one request, two at a time, ms: ${median.toFixed(0)} (median)`,
  );
  console.log("\n| what | per second | ms of workerd's CPU |\n| --- | ---: | ---: |");
  for (const [name, { rate, cpu }] of Object.entries({
    "an empty request": empty,
    "a new object with one row": perSession(floorOpened),
    "a new session, 50 ops, ended, in the catalog": perSession(opened),
    [`a post to such an object, ${CLIENTS} clients`]: floorPost,
    [`a single post, ${CLIENTS} clients`]: post,
    [`a single post, ${4 * CLIENTS} clients`]: most,
  }))
    console.log(`| ${name} | ${rate.toFixed(0)} | ${cpu.toFixed(2)} |`);
  console.log(`\n| resident, MiB | at first | after ${total} sessions |\n| --- | ---: | ---: |`);
  for (const [name, mib] of full) console.log(`| ${name} | ${idle.get(name) ?? "–"} | ${mib} |`);
} finally {
  server.kill("SIGTERM");
  await once(server, "exit");
  rmSync(data, { recursive: true, force: true });
}

/** `npm start` on a free port, without a daemon. */
async function start(): Promise<{ process: ChildProcess; url: string }> {
  const process_ = spawn(process.execPath, [START, "--no-daemon", "--port", "0", "--data", data], {
    env: { ...process.env, HOME: data },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  for await (const part of process_.stdout) {
    text += String(part);
    const ready = /ready: (http:\/\/localhost:\d+)/.exec(text)?.[1];
    if (ready !== undefined) return { process: process_, url: ready };
  }
  throw new Error(`The server did not start: ${text}`);
}

/** After the server's own figures: its memory and this Worker's would else be one. */
async function measureFloor(body: string) {
  const floor = await startFloor();
  try {
    const open = (count: number) =>
      measure(process.pid, {
        port: floor.port,
        path: `/open/${atOnce}`,
        body,
        clients: 2,
        count,
      });
    await open(1);
    const floorOpened = await open(Math.ceil(Math.min(total, FLOOR_OBJECTS) / atOnce));
    const floorPost = await measure(process.pid, {
      port: floor.port,
      path: "/post",
      body,
      clients: CLIENTS,
      count: posts,
    });
    return { floorOpened, floorPost };
  } finally {
    await floor.stop();
  }
}

async function ask(path: string, body?: string): Promise<string> {
  const response = await fetch(`${url}${path}`, body === undefined ? {} : { method: "POST", body });
  const text = await response.text();
  if (!response.ok || text.includes('"error"')) throw new Error(`${path}: ${text}`);
  return text;
}

/** Requests of `atOnce` whole sessions each. Their answers wait for the catalog. */
function sessions(prefix: string, clients: number, count: number) {
  const job = { path: "/api/ingest", sessions: { prefix, atOnce }, clients, count };
  return measure(pid, job);
}

async function checkListed(): Promise<void> {
  const listed = await ask("/api/sessions?limit=100");
  const last = Math.ceil(total / atOnce) * atOnce - 1;
  if (!listed.includes(`"session-${last}"`)) throw new Error("The last session is not listed.");
}

async function measure(parent: number, job: Omit<Load, "port"> & { port?: number }) {
  const before = cpuMs("workerd", parent);
  const { seconds, times } = await load({ port: Number(port), ...job });
  const cpu = (cpuMs("workerd", parent) - before) / job.count;
  return { rate: job.count / seconds, cpu, times };
}

function perSession({ rate, cpu }: { rate: number; cpu: number }) {
  return { rate: rate * atOnce, cpu: cpu / atOnce };
}

/** Resident memory of the server's process, which runs Miniflare, and of its children. */
function residentMiB(): Map<string, number> {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return new Map(
    pids.flatMap((id): [string, number][] => {
      try {
        const status = readFileSync(`/proc/${id}/status`, "utf8");
        const field = (name: string) =>
          new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(status)?.[1] ?? "";
        if (Number(id) !== pid && field("PPid") !== String(pid)) return [];
        const name = Number(id) === pid ? "npm start's own process" : field("Name");
        return [[name, Math.round(Number(field("VmRSS")) / 1_024)]];
      } catch {
        return []; // it ended meanwhile
      }
    }),
  );
}
