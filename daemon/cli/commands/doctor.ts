/** `datacat doctor`: checks everything that recording depends on, and prints each problem with what to do about it. */
import { statfsSync } from "node:fs";
import type { Command } from "commander";
import * as v from "valibot";
import { redactText } from "../../../src/core/secrets/redact.ts";
import { formatBytes, formatCount, formatDuration } from "../../../src/core/text/format.ts";
import { readSettings, rulesOf } from "../../config.ts";
import { type Environment, home, homesOf, openHome } from "../../home.ts";
import { askDaemon, waitingText } from "./daemon.ts";
import { readLanes, rejectedIn } from "./queue.ts";
import { findDaemon } from "../daemon-process.ts";
import { LOW_DISK_BYTES, REQUEST_TIMEOUT_MS, SKEW_MS } from "../limits.ts";

import { DATACAT } from "../invocation.ts";
import { JSON_OPTION } from "../options.ts";
import { Server } from "../server.ts";
import { dim, print, printJson, styled } from "../terminal.ts";
import { EXIT_CODES } from "../trouble.ts";
import { VERSION } from "../../version.ts";

type Finding = { what: string; how: "good" | "note" | "bad"; text: string; advice?: string };

export function addDoctor(program: Command): void {
  program
    .command("doctor")
    .description("Check settings, disk, daemon, server, key, clock and queue for problems.")
    .option(...JSON_OPTION)
    .action(async ({ json }) => {
      if (!(await examine(process.env, json))) process.exitCode = EXIT_CODES.failed;
    });
}

/** Returns whether there is no problem. */
async function examine(env: Environment, json?: boolean): Promise<boolean> {
  const findings = [
    ...checkSettings(env),
    ...checkDisk(env),
    ...(await checkDaemon(env)),
    ...(await checkServer(env)),
    ...(await checkQueue(env)),
  ].map((finding) => ({ ...finding, text: redactText(finding.text) })); // the server's address may have a password
  const isHealthy = findings.every(({ how }) => how !== "bad");
  if (json) {
    printJson({ well: isHealthy, findings });
    return isHealthy;
  }
  const marks = {
    good: styled("green", "✓"),
    note: styled("yellow", "!"),
    bad: styled("red", "✗"),
  };
  for (const { what, how, text, advice } of findings) {
    print(`${marks[how]} ${what.padEnd(9)} ${text}`);
    if (advice) print(dim(`            ${advice}`));
  }
  return isHealthy;
}

function checkSettings(env: Environment): Finding[] {
  const findings: Finding[] = [
    { what: "version", how: "good", text: `datacat ${VERSION} on Node ${process.versions.node}` },
  ];
  if (env["DATACAT_DISABLED"] === "1") {
    const advice = "Unset it to record.";
    findings.push({
      what: "settings",
      how: "bad",
      text: "DATACAT_DISABLED=1: nothing is recorded",
      advice,
    });
  }
  if (env["DATACAT_DAEMON"] === "off") {
    const advice = `Unset it, then: ${DATACAT} daemon start`;
    findings.push({
      what: "settings",
      how: "note",
      text: "DATACAT_DAEMON=off: programs start no daemon",
      advice,
    });
  }
  const { problem } = rulesOf(env, readSettings(home(env, process.platform).config));
  if (problem !== undefined) {
    const advice =
      "Only the built-in rules of redaction are used. The format is in clients/README.md, Secrets.";
    findings.push({ what: "settings", how: "bad", text: problem, advice });
  }
  const proxies = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"];
  for (const name of proxies.filter((proxy) => env[proxy])) {
    const text = `${name} is set: requests to other machines go through ${withoutPassword(env[name] ?? "")}`;
    findings.push({
      what: "proxy",
      how: "note",
      text,
      advice: "With NO_PROXY=<server> requests go to the server directly.",
    });
  }
  return findings;
}

function checkDisk(env: Environment): Finding[] {
  let folder: string;
  try {
    folder = openHome(env, process.platform).folder;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return [
      {
        what: "home",
        how: "bad",
        text,
        advice: "Set DATACAT_HOME to a folder that you may write.",
      },
    ];
  }
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const isLow = free < LOW_DISK_BYTES;
  return [
    { what: "home", how: "good", text: folder },
    {
      what: "disk",
      how: isLow ? "bad" : "good",
      text: `${formatBytes(free)} free`,
      advice: isLow
        ? "Free disk space: with a full disk, what programs record is lost (and counted)."
        : undefined,
    },
  ];
}

async function checkDaemon(env: Environment): Promise<Finding[]> {
  const info = findDaemon(env);
  if (!info) {
    const text = "not running; it starts when a program begins to record";
    return [
      { what: "daemon", how: "note", text, advice: `To start it now: ${DATACAT} daemon start` },
    ];
  }
  try {
    const status = await askDaemon(info);
    const findings: Finding[] = [
      {
        what: "daemon",
        how: "good",
        text: `process ${status.pid} on port ${info.port}, ${formatBytes(status.resident_bytes)}`,
      },
    ];
    if (status.version !== VERSION) {
      const text = `its version is ${status.version}, this command's is ${VERSION}`;
      findings.push({
        what: "daemon",
        how: "note",
        text,
        advice: `Stop it: ${DATACAT} daemon stop. The next one has this version.`,
      });
    }
    if (status.waiting) {
      findings.push({
        what: "daemon",
        how: "bad",
        text: `waits: ${waitingText(status.waiting)}`,
        advice: "What it has not sent stays on disk.",
      });
    }
    if (status.sent.refused > 0) {
      const advice =
        "They are in the home's folder rejected/. The server may be older than this version.";
      findings.push({
        what: "daemon",
        how: "bad",
        text: `the server refused ${formatCount(status.sent.refused, "record")}`,
        advice,
      });
    }
    return findings;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return [{ what: "daemon", how: "bad", text }];
  }
}

