/**
 * What the daemon is told: by the environment, by the home's `config.json`, or in 1.x's way by a file named in DATACAT_CONFIG
 * (else `./daemon_config.json`), which makes it a private daemon of the program that started it.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import * as v from "valibot";
import { DEFAULT_HEARTBEAT_TIMEOUT_MS } from "../src/core/limits.ts";
import type { Environment } from "./home.ts";
import { CALM_MS, DEFAULT_PORT, MAX_DISK_BYTES } from "./limits.ts";

const DEFAULT_SERVER = "http://localhost:8080";

/** `config.json` in the home: `datacat login` writes it. Keys belong to servers, so none is ever sent to another. */
const Settings = v.object({
  server: v.optional(v.string()),
  keys: v.optional(v.record(v.string(), v.string()), {}),
  max_disk_bytes: v.optional(v.pipe(v.number(), v.minValue(0))),
  /** Addresses to listen on besides loopback, for clients in containers, and names they may call us by. */
  listen: v.optional(v.array(v.string()), []),
  hosts: v.optional(v.array(v.string()), []),
});
export type Settings = v.InferOutput<typeof Settings>;

/** 1.x's file. Its clients write strings and integers, and only five of the keys. */
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
  /** Where lanes go that name no server. */
  server: string;
  port: number;
  /** Started in 1.x's way: serves one program, from a home of its own. */
  isPrivate: boolean;
  calmMs: number;
  heartbeatTimeoutMs: number;
  keys: Record<string, string>;
  insecure: boolean;
  maxDiskBytes: number;
  listen: string[];
  hosts: string[];
  /** What was wrong with the files, for the log. */
  complaints: string[];
};

export function readConfig(env: Environment, folder: string, settingsPath: string): Config {
  const complaints: string[] = [];
  const settings = readSettings(settingsPath, complaints);
  const legacyPath = findLegacy(env, folder);
  const legacy = legacyPath === undefined ? {} : readJson(legacyPath, Legacy, complaints);

  const server = serverUrl(
    legacy.server_url || env["DATACAT_URL"] || settings.server || DEFAULT_SERVER,
  );
  const key = legacy.api_key || env["DATACAT_KEY"];
  const keys = Object.entries(settings.keys).map(([url, known]) => [serverUrl(url), known]);
  const port = legacy.daemon_port ?? Number(env["DATACAT_DAEMON_PORT"] || DEFAULT_PORT);

  return {
    server,
    port: Number.isInteger(port) && port >= 0 && port <= 65_535 ? port : DEFAULT_PORT,
    isPrivate: legacyPath !== undefined,
    // Zero seconds made 1.x's daemon crash; here it means the default.
    calmMs: (legacy.batch_interval_seconds || CALM_MS / 1000) * 1000,
    heartbeatTimeoutMs:
      (legacy.heartbeat_timeout_seconds || DEFAULT_HEARTBEAT_TIMEOUT_MS / 1000) * 1000,
    keys: { ...Object.fromEntries(keys), ...(key && { [server]: key }) },
    insecure: legacy.tls_insecure_skip_verify ?? false,
    maxDiskBytes: bytes(env["DATACAT_MAX_DISK"]) ?? settings.max_disk_bytes ?? MAX_DISK_BYTES,
    listen: settings.listen,
    hosts: settings.hosts,
    complaints,
  };
}

/** A server as it is compared and called: without a slash at the end. */
export function serverUrl(url: string): string {
  return url.replace(/\/+$/, "");
}

export function readSettings(path: string, complaints: string[] = []): Settings {
  return existsSync(path) ? readJson(path, Settings, complaints) : v.parse(Settings, {});
}

export function saveSettings(path: string, settings: Settings): void {
  writeFileSync(path, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600 });
}

function findLegacy(env: Environment, folder: string): string | undefined {
  if (env["DATACAT_CONFIG"]) return resolve(folder, env["DATACAT_CONFIG"]);
  const beside = join(folder, "daemon_config.json");
  return existsSync(beside) ? beside : undefined;
}

/** Reads what it can: one wrong key must not stop a program's recording. */
function readJson<Schema extends typeof Settings | typeof Legacy>(
  path: string,
  schema: Schema,
  complaints: string[],
): v.InferOutput<Schema> {
  let value: unknown = {};
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    complaints.push(
      `${path} is not used: ${error instanceof Error ? error.message : "unreadable"}`,
    );
  }
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  const wrong = new Set(parsed.issues.map((issue) => v.getDotPath(issue)?.split(".")[0]));
  complaints.push(`${path}: ignored ${[...wrong].join(", ") || "everything"}: wrong type`);
  const entries = typeof value === "object" && value !== null ? Object.entries(value) : [];
  return v.parse(schema, Object.fromEntries(entries.filter(([key]) => !wrong.has(key))));
}

/** "500000000", "500M", "2G". */
function bytes(text: string | undefined): number | undefined {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*([kmg]?)i?b?$/i.exec(text?.trim() ?? "") ?? [];
  if (digits === undefined) return undefined;
  const scale = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }[unit?.toLowerCase() ?? ""] ?? 1;
  return Math.round(Number(digits) * scale);
}
