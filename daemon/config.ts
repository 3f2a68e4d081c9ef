/**
 * The daemon's configuration: from the environment and the home's `config.json`, and as in 1.x from the file that DATACAT_CONFIG names,
 * which makes it a private daemon of the program that started it. Nothing is read from the current directory otherwise: it may be a
 * stranger's checkout. 1.x's clients always set DATACAT_CONFIG.
 */
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import * as v from "valibot";
import { DEFAULT_HEARTBEAT_TIMEOUT_MS, MAX_LABEL_LENGTH } from "../src/core/limits.ts";
import { cutName } from "../src/core/text/cut-names.ts";
import { tagTexts } from "../src/core/text/tag.ts";
import { type OwnRules, parseOwnRules } from "../src/core/secrets/own.ts";
import type { Environment } from "./home.ts";
import { BATCH_MS, DEFAULT_PORT, MAX_DISK_BYTES, MAX_MACHINE_TAGS } from "./limits.ts";

/** Where `npm start` serves. */
export const DEFAULT_SERVER = "http://localhost:8080";

/** `config.json` in the home: `datacat login` writes it. Each key belongs to one server and is sent to no other. */
const Settings = v.object({
  server: v.optional(v.string()),
  keys: v.optional(v.record(v.string(), v.string()), {}),
  max_disk_bytes: v.optional(v.pipe(v.number(), v.minValue(0))),
  /** Addresses to listen on in addition to loopback, for clients in containers. */
  listen: v.optional(v.array(v.string()), []),
  /** Host names that those clients may use. */
  hosts: v.optional(v.array(v.string()), []),
  /** Rules of redaction beside the built-in ones, as in DATACAT_REDACT. */
  redact: v.optional(v.unknown()),
  /** Tags of every session of this machine: a list, or an object of values by key. */
  tags: v.optional(
    v.union([
      v.array(v.string()),
      v.record(v.string(), v.union([v.string(), v.number(), v.boolean(), v.null()])),
    ]),
  ),
});
type Settings = v.InferOutput<typeof Settings>;

/** 1.x's file. Its clients write some numbers as strings. */
const integer = v.pipe(v.union([v.number(), v.string()]), v.transform(Number), v.integer());
const Legacy = v.object({
  daemon_port: v.optional(v.pipe(integer, v.minValue(0), v.maxValue(65_535))),
  server_url: v.optional(v.string()),
  batch_interval_seconds: v.optional(v.pipe(v.number(), v.minValue(0))),
  heartbeat_timeout_seconds: v.optional(v.pipe(v.number(), v.minValue(0))),
  api_key: v.optional(v.string()),
  tls_insecure_skip_verify: v.optional(v.boolean()),
});

export type Config = {
  /** The server of lanes whose header has none. */
  server: string;
  port: number;
  /** Started as in 1.x: it serves one program, from a home of its own. */
  isPrivate: boolean;
  batchMs: number;
  heartbeatTimeoutMs: number;
  /** By server. Each is sent to that server only. */
  keys: Record<string, string>;
  /** The server whose certificate is not checked: 1.x's file may name one for itself. */
  insecureServer: string | undefined;
  maxDiskBytes: number;
  listen: string[];
  hosts: string[];
  /** Rules of redaction beside the built-in ones. */
  redact: OwnRules;
  /** Tags of every session. */
  tags: string[];
  /** What is wrong with the files, for the log. */
  problems: string[];
};

