/**
 * What a log call costs the program: each kind of call against a bare writeSync of the same bytes. Both take turns in one loop, so
 * that other load of the machine affects both. Run: node test/bench/client-typescript.bench.ts
 */
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { open, type Session } from "../../clients/typescript/node.ts";
import { serve } from "../../daemon/serve/serve.ts";

const CALLS = 20_000;
const ROUNDS = 15;

const calls: [string, (session: Session, i: number) => void][] = [
  ["gauge", (session, i) => session.gauge("frames_per_second", 59 + (i % 100) / 100)],
  [
    "gauge, unit and tags",
    (session, i) => session.gauge("temperature", i % 100, { unit: "celsius", tags: ["cpu"] }),
  ],
  [
    "gauge, tags of an object",
    (session, i) =>
      session.gauge("temperature", i % 100, { unit: "celsius", tags: { thread: "main", core: 3 } }),
  ],
  ["counter", (session) => session.counter("saves")],
  [
    "small event",
    (session, i) => session.logEvent("door_opened", { data: { door: i % 10, open: true } }),
  ],
  [
    "small event with tags",
    (session, i) =>
      session.logEvent("door_opened", {
        data: { door: i % 10, open: true },
        tags: { room: "attic" },
      }),
  ],
  ["event, plain", (session) => session.logEvent("door_opened")],
  ["updateState", (session, i) => session.updateState({ player: { hp: i % 100 } })],
  ["histogram", (session, i) => session.histogram("request_seconds", (i % 50) / 1000)],
  ["heartbeat", (session) => session.heartbeat()],
];

process.env["DATACAT_DAEMON"] = "off";
console.log("call                    median µs   bare write µs   ratio");
for (const [name, call] of calls) {
  const home = mkdtempSync(join(tmpdir(), "datacat-bench-"));
  process.env["DATACAT_HOME"] = home;
  const session = open();
  call(session, 1);
  const bytes = lastRecord(home);
  const file = openSync(join(home, "bare"), "a");
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(...times(CALLS / ROUNDS, (i) => call(session, i)));
    bare.push(...times(CALLS / ROUNDS, () => writeSync(file, bytes, 0, bytes.length)));
  }
  closeSync(file);
  session.end();
  rmSync(home, { recursive: true });
  const [own, base] = [median(ours), median(bare)];
  console.log(
    `${name.padEnd(24)}${own.toFixed(2).padStart(9)}${base.toFixed(2).padStart(16)}${(own / base).toFixed(2).padStart(8)}`,
  );
}

const opens: number[] = [];
const ends: number[] = [];
const home = mkdtempSync(join(tmpdir(), "datacat-bench-"));
process.env["DATACAT_HOME"] = home;
for (let i = 0; i < 200; i++) {
  const before = performance.now();
  const session = open({ product: "bench", version: "1", state: { level: 1 } });
  const opened = performance.now();
  session.end();
  opens.push((opened - before) * 1000);
  ends.push((performance.now() - opened) * 1000);
}
rmSync(home, { recursive: true });
console.log(
  `open ${(median(opens) / 1000).toFixed(2)} ms (first ${((opens[0] ?? 0) / 1000).toFixed(2)}), end ${(median(ends) / 1000).toFixed(2)} ms`,
);

/** The time that 100 calls take of a frame at 60 Hz, without and with the daemon and the server. */
console.log("\n100 calls a frame, 60 Hz     p50 ms   p99 ms   max ms");
await frames("server and daemon down", {});
const server = await serve({ data: mkdtempSync(join(tmpdir(), "datacat-bench-server-")) });
await frames("server and daemon up", {
  DATACAT_URL: server.url,
  DATACAT_DAEMON: new URL("../../daemon/launch/datacat-daemon.mjs", import.meta.url).pathname,
  DATACAT_DAEMON_PORT: "0",
});
await server.stop();

async function frames(label: string, env: { [name: string]: string }): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "datacat-bench-"));
  Object.assign(process.env, { DATACAT_HOME: folder, DATACAT_DAEMON: "off", ...env });
  const session = open({ product: "bench" });
  const taken: number[] = [];
  for (let frame = 0; frame < 600; frame++) {
    const before = performance.now();
    for (let i = 0; i < 94; i++) session.gauge(`enemy_${i % 8}_x`, Math.sin(frame + i));
    for (let i = 0; i < 5; i++) session.counter("shots");
    session.logEvent("frame", { data: { frame } });
    taken.push(performance.now() - before);
    await new Promise((resolve) => setTimeout(resolve, 1_000 / 60));
  }
  session.end();
  stopDaemon(folder);
  const sorted = taken.slice(60).toSorted((a, b) => a - b); // the first second warms up
  const at = (share: number) =>
    (sorted[Math.floor((sorted.length - 1) * share)] ?? NaN).toFixed(2).padStart(9);
  console.log(`${label.padEnd(26)}${at(0.5)}${at(0.99)}${at(1)}`);
}

/** The daemon that this home's session started. */
function stopDaemon(folder: string): void {
  try {
    const { pid } = JSON.parse(readFileSync(join(folder, "daemon.json"), "utf8")) as {
      pid: number;
    };
    process.kill(pid, "SIGTERM");
  } catch {
    // none was started
  }
}

function times(count: number, call: (i: number) => void): number[] {
  const measured: number[] = [];
  for (let i = 0; i < count; i++) {
    const before = process.hrtime.bigint();
    call(i);
    measured.push(Number(process.hrtime.bigint() - before) / 1000);
  }
  return measured;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function lastRecord(folder: string): Buffer {
  const [file] = readdirSync(join(folder, "lanes"));
  const lines = readFileSync(join(folder, "lanes", file ?? ""), "utf8")
    .trimEnd()
    .split("\n");
  return Buffer.from(`${lines.at(-1)}\n`);
}
