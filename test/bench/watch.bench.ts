/**
 * What a program pays for its evidence while all is well: the share of a core of a session whose heartbeats come in time, with the samples of
 * stacks on and off. `node test/bench/watch.bench.ts [seconds]`. Prints the table that README.md keeps. Linux only (/proc).
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const [seconds = 60] = process.argv.slice(2).map(Number);
const STARTED_MS = 5_000; // after which each program only waits and sends heartbeats
const TIMEOUT_MS = 3_000;
const root = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "datacat-watch-"));

const PYTHON = `import datacat, time
session = datacat.open(product="bench watch")
session.start_heartbeat_monitor(timeout=${TIMEOUT_MS / 1_000})
while True:
    session.heartbeat()
    time.sleep(${TIMEOUT_MS / 3_000})
`;
const NODE = `import { open } from ${JSON.stringify(join(root, "clients/typescript/node.ts"))};
const session = open({ product: "bench watch" });
session.startHeartbeatMonitor(${TIMEOUT_MS});
setInterval(() => session.heartbeat(), ${TIMEOUT_MS / 3});
`;
const GO = `package main

import (
	"context"
	"time"

	datacat "github.com/datacat/datacat/clients/go/v2"
)

func main() {
	session := datacat.Open(context.Background(), datacat.Options{Product: "bench watch"})
	session.StartHeartbeatMonitor(${TIMEOUT_MS} * time.Millisecond)
	for range time.Tick(${TIMEOUT_MS / 3} * time.Millisecond) {
		session.Heartbeat()
	}
}
`;

try {
  writeFileSync(join(folder, "watch.py"), PYTHON);
  writeFileSync(join(folder, "watch.mjs"), NODE);
  const programs: [string, string[]][] = [
    ["Python", ["python3", join(folder, "watch.py")]],
    ["Node", [process.execPath, join(folder, "watch.mjs")]],
    ["Go", [goProgram()]],
  ];
  console.log(`\nheartbeats each second, a timeout of 3 s, ${seconds} s\n`);
  console.log("| share of a core, % | with the watch | without |");
  console.log("| --- | ---: | ---: |");
  for (const [name, command] of programs) {
    const [on, off] = await Promise.all([share(command, "1"), share(command, "0")]);
    console.log(`| ${name} | ${on.toFixed(3)} | ${off.toFixed(3)} |`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function goProgram(): string {
  const source = join(folder, "go");
  const name = "github.com/datacat/datacat/clients/go/v2";
  mkdirSync(source);
  writeFileSync(join(source, "main.go"), GO);
  writeFileSync(
    join(source, "go.mod"),
    `module watch\n\ngo 1.19\n\nrequire ${name} v2.0.0\n\nreplace ${name} => ${join(root, "clients/go")}\n`,
  );
  execFileSync("go", ["build", "-mod=mod", "-o", "watch", "."], { cwd: source });
  return join(source, "watch");
}

async function share([command = "", ...args]: string[], stacks: "0" | "1"): Promise<number> {
  const child = spawn(command, args, {
    stdio: "ignore",
    env: {
      ...process.env,
      PYTHONPATH: join(root, "clients/python"),
      DATACAT_HOME: join(folder, `home-${stacks}`),
      DATACAT_DAEMON: "off",
      DATACAT_STACKS: stacks,
    },
  });
  try {
    await sleep(STARTED_MS);
    const before = cpuSeconds(child.pid);
    await sleep(seconds * 1_000);
    return ((cpuSeconds(child.pid) - before) / seconds) * 100;
  } finally {
    child.kill("SIGKILL");
  }
}

/** Of all threads, in nanoseconds' resolution: /proc/PID/stat counts in hundredths of a second. */
function cpuSeconds(pid = 0): number {
  const tasks = execFileSync("sh", ["-c", `cat /proc/${pid}/task/*/schedstat`], {
    encoding: "utf8",
  });
  const times = tasks
    .trim()
    .split("\n")
    .map((line) => Number(line.split(" ", 1)[0]));
  return times.reduce((sum, time) => sum + time, 0) / 1e9;
}
