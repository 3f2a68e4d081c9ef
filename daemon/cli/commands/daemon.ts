/** `datacat daemon start`, `stop`, `status` and `logs`. */
import { existsSync, readFileSync } from "node:fs";
import { formatBytes, formatDuration } from "../../../src/core/format.ts";
import { type Environment, home } from "../../home.ts";
import type { DaemonStatus } from "../../api/status.ts";
import { isAlive } from "../../watch/processes.ts";
import { ensureDaemon, findDaemon } from "../daemon-process.ts";
import { DAEMON_TIMEOUT_MS, FOLLOW_MS } from "../limits.ts";
import { bold, dim, print, printJson, styled } from "../terminal.ts";
import { Trouble } from "../trouble.ts";

export async function startDaemon(env: Environment, json?: boolean): Promise<void> {
  const had = findDaemon(env);
  if (ensureDaemon(env) === "off") {
    throw new Trouble("failed", "DATACAT_DAEMON=off says that no daemon shall be started.");
  }
  const info = await until(() => findDaemon(env));
  if (!info) {
    const { log } = home(env, process.platform);
    throw new Trouble(
      "failed",
      `The daemon did not start. Its log is ${log}; or try: datacat doctor`,
    );
  }
  if (json) return printJson({ ...info, started: !had });
  print(
    `The daemon ${had ? "runs already" : "has started"}: process ${info.pid}, port ${info.port}.`,
  );
}

export async function stopDaemon(env: Environment, json?: boolean): Promise<void> {
  const info = findDaemon(env);
  if (info) {
    process.kill(info.pid, "SIGTERM");
    const gone = await until(() => (isAlive(info.pid, info.pid_started) ? undefined : true));
    if (!gone) throw new Trouble("failed", `The daemon (process ${info.pid}) does not stop.`);
  }
  if (json) return printJson({ stopped: info !== undefined });
  print(
    info ? "The daemon has stopped. What it had not sent waits on disk." : "No daemon was running.",
  );
}

export async function showStatus(env: Environment, json?: boolean): Promise<void> {
  const info = findDaemon(env);
  if (!info) {
    if (json) return printJson({ running: false });
    print("No daemon is running. One starts by itself when a program begins to record.");
    return;
  }
  const status = await askDaemon(info.port);
  if (json) return printJson({ running: true, port: info.port, ...status });
  const waiting = status.lanes.filter((lane) => lane.unsent_bytes > 0);
  const server =
    status.reachable === null
      ? "not asked yet"
      : status.reachable
        ? "takes what it is sent"
        : "does not answer";
  print(
    `${bold("The daemon runs")}: process ${status.pid}, port ${info.port}, version ${status.version}`,
  );
  print(`Home     ${status.home}`);
  print(
    `Server   ${status.server}, ${status.reachable === false ? styled("red", server) : server}`,
  );
  print(`Memory   ${formatBytes(status.resident_bytes)}`);
  print(
    `Lanes    ${status.lanes.length}, ${waiting.length} with ${formatBytes(waiting.reduce((sum, lane) => sum + lane.unsent_bytes, 0))} to send`,
  );
  print(
    `Sent     ${status.sent.ops} ops in ${status.sent.requests} requests, ${formatBytes(status.sent.bytes)}`,
  );
  if (status.sent.refused > 0) print(styled("red", `Refused  ${status.sent.refused} batches`));
  if (status.sent.lastOkAt > 0)
    print(dim(`Last sent ${formatDuration(Date.now() - status.sent.lastOkAt)} ago`));
}

/** What the daemon says of itself. */
export async function askDaemon(port: number): Promise<DaemonStatus> {
  try {
    const signal = AbortSignal.timeout(DAEMON_TIMEOUT_MS);
    const answer = await fetch(`http://127.0.0.1:${port}/status`, { signal });
    return (await answer.json()) as DaemonStatus; // our own daemon's
  } catch {
    throw new Trouble(
      "unreachable",
      `The daemon does not answer on port ${port}. Try: datacat daemon stop`,
    );
  }
}

export async function showLogs(
  env: Environment,
  options: { lines: number; follow?: boolean },
): Promise<void> {
  const { log } = home(env, process.platform);
  let text = existsSync(log) ? readFileSync(log, "utf8") : "";
  if (text === "" && !options.follow) return print(`${log} is empty: no daemon has run here.`);
  for (const line of text.trimEnd().split("\n").slice(-options.lines)) if (line) print(line);
  while (options.follow) {
    await new Promise((resolve) => setTimeout(resolve, FOLLOW_MS));
    const now = existsSync(log) ? readFileSync(log, "utf8") : "";
    // A log that begins differently was moved aside because it was full.
    const added = now.startsWith(text) ? now.slice(text.length) : now;
    if (added) process.stdout.write(added);
    text = now;
  }
}

async function until<Found>(look: () => Found | undefined): Promise<Found | undefined> {
  const deadline = Date.now() + DAEMON_TIMEOUT_MS;
  for (;;) {
    const found = look();
    if (found !== undefined || Date.now() > deadline) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
