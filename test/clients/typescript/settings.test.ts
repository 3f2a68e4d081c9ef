/** Settings from the environment, and which of them are ignored. */
import { setTimeout } from "node:timers/promises";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { LaneFile } from "../../../clients/typescript/lane/lane-file.ts";
import { REOPEN_AFTER_MS } from "../../../clients/typescript/limits.ts";
import { Session } from "../../../clients/typescript/session/session.ts";
import { settingsFrom } from "../../../clients/typescript/settings.ts";

test("an id that the server would refuse is no session to join", () => {
  for (const id of ["../etc passwd", "", " ", "é", "-x", "x".repeat(129), "a\n"])
    expect(settingsFrom({}, { DATACAT_SESSION: id }).session).toBeUndefined();
  expect(settingsFrom({ session: "no id" }, {}).session).toBeUndefined();
  const id = "local-session-1.2:3_4";
  expect(settingsFrom({}, { DATACAT_SESSION: id }).session).toBe(id);
});

test("a daemon elsewhere stands for the server, whatever is asked for, and gets no key", () => {
  const env = { DATACAT_DAEMON_URL: "http://daemon:8079/", DATACAT_KEY: "dc_k" };
  expect(settingsFrom({ url: "http://far", direct: false, key: "dc_k" }, env)).toMatchObject({
    url: "http://daemon:8079",
    direct: true,
    key: undefined,
  });
  expect(settingsFrom({}, { DATACAT_KEY: "dc_k" })).toMatchObject({ key: "dc_k" });
});

test("tags of the environment precede those of the program, unless the session is another process's", () => {
  const env = { DATACAT_TAGS: "branch:main, nightly,," };
  expect(settingsFrom({ tags: { result: null } }, env).tags).toEqual([
    "branch:main",
    "nightly",
    "result",
  ]);
  expect(settingsFrom({ tags: ["a"] }, { ...env, DATACAT_SESSION: "s-1" }).tags).toEqual(["a"]);
  expect(settingsFrom({}, {}).tags).toEqual([]);
});

test("the environment's key goes to the environment's server only", () => {
  const keyOf = (url: string | undefined, env: object) =>
    settingsFrom({ url }, { DATACAT_KEY: "dc_k", ...env }).key;
  expect(keyOf("https://far", {}), "the program names the only server").toBe("dc_k");
  const env = { DATACAT_URL: "https://mine/" };
  expect(keyOf(undefined, env)).toBe("dc_k");
  expect(keyOf("https://mine", env)).toBe("dc_k");
  for (const other of ["https://far", "http://mine", "https://mine:8443", "https://mine.far"])
    expect(keyOf(other, env), other).toBeUndefined();
});

test("a start that could not be written is written once writing works, with its sequence and time", async () => {
  const folder = join(mkdtempSync(join(tmpdir(), "datacat-start-")), "lanes");
  const header = { lane: "l", session: "s", server: "", at: 1, monotonic_ms: 1, writer: {} };
  const lane = new LaneFile({ folder, header, maxBytes: 1_000_000 });
  const session = new Session("s", "", { product: "game" }, lane, false);
  session.logEvent("lost");
  mkdirSync(folder);
  await setTimeout(REOPEN_AFTER_MS);
  session.logEvent("kept");
  const [, ...lines] = readFileSync(join(folder, readdirSync(folder)[0] ?? ""), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line.slice(9)) as object);
  expect(lines).toMatchObject([
    { seq: 1, op: "start", product: "game" },
    { seq: 3, op: "dropped", cause: "write_failed", count: 1, detail: "no such file or directory" },
    { seq: 4, op: "event", name: "kept" },
  ]);
});
