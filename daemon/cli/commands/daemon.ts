/** `datacat daemon`: start, stop, status and logs of this machine's daemon. */
import { existsSync, readFileSync } from "node:fs";
import type { Command } from "commander";
import { formatBytes, formatCount, formatDuration } from "../../../src/core/text/format.ts";
import type { DaemonStatus } from "../../api/status.ts";
import { type Environment, home } from "../../home.ts";
import type { DaemonInfo } from "../../info.ts";
import { isAlive } from "../../watch/processes.ts";
import { ensureDaemon, findDaemon } from "../daemon-process.ts";
import { DATACAT } from "../invocation.ts";
import { DAEMON_TIMEOUT_MS, FOLLOW_MS } from "../limits.ts";
import { count, JSON_OPTION } from "../options.ts";
import { bold, dim, print, printJson, styled } from "../terminal.ts";
import { Trouble } from "../trouble.ts";

type LogOptions = { lines: number; follow?: boolean };

export function addDaemon(program: Command): void {
  const { env } = process;
  const daemon = program
    .command("daemon")
    .description(
      "Control the daemon, which sends what was recorded. It starts by itself when needed.",
    );

  daemon
    .command("start")
    .description("Start the daemon now.")
    .option(...JSON_OPTION)
    .action(({ json }) => startDaemon(env, json));

  daemon
    .command("stop")
    .description("Stop the daemon. What it has not sent stays on disk.")
    .option(...JSON_OPTION)
    .action(({ json }) => stopDaemon(env, json));

  daemon
    .command("status")
    .description("Print what the daemon is doing.")
    .option(...JSON_OPTION)
    .action(({ json }) => showStatus(env, json));

  daemon
    .command("logs")
    .description("Print the daemon's log.")
    .option("-n, --lines <count>", "Print the last N lines.", count, 50)
    .option("-f, --follow", "Print further lines as they are written.")
    .option("--json", "Accepted for uniformity: a log is always lines of text.")
    .action((options: LogOptions) => showLogs(env, options));

  daemon
    .command("run", { hidden: true })
    .description("Run the daemon in the foreground.")
    .option("--while <pid>", "Continue as long as this process runs, also with nothing to do.")
    .action(async () => void (await import("../../launch/datacat-daemon.ts")));
}

async function startDaemon(env: Environment, json?: boolean): Promise<void> {
  const running = findDaemon(env);
  if (ensureDaemon(env) === "off") {
    throw new Trouble(
      "failed",
      "DATACAT_DAEMON=off forbids starting a daemon. Unset it, then try again.",
    );
  }
  const info = await until(() => findDaemon(env));
  if (!info) {
    const { log } = home(env, process.platform);
    throw new Trouble(
      "failed",
      `The daemon did not start. Its log is ${log}. For a diagnosis: ${DATACAT} doctor`,
    );
  }
  if (json) return printJson({ ...info, started: !running });
  print(
    `The daemon ${running ? "is already running" : "has started"}: process ${info.pid}, port ${info.port}.`,
  );
}

async function stopDaemon(env: Environment, json?: boolean): Promise<void> {
  const info = findDaemon(env);
  if (info) {
    process.kill(info.pid, "SIGTERM");
    const gone = await until(() => (isAlive(info.pid, info.pid_started) ? undefined : true));
    if (!gone)
      throw new Trouble(
        "failed",
        `The daemon (process ${info.pid}) did not stop within ${formatDuration(DAEMON_TIMEOUT_MS)}.`,
      );
  }
  if (json) return printJson({ stopped: info !== undefined });
  print(
    info ? "The daemon has stopped. What it has not sent is on disk." : "No daemon was running.",
  );
}

async function showStatus(env: Environment, json?: boolean): Promise<void> {
  const info = findDaemon(env);
  if (!info) {
    if (json) return printJson({ running: false });
    print("No daemon is running. One starts when a program begins to record.");
    return;
  }
  const status = await askDaemon(info);
  if (json) return printJson({ running: true, port: info.port, ...status });
  const unsent = status.lanes.filter((lane) => lane.unsent_bytes > 0);
  const unsentBytes = unsent.reduce((sum, lane) => sum + lane.unsent_bytes, 0);
  const server =
    status.reachable === null
      ? "no request sent yet"
      : status.reachable
        ? "answers"
        : "does not answer";
  print(
    `${bold("The daemon is running")}: process ${status.pid}, port ${info.port}, version ${status.version}`,
  );
  print(`Home     ${status.home}`);
  print(
    `Server   ${status.server}, ${status.reachable === false ? styled("red", server) : server}`,
  );
  if (status.waiting) print(styled("yellow", `Waiting  ${waitingText(status.waiting)}`));
  print(`Memory   ${formatBytes(status.resident_bytes)}`);
  print(
    `Lanes    ${status.lanes.length}, ${unsent.length} with ${formatBytes(unsentBytes)} to send`,
  );
  const attachments = status.lanes.reduce((sum, lane) => sum + lane.attachments, 0);
  const content = status.lanes.reduce((sum, lane) => sum + lane.attachment_bytes, 0);
  if (attachments > 0)
    print(`Content  ${formatCount(attachments, "attachment")}, ${formatBytes(content)} to send`);
  print(
    `Sent     ${formatCount(status.sent.ops, "op")} in ${formatCount(status.sent.requests, "request")}, ${formatBytes(status.sent.bytes)}`,
  );
  const { refused, lost } = status.attachments;
  if (refused + lost > 0)
    print(
      styled("red", `Content  of ${formatCount(refused, "attachment")} refused, of ${lost} lost`),
    );
  if (status.sent.refused > 0)
    print(styled("red", `Refused  ${formatCount(status.sent.refused, "record")}`));
  if (status.sent.lastOkAt > 0)
    print(dim(`Last sent ${formatDuration(Date.now() - status.sent.lastOkAt)} ago`));
}

/** Why the daemon waits, and for how long. */
export function waitingText({ message, ms }: NonNullable<DaemonStatus["waiting"]>): string {
  return `${message} Next attempt in ${formatDuration(ms)}.`;
}

/** The daemon's own report. */
export async function askDaemon({ port, token }: DaemonInfo): Promise<DaemonStatus> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/status`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(DAEMON_TIMEOUT_MS),
    });
    return (await answer.json()) as DaemonStatus; // from our own daemon
  } catch {
    throw new Trouble(
      "unreachable",
      `The daemon does not answer on port ${port}. To stop it: ${DATACAT} daemon stop`,
    );
  }
}

async function showLogs(env: Environment, options: LogOptions): Promise<void> {
  const { log } = home(env, process.platform);
  let text = existsSync(log) ? readFileSync(log, "utf8") : "";
  if (text === "" && !options.follow)
    return print(`${log} is empty: no daemon has run with this home.`);
  for (const line of text.trimEnd().split("\n").slice(-options.lines)) if (line) print(line);
  while (options.follow) {
    await new Promise((resolve) => setTimeout(resolve, FOLLOW_MS));
    const now = existsSync(log) ? readFileSync(log, "utf8") : "";
    // A full log is renamed, and the new one begins differently.
    const added = now.startsWith(text) ? now.slice(text.length) : now;
    if (added) print(added.trimEnd());
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
