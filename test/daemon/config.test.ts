import { chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import {
  DEFAULT_SERVER,
  readConfig,
  readSettings,
  saveSettings,
  serverUrl,
} from "../../daemon/config.ts";
import type { Environment } from "../../daemon/home.ts";
import { BATCH_MS, DEFAULT_PORT, MAX_DISK_BYTES } from "../../daemon/limits.ts";
import { DEFAULT_HEARTBEAT_TIMEOUT_MS } from "../../src/core/limits.ts";
import { asRoot, SECOND_UID } from "../second-user.ts";

type Files = { settings?: unknown; legacy?: unknown };

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "datacat-config-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** The configuration with these files; a text is written as it is. */
function configOf(env: Environment, { settings, legacy }: Files = {}) {
  const folder = newFolder();
  const write = (name: string, value: unknown) =>
    writeFileSync(join(folder, name), typeof value === "string" ? value : JSON.stringify(value));
  if (settings !== undefined) write("config.json", settings);
  if (legacy !== undefined) write("daemon_config.json", legacy);
  const named = legacy === undefined ? {} : { DATACAT_CONFIG: "daemon_config.json" };
  return readConfig({ ...named, ...env }, folder, join(folder, "config.json"));
}

test("without files and environment everything has its default", () => {
  expect(configOf({})).toEqual({
    server: DEFAULT_SERVER,
    port: DEFAULT_PORT,
    isPrivate: false,
    batchMs: BATCH_MS,
    heartbeatTimeoutMs: DEFAULT_HEARTBEAT_TIMEOUT_MS,
    keys: {},
    insecureServer: undefined,
    maxDiskBytes: MAX_DISK_BYTES,
    listen: [],
    hosts: [],
    redact: { prefixes: [], names: [], keep: [] },
    tags: [],
    problems: [],
  });
});

test("1.x's file goes before the environment, and the environment before the settings", () => {
  const settings = { server: "http://settings" };
  const env = { DATACAT_URL: "http://env" };
  expect(configOf({}, { settings }).server).toBe("http://settings");
  expect(configOf(env, { settings }).server).toBe("http://env");
  expect(configOf(env, { settings, legacy: { server_url: "http://legacy" } }).server).toBe(
    "http://legacy",
  );
});

test("1.x's file makes the daemon private, in 1.x's units and with numbers as strings", () => {
  const legacy = {
    daemon_port: "8100",
    server_url: "https://old/",
    batch_interval_seconds: 2.5,
    heartbeat_timeout_seconds: 90,
    tls_insecure_skip_verify: true,
  };
  expect(configOf({}, { legacy })).toMatchObject({
    isPrivate: true,
    port: 8100,
    batchMs: 2_500,
    heartbeatTimeoutMs: 90_000,
    insecureServer: "https://old",
  });
});

test("zero seconds in 1.x's file are the default", () => {
  const legacy = { batch_interval_seconds: 0, heartbeat_timeout_seconds: 0 };
  expect(configOf({}, { legacy })).toMatchObject({
    batchMs: BATCH_MS,
    heartbeatTimeoutMs: DEFAULT_HEARTBEAT_TIMEOUT_MS,
  });
});

test("DATACAT_CONFIG names 1.x's file, relative to the working folder", () => {
  const folder = newFolder();
  writeFileSync(join(folder, "other.json"), JSON.stringify({ daemon_port: 8101 }));
  const config = readConfig({ DATACAT_CONFIG: "other.json" }, folder, join(folder, "none"));
  expect(config).toMatchObject({ isPrivate: true, port: 8101, problems: [] });
});

test("1.x's file in the current directory counts only if DATACAT_CONFIG names it", () => {
  const legacy = { server_url: "http://stranger", daemon_port: 8100 };
  expect(configOf({ DATACAT_CONFIG: "" }, { legacy })).toMatchObject({
    server: DEFAULT_SERVER,
    port: DEFAULT_PORT,
    isPrivate: false,
  });
});

test("the server of 1.x's file gets no key of the user's, and only it goes unchecked", () => {
  const env = { DATACAT_KEY: "key-env" };
  const settings = { server: "https://mine", keys: { "https://other": "key-other" } };
  const stranger = { server_url: "https://stranger", tls_insecure_skip_verify: true };
  const all = { "https://mine": "key-env", "https://other": "key-other" };
  expect(configOf(env, { settings, legacy: stranger })).toMatchObject({
    server: "https://stranger",
    keys: all,
    insecureServer: "https://stranger",
  });
  const withKey = { ...stranger, api_key: "key-file" };
  expect(configOf(env, { settings, legacy: withKey }).keys).toEqual({
    ...all,
    "https://stranger": "key-file",
  });
  // The file can't stop the checks of a server that has a key of the user's.
  const other = { server_url: "https://other", tls_insecure_skip_verify: true };
  expect(configOf(env, { settings, legacy: other }).keys).toEqual({ "https://mine": "key-env" });
  const mine = { server_url: "https://mine", tls_insecure_skip_verify: true };
  expect(configOf(env, { settings, legacy: mine })).toMatchObject({ insecureServer: undefined });
  const downgraded = { server_url: "http://mine" };
  expect(configOf(env, { settings, legacy: downgraded }).keys["http://mine"]).toBeUndefined();
});

asRoot()("1.x's file of another user is ignored", () => {
  const folder = newFolder();
  const path = join(folder, "daemon_config.json");
  writeFileSync(path, JSON.stringify({ server_url: "http://stranger" }));
  chownSync(path, SECOND_UID, SECOND_UID);
  const config = readConfig({ DATACAT_CONFIG: path }, folder, join(folder, "none"));
  expect(config).toMatchObject({ server: DEFAULT_SERVER, isPrivate: true });
  expect(config.problems).toEqual([`${path} is ignored: it belongs to another user`]);
});

test("a key belongs to one server: the environment's to the configured one", () => {
  const settings = { keys: { "http://a/": "key-a", "http://b": "key-b" } };
  const env = { DATACAT_URL: "http://b/", DATACAT_KEY: "key-env" };
  expect(configOf(env, { settings }).keys).toEqual({ "http://a": "key-a", "http://b": "key-env" });
});

test.each([
  ["8101", 8101],
  ["0", 0],
  ["65536", DEFAULT_PORT],
  ["-1", DEFAULT_PORT],
  ["80.5", DEFAULT_PORT],
  ["http", DEFAULT_PORT],
  ["", DEFAULT_PORT],
])("DATACAT_DAEMON_PORT '%s' is the port %d", (text, port) => {
  expect(configOf({ DATACAT_DAEMON_PORT: text }).port).toBe(port);
});

test.each([
  ["500000000", 500_000_000],
  ["10k", 10 * 1024],
  ["500M", 500 * 1024 ** 2],
  ["1.5 GiB", 1.5 * 1024 ** 3],
  ["0", 0],
  ["a lot", 2_000],
  ["-1", 2_000],
  ["", 2_000],
])("DATACAT_MAX_DISK '%s' is %d bytes, the settings' number if it is not a size", (text, size) => {
  const settings = { max_disk_bytes: 2_000 };
  expect(configOf({ DATACAT_MAX_DISK: text }, { settings }).maxDiskBytes).toBe(size);
});

test("a value of a wrong type is ignored and reported, and the rest of the file counts", () => {
  const settings = { server: "http://a", max_disk_bytes: "much", listen: "0.0.0.0" };
  const { server, maxDiskBytes, listen, problems } = configOf({}, { settings });
  expect({ server, maxDiskBytes, listen }).toEqual({
    server: "http://a",
    maxDiskBytes: MAX_DISK_BYTES,
    listen: [],
  });
  expect(problems).toEqual([
    expect.stringMatching(/config\.json: max_disk_bytes, listen ignored: wrong type$/),
  ]);
});

test.each(["{", "[]", "null", '"text"'])("a file that holds %s gives the defaults", (settings) => {
  expect(configOf({}, { settings })).toMatchObject({ server: DEFAULT_SERVER, keys: {} });
});

test("a file that is not JSON is reported", () => {
  expect(configOf({}, { settings: "{" }).problems).toEqual([
    expect.stringContaining("config.json is ignored: "),
  ]);
});

test("tags of the machine are a list or an object, and more than a few are reported", () => {
  expect(configOf({}, { settings: { tags: ["rack:7", "gpu"] } }).tags).toEqual(["rack:7", "gpu"]);
  const tags = { rack: 7, gpu: true, spot: false };
  expect(configOf({}, { settings: { tags } }).tags).toEqual(["rack:7", "gpu", "spot:false"]);
  const many = Array.from({ length: 20 }, (_, n) => `${n}${"x".repeat(300)}`);
  const config = configOf({}, { settings: { tags: many } });
  expect(config.tags.map((tag) => tag.length)).toEqual(Array.from({ length: 16 }, () => 256));
  expect(config.problems).toEqual([
    expect.stringContaining("config.json: tags after the first 16 are ignored"),
    expect.stringContaining("config.json: tags are cut to 256 characters"),
  ]);
  expect(configOf({}, { settings: { tags: "rack" } })).toMatchObject({
    tags: [],
    problems: [expect.stringContaining("tags ignored: wrong type")],
  });
});

test("settings are read as they were saved, by this user only", () => {
  const path = join(newFolder(), "config.json");
  const settings = { server: "http://a", keys: { "http://a": "k" }, listen: [], hosts: ["h"] };
  saveSettings(path, settings);
  expect(readSettings(path)).toEqual(settings);
  if (process.platform !== "win32") expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("one server has one address, however many slashes end it", () => {
  expect(serverUrl("http://a/b//")).toBe("http://a/b");
});
