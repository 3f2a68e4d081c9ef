/** `datacat doctor`: looks at everything that recording depends on, and says what is wrong and what to do about it. */
import { existsSync, readdirSync, statfsSync } from "node:fs";
import { formatBytes, formatDuration } from "../../../src/core/format.ts";
import { type Environment, openHome } from "../../home.ts";
import { askDaemon } from "./daemon.ts";
import { findDaemon } from "../daemon-process.ts";
import { LOW_DISK_BYTES, REQUEST_TIMEOUT_MS, SKEW_MS } from "../limits.ts";
import { readLanes } from "./queue.ts";
import { Server } from "../server.ts";
import { dim, print, printJson, styled } from "../terminal.ts";
import { VERSION } from "../../version.ts";

export type Finding = { what: string; how: "good" | "note" | "bad"; text: string; advice?: string };

/** Answers whether nothing is wrong. */
export async function examine(env: Environment, json?: boolean): Promise<boolean> {
  const findings = [
    ...lookAtSettings(env),
    ...lookAtDisk(env),
    ...(await lookAtDaemon(env)),
    ...(await lookAtServer(env)),
    ...(await lookAtQueue(env)),
  ];
  const isWell = findings.every(({ how }) => how !== "bad");
  if (json) {
    printJson({ well: isWell, findings });
    return isWell;
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
  return isWell;
}

export function lookAtSettings(env: Environment): Finding[] {
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
    const advice = "Then start one yourself: datacat daemon start, without that variable.";
    findings.push({
      what: "settings",
      how: "note",
      text: "DATACAT_DAEMON=off: programs start no daemon",
      advice,
    });
  }
  const proxies = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"];
  for (const name of proxies.filter((proxy) => env[proxy])) {
    const text = `${name} is set: requests to other machines go through ${withoutPassword(env[name] ?? "")}`;
    findings.push({
      what: "proxy",
      how: "note",
      text,
      advice: "NO_PROXY=<server> goes around it.",
    });
  }
  return findings;
}

function lookAtDisk(env: Environment): Finding[] {
  let folder: string;
  try {
    folder = openHome(env, process.platform).folder;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return [{ what: "home", how: "bad", text, advice: "Set DATACAT_HOME to a folder of yours." }];
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
      ...(isLow && {
        advice: "With a full disk, what programs log is lost (and counted). Make room.",
      }),
    },
  ];
}

async function lookAtDaemon(env: Environment): Promise<Finding[]> {
  const info = findDaemon(env);
  if (!info) {
    const text = "none is running; one starts when a program begins to record";
    return [
      { what: "daemon", how: "note", text, advice: "To start one now: datacat daemon start" },
    ];
  }
  try {
    const status = await askDaemon(info.port);
    const findings: Finding[] = [
      {
        what: "daemon",
        how: "good",
        text: `process ${status.pid} on port ${info.port}, ${formatBytes(status.resident_bytes)}`,
      },
    ];
    if (status.version !== VERSION) {
      const text = `it is version ${status.version}, this is ${VERSION}`;
      findings.push({
        what: "daemon",
        how: "note",
        text,
        advice: "datacat daemon stop; the next one is new.",
      });
    }
    if (status.sent.refused > 0) {
      const advice =
        "They are kept in the home's folder dead/. Is the server older than this version?";
      findings.push({
        what: "daemon",
        how: "bad",
        text: `the server refused ${status.sent.refused} batches`,
        advice,
      });
    }
    return findings;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return [{ what: "daemon", how: "bad", text }];
  }
}

async function lookAtServer(env: Environment): Promise<Finding[]> {
  const server = new Server(env);
  try {
    const began = Date.now();
    const health = await server.ask("/health", REQUEST_TIMEOUT_MS);
    const took = Date.now() - began;
    if (health.status !== 200 || !health.body.includes("datacat-server")) {
      const advice = "Is DATACAT_URL right? A proxy or another program may answer in its place.";
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
    return [reachable, ...(await lookAtKey(server)), ...(await lookAtClock(server.url))];
  } catch (error) {
    const [text = "", advice] = (error instanceof Error ? error.message : String(error)).split(
      "\n",
    );
    return [{ what: "server", how: "bad", text, ...(advice && { advice }) }];
  } finally {
    await server.close();
  }
}

async function lookAtKey(server: Server): Promise<Finding[]> {
  const { status } = await server.ask("/api/sessions?limit=1", REQUEST_TIMEOUT_MS);
  const having = server.key === undefined ? "no key" : "a key";
  if (status === 200)
    return [{ what: "key", how: "good", text: `${having}, and the server lets us read` }];
  if (status === 403 && server.key !== undefined) {
    return [
      {
        what: "key",
        how: "note",
        text: "the key may write, but not read",
        advice: "Enough to record.",
      },
    ];
  }
  const text = `${having}, and the server answers ${status}`;
  return [
    {
      what: "key",
      how: "bad",
      text,
      advice: "Make one on the server's settings page, then: datacat login",
    },
  ];
}

/** The Date header counts whole seconds, so only more than a few of them mean something. */
async function lookAtClock(url: string): Promise<Finding[]> {
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
      { what: "clock", how: "note", text, advice: "Times of sessions will be off by as much." },
    ];
  } catch {
    return []; // reachable through a proxy only, which this simple request does not use
  }
}

async function lookAtQueue(env: Environment): Promise<Finding[]> {
  const lanes = await readLanes(env);
  const waiting = lanes.reduce(
    (sum, lane) => sum + Math.max(0, lane.records - lane.acknowledged),
    0,
  );
  const damaged = lanes.filter((lane) => lane.damaged > 0 || lane.missing > 0).length;
  const findings: Finding[] = [
    {
      what: "queue",
      how: "good",
      text: `${lanes.length} lanes on disk, ${waiting} records to send`,
    },
  ];
  if (damaged > 0) {
    const advice =
      "What is whole in them is sent; the rest is counted as lost. See: datacat queue verify";
    findings.push({ what: "queue", how: "note", text: `${damaged} lanes are damaged`, advice });
  }
  const { rejected } = openHome(env, process.platform);
  const refused = existsSync(rejected) ? readdirSync(rejected).length : 0;
  if (refused > 0) {
    const text = `the server refused ${refused} records; they are in ${rejected}`;
    findings.push({ what: "queue", how: "bad", text });
  }
  return findings;
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, "//…@");
}