async function checkServer(env: Environment): Promise<Finding[]> {
  const server = new Server(env);
  try {
    const began = Date.now();
    const health = await server.ask("/health", REQUEST_TIMEOUT_MS);
    const took = Date.now() - began;
    if (health.status !== 200 || !health.body.includes("datacat-server")) {
      const advice = "Check DATACAT_URL. A proxy or another program may have answered.";
      return [
        {
          what: "server",
          how: "bad",
          text: `${server.url} answers, but not as a Datacat server`,
          advice,
        },
      ];
    }
    const reachable: Finding = {
      what: "server",
      how: "good",
      text: `${server.url} answers in ${formatDuration(took)}`,
    };
    return [
      reachable,
      ...problemsIn(health.body),
      ...(await checkKey(server)),
      ...(await checkClock(server.url)),
    ];
  } catch (error) {
    const [text = "", advice] = (error instanceof Error ? error.message : String(error)).split(
      "\n",
    );
    return [{ what: "server", how: "bad", text, advice }];
  } finally {
    await server.close();
  }
}

/** What the server states about itself: a damaged catalog, a full disk, a wrong setting. */
function problemsIn(body: string): Finding[] {
  const parsed = v.safeParse(
    Problems,
    tried(() => JSON.parse(body) as unknown),
  );
  return (parsed.success ? parsed.output.problems : []).map((text) => ({
    what: "server",
    how: "bad",
    text,
  }));
}

const Problems = v.object({ problems: v.optional(v.array(v.string()), []) });

function tried(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    return undefined;
  }
}

async function checkKey(server: Server): Promise<Finding[]> {
  const { status } = await server.ask("/api/sessions?limit=1", REQUEST_TIMEOUT_MS);
  const having = server.key === undefined ? "no key" : "a key";
  if (status === 200) return [{ what: "key", how: "good", text: `${having}; reading is allowed` }];
  if (status === 403 && server.key !== undefined) {
    return [
      {
        what: "key",
        how: "note",
        text: "the key allows writing, but not reading",
        advice: "Enough to record.",
      },
    ];
  }
  const text = `${having}; the server answered ${status}`;
  return [
    {
      what: "key",
      how: "bad",
      text,
      advice: `Create one on the server's settings page, then: ${DATACAT} login`,
    },
  ];
}

/** The Date header has whole seconds, so only a difference of several seconds is reported. */
async function checkClock(url: string): Promise<Finding[]> {
  try {
    const began = Date.now();
    const answer = await fetch(`${url}/health`, {
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    const theirs = Date.parse(answer.headers.get("date") ?? "");
    if (Number.isNaN(theirs)) return [];
    const skew = (began + Date.now()) / 2 - theirs;
    if (Math.abs(skew) < SKEW_MS)
      return [{ what: "clock", how: "good", text: "agrees with the server's" }];
    const text = `this machine's is ${formatDuration(Math.abs(skew))} ${skew > 0 ? "ahead of" : "behind"} the server's`;
    return [
      { what: "clock", how: "note", text, advice: "The times of sessions are wrong by as much." },
    ];
  } catch {
    return []; // reachable only through a proxy, which this request does not use
  }
}

async function checkQueue(env: Environment): Promise<Finding[]> {
  const lanes = await readLanes(env);
  const waiting = lanes.reduce(
    (sum, lane) => sum + Math.max(0, lane.records - lane.acknowledged),
    0,
  );
  const attachments = lanes.reduce((sum, lane) => sum + lane.attachments, 0);
  const content = lanes.reduce((sum, lane) => sum + lane.attachment_bytes, 0);
  const damaged = lanes.filter((lane) => lane.damaged > 0 || lane.missing > 0).length;
  const findings: Finding[] = [
    {
      what: "queue",
      how: "good",
      text: `${formatCount(lanes.length, "lane")} on disk, ${formatCount(waiting, "record")}${attachments > 0 ? ` and ${formatCount(attachments, "attachment")} (${formatBytes(content)})` : ""} to send`,
    },
  ];
  const [home] = homesOf(env, process.platform);
  const elsewhere = new Set(lanes.map(({ folder }) => folder).filter((at) => at !== home?.lanes));
  for (const folder of elsewhere) {
    findings.push({
      what: "queue",
      how: "note",
      text: `some lanes are in ${folder}: the home had no room or could not be written when they began`,
      advice: "The daemon sends them too.",
    });
  }
  if (damaged > 0) {
    const advice = `The intact records are sent; the others are counted as lost. For details: ${DATACAT} queue verify`;
    findings.push({
      what: "queue",
      how: "note",
      text: formatCount(damaged, "damaged lane"),
      advice,
    });
  }
  for (const { folder, files } of rejectedIn(env)) {
    const text = `the server refused ${formatCount(files, "record")}; see ${folder}`;
    findings.push({ what: "queue", how: "bad", text });
  }
  return findings;
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, "//…@");
}