export function readConfig(env: Environment, folder: string, settingsPath: string): Config {
  const problems: string[] = [];
  const settings = readSettings(settingsPath, problems);
  const legacyPath = env["DATACAT_CONFIG"] && resolve(folder, env["DATACAT_CONFIG"]);
  const legacy = legacyPath ? readJson(legacyPath, Legacy, problems) : {};

  const ownServer = serverUrl(env["DATACAT_URL"] || settings.server || DEFAULT_SERVER);
  const server = legacy.server_url ? serverUrl(legacy.server_url) : ownServer;
  const isInsecure = legacy.tls_insecure_skip_verify === true && server !== ownServer;
  const keys = {
    ...Object.fromEntries(Object.entries(settings.keys).map(([url, key]) => [serverUrl(url), key])),
    // The user's key is for the user's server, and not for one that a file of the program names.
    ...(env["DATACAT_KEY"] && { [ownServer]: env["DATACAT_KEY"] }),
  };
  if (legacy.api_key) keys[server] = legacy.api_key;
  else if (isInsecure) delete keys[server];
  const redact = rulesOf(env, settings);
  if (redact.problem !== undefined) problems.push(redact.problem);
  const port = legacy.daemon_port ?? Number(env["DATACAT_DAEMON_PORT"] || DEFAULT_PORT);

  return {
    server,
    port: Number.isInteger(port) && port >= 0 && port <= 65_535 ? port : DEFAULT_PORT,
    isPrivate: Boolean(legacyPath),
    // Zero seconds crashed 1.x's daemon; here it is the default.
    batchMs: (legacy.batch_interval_seconds || BATCH_MS / 1000) * 1000,
    heartbeatTimeoutMs:
      (legacy.heartbeat_timeout_seconds || DEFAULT_HEARTBEAT_TIMEOUT_MS / 1000) * 1000,
    keys,
    insecureServer: isInsecure ? server : undefined,
    maxDiskBytes: bytes(env["DATACAT_MAX_DISK"]) ?? settings.max_disk_bytes ?? MAX_DISK_BYTES,
    listen: settings.listen,
    hosts: settings.hosts,
    redact: redact.rules,
    tags: machineTags(settings, settingsPath, problems),
    problems,
  };
}

/** The tags that each session of this machine gets, within the limits. */
function machineTags({ tags }: Settings, path: string, problems: string[]): string[] {
  const all = tagTexts(tags);
  const kept = all.slice(0, MAX_MACHINE_TAGS).map((tag) => cutName(tag, MAX_LABEL_LENGTH));
  if (all.length > kept.length)
    problems.push(`${path}: tags after the first ${MAX_MACHINE_TAGS} are ignored`);
  if (kept.some((tag, index) => tag !== all[index]))
    problems.push(`${path}: tags are cut to ${MAX_LABEL_LENGTH} characters`);
  return kept;
}

/** The rules of redaction beside the built-in ones, or what is wrong with the setting. */
export function rulesOf(env: Environment, { redact }: Settings): ReturnType<typeof parseOwnRules> {
  return parseOwnRules(env["DATACAT_REDACT"] || JSON.stringify(redact));
}

/** A server's address without a slash at the end. */
export function serverUrl(url: string): string {
  return url.replace(/\/+$/, "");
}

export function readSettings(path: string, problems: string[] = []): Settings {
  return existsSync(path) ? readJson(path, Settings, problems) : v.parse(Settings, {});
}

export function saveSettings(path: string, settings: Settings): void {
  writeFileSync(path, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600 });
}

/** Ignores a file of another user, and keys of a wrong type: one must not stop a program's recording. */
function readJson<Schema extends typeof Settings | typeof Legacy>(
  path: string,
  schema: Schema,
  problems: string[],
): v.InferOutput<Schema> {
  let value: unknown = {};
  try {
    if (isForeign(path)) throw new Error("it belongs to another user");
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    problems.push(`${path} is ignored: ${error instanceof Error ? error.message : "unreadable"}`);
  }
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  const wrong = new Set(parsed.issues.map((issue) => v.getDotPath(issue)?.split(".")[0]));
  problems.push(`${path}: ${[...wrong].join(", ") || "everything"} ignored: wrong type`);
  const entries = typeof value === "object" && value !== null ? Object.entries(value) : [];
  return v.parse(schema, Object.fromEntries(entries.filter(([key]) => !wrong.has(key))));
}

function isForeign(path: string): boolean {
  const uid = process.geteuid?.();
  return uid !== undefined && statSync(path).uid !== uid;
}

/** "500000000", "500M", "2G". */
function bytes(text: string | undefined): number | undefined {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*([kmg]?)i?b?$/i.exec(text?.trim() ?? "") ?? [];
  if (digits === undefined) return undefined;
  const scale = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }[unit?.toLowerCase() ?? ""] ?? 1;
  return Math.round(Number(digits) * scale);
}
