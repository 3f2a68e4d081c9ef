/**
 * How soon a private daemon accepts connections: `node test/bench/start.bench.ts [starts] [busy processes]`, against a Node that only
 * listens. 1.x's Python client connects once, a second after it started the daemon. Prints the table that README.md keeps.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const [starts = 100, load = 4] = process.argv.slice(2).map(Number);
const launcher = join(import.meta.dirname, "../../daemon/launch/datacat-daemon.mjs");
const BARE = `import net from "node:net"; net.createServer().listen(process.env.PORT, "127.0.0.1");`;
const programs: [string, string[]][] = [
  ["daemon, by this Node", [process.execPath, launcher]],
  ["daemon, by the Node of PATH", ["/usr/bin/env", "node", launcher]],
  ["bare listener, by this Node", [process.execPath, "--input-type=module", "-e", BARE]],
];

const busy = Array.from({ length: load }, () =>
  spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" }),
);
const times = new Map<string, number[]>(programs.map(([name]) => [name, []]));
try {
  for (let i = 0; i < starts; i++) {
    for (const [name, command] of programs) times.get(name)?.push(await timeOf(command)); // taking turns
  }
} finally {
  for (const each of busy) each.kill("SIGKILL");
}

console.log(`\nNode ${process.version}, ${cpus().length} cores, ${load} busy processes beside\n`);
console.log("| until it accepts a connection, ms | p50 | p90 | p99 | max | over 1 s |");
console.log("| --- | ---: | ---: | ---: | ---: | ---: |");
for (const [name, measured] of times) {
  const sorted = measured.toSorted((a, b) => a - b);
  const at = (part: number) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0);
  const late = sorted.filter((time) => time > 1_000).length;
  console.log(`| ${name} | ${at(0.5)} | ${at(0.9)} | ${at(0.99)} | ${at(1)} | ${late} |`);
}

async function timeOf([command = "", ...args]: string[]): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "datacat-start-"));
  const port = await freePort();
  const config = join(folder, "daemon_config.json");
  writeFileSync(
    config,
    JSON.stringify({ daemon_port: `${port}`, server_url: "http://127.0.0.1:1" }),
  );
  const env = {
    ...process.env,
    DATACAT_CONFIG: config,
    DATACAT_HOME: join(folder, "home"),
    PORT: `${port}`,
  };
  const started = performance.now();
  const child = spawn(command, args, { cwd: folder, env, stdio: "ignore" });
  while (!(await accepts(port))) await sleep(2);
  const elapsed = performance.now() - started;
  await stop(child);
  rmSync(folder, { recursive: true, force: true });
  return elapsed;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

async function stop(child: ChildProcess): Promise<void> {
  child.kill("SIGTERM");
  await once(child, "exit");
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // listening on a port
  server.close();
  await once(server, "close");
  return port;
}
