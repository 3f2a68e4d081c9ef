/** The commands that read, against a real server. */
import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { databasesIn } from "../../daemon/serve/databases.ts";
import { laneFile } from "../../daemon/lanes/lane-file.ts";
import { eventually, finished, World } from "./world.ts";

const CRASHING = "echo working; echo oops >&2; sleep 0.3; kill -9 $$";

test("why prints the verdict of a session and what it did last", async () => {
  await using world = await World.make();
  await world.startServer();
  await world.run(["run", "--product", "job", "--", "sh", "-c", CRASHING]);
  const { id } = await world.findSession(({ status }) => status === "crashed");

  const why = await world.run(["why", "last"]);
  expect(why).toMatchObject({ code: 0, stderr: "" });
  for (const text of [
    "job",
    "Crashed",
    "SIGKILL",
    "stdout  working",
    "stderr  oops",
    "Complete: ",
  ]) {
    expect(why.stdout).toContain(text);
  }
  expect(why.stdout).not.toContain("\u001b"); // no colours without a terminal

  const json = JSON.parse((await world.run(["why", id.slice(0, 20), "--json"])).stdout) as object;
  expect(json).toMatchObject({ id, verdict: { status: "crashed" } });
});

test("why and show state once that a command did not start", async () => {
  await using world = await World.make();
  await world.startServer();
  await world.run(["run", "--product", "job", "--", "no-such-command"]);
  await world.findSession(({ status }) => status === "ended");
  for (const command of ["why", "show"]) {
    const { stdout } = await world.run([command, "last"]);
    expect(stdout.match(/command not found/g), stdout).toHaveLength(1);
    expect(stdout).not.toContain("Last exception");
  }
});

test("sessions, show and export print what the server has", async () => {
  await using world = await World.make();
  await world.startServer();
  await world.run(["run", "--product", "one", "--tag", "x", "--", "sh", "-c", "echo hello"]);
  await world.run(["run", "--product", "two", "--", "sh", "-c", "exit 3"]);
  await world.findSession(({ product, status }) => product === "two" && status === "ended");
  const { id } = await world.findSession(
    ({ product, status }) => product === "one" && status === "ended",
  );

  const list = await world.run(["sessions"]);
  expect(list.stdout).toMatch(/two .*Failed .*exit code 3[^]*one .*Ended/);
  const some = JSON.parse(
    (await world.run(["sessions", "--product", "one", "--json"])).stdout,
  ) as object;
  expect(some).toMatchObject({ items: [{ id }] });

  // What was found, below the session.
  const found = await world.run(["sessions", "hello product:one"]);
  expect(found.stdout).toMatch(/one .*Ended[^\n]*\n {2}[\d:.]{12} {2}Output {2}hello\n/);
  expect((await world.run(["sessions", "dragon"])).stdout).toMatch(/^No sessions\.\n/);

  const show = await world.run(["show", id]);
  expect(show.stdout).toContain('"command": "sh"');
  expect(show.stdout).toMatch(/output +info +1/);

  const file = join(world.folder, "one.ndjson");
  await world.run(["export", id, "-o", file]);
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ id, product: "one" });
  expect((await world.run(["export", id])).stdout.trimEnd().split("\n")).toHaveLength(lines.length);

  const [json, csv] = [join(world.folder, "one.json"), join(world.folder, "one.csv")];
  await world.run(["export", id, "-o", json]);
  expect(JSON.parse(readFileSync(json, "utf8"))).toMatchObject({ summary: { id } });
  await world.run(["export", id, "-o", csv, "--separator", "semicolon", "--bom"]);
  expect(readFileSync(csv, "utf8")).toMatch(/^\uFEFFtime_utc;at;[^]*;output;/);
  const wide = await world.run(["export", id, "--table", "metrics_wide", "--metric", "nothing"]);
  expect(wide.stdout).toBe("time_utc,at\r\n");
  expect(readdirSync(world.folder).filter((name) => name.endsWith(".part"))).toEqual([]);
});

test("attachments are listed and stored, under safe names, without replacing a file", async () => {
  await using world = await World.make();
  await world.startServer();
  const api = async (path: string, init: RequestInit) => {
    const answer = await fetch(`${world.url}/api${path}`, init);
    expect(answer.status).toBe(200);
  };
  const binary = Buffer.from(Array.from({ length: 1024 * 1024 + 256 }, (_, n) => n % 256));
  const [at, text] = [Date.now(), Buffer.from("line 1\n")];
  const announce = (id: string, name: string, bytes: Buffer) => ({
    op: "attachment",
    at,
    id,
    name,
    size: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
  });
  const files: [string, string, Buffer][] = [
    ["a.1", "../../save\u001b[31m.dat", binary],
    ["a.2", "app.log", text],
    ["a.3", "app.log", text],
    ["a.4", "late.png", text],
    ["a.5", "link.txt", text],
  ];
  const ops = [{ op: "start", at, product: "game" }, ...files.map((file) => announce(...file))];
  const batch = { session: "attached", lane: "l", first: 1, last: ops.length, ops };
  await api("/ingest", { method: "POST", body: JSON.stringify({ batches: [batch] }) });
  for (const [id, , bytes] of files.filter(([each]) => each !== "a.4"))
    for (let n = 0; n * CHUNK < bytes.length; n++) {
      const body = new Uint8Array(bytes.subarray(n * CHUNK, (n + 1) * CHUNK));
      await api(`/sessions/attached/attachments/${id}/chunks/${n}`, { method: "PUT", body });
    }
  await world.findSession(({ id }) => id === "attached");

  const list = (await world.run(["attachments", "attached"])).stdout;
  expect(list).toMatch(/app\.log .* 7 B/);
  expect(list).toMatch(/late\.png .* 0 B arrived/);
  expect(list).not.toContain("\u001b");
  for (const command of ["show", "why"])
    expect((await world.run([command, "attached"])).stdout).toMatch(/late\.png .* 0 B arrived/);
  expect((await world.run(["why", "attached"])).stdout).toContain(
    "1 of 5 attachments has not arrived",
  );

  const folder = join(world.folder, "in", "files");
  mkdirSync(folder, { recursive: true });
  const outside = join(world.folder, "outside.txt");
  symlinkSync(outside, join(folder, "link.txt"));
  const download = ["attachments", "attached", "--download", folder];
  const first = await world.run(download);
  expect(first).toMatchObject({ code: 0, stderr: "" });
  expect(first.stdout).toContain("1 attachment not on the server");
  const names = ["app (2).log", "app.log", "link (2).txt", "link.txt", "save[31m.dat"];
  expect(readdirSync(folder).sort()).toEqual(names);
  expect(readFileSync(join(folder, "save[31m.dat"))).toEqual(binary);
  expect(readFileSync(join(folder, "app (2).log"))).toEqual(text);
  expect(existsSync(outside)).toBe(false);

  writeFileSync(join(folder, "app.log"), "mine");
  expect((await world.run(download)).code).toBe(0);
  expect(readFileSync(join(folder, "app.log"), "utf8")).toBe("mine");
  expect(readdirSync(folder)).toContain("app (4).log");
  expect(readdirSync(join(world.folder, "in"))).toEqual(["files"]);
});
const CHUNK = 1024 * 1024;

const PICTURED = `
import os, signal, sys
import datacat
session = datacat.open(product="pictured")
def crashed(*error):
    session.attach("last screen.png", b"\\x89PNG\\r\\n\\x1a\\n" + bytes(1500000))
    os.kill(os.getpid(), signal.SIGKILL)
sys.excepthook = crashed
raise ValueError("boom")
`;
const hasPython = process.env["CI"] === "true" || spawnSync("python3", ["--version"]).status === 0;

test.skipIf(!hasPython)(
  "a screenshot that a crash handler takes arrives, although its process is killed",
  async () => {
    await using world = await World.make();
    await world.startServer({ daemon: true });
    const program = spawnSync("python3", ["-c", PICTURED], {
      env: { ...world.env, PYTHONPATH: join(import.meta.dirname, "../../clients/python") },
    });
    expect(program.signal).toBe("SIGKILL");
    const { id } = await world.findSession(({ product }) => product === "pictured");
    type List = { items: { complete: boolean; size: number; name: string }[] };
    const [image] = await eventually(async () => {
      const { items: attachments } = await world.get<List>(`/api/sessions/${id}/attachments`);
      return attachments.every(({ complete }) => complete) && attachments.length > 0
        ? attachments
        : undefined;
    });
    expect(image).toMatchObject({ name: "last screen.png", size: 1_500_008 });
    await world.findSession(
      ({ product, status }) => product === "pictured" && status === "crashed",
    );
  },
);

test("tail -f follows a session to its end", async () => {
  await using world = await World.make();
  await world.startServer();
  const running = finished(
    world.start(["run", "--", "sh", "-c", "echo 1; sleep 2; echo 2; sleep 2; echo 3"]),
  );
  await world.findSession(({ status }) => status === "active");
  const [tail, some] = await Promise.all([
    world.run(["tail", "-f", "last"]),
    world.run(["tail", "-f", "last", "is:output -message:2"]),
  ]);
  await running;
  expect(tail.code).toBe(0);
  expect(tail.stdout.match(/stdout {2}\d/g)).toEqual(["stdout  1", "stdout  2", "stdout  3"]);
  expect(tail.stdout).toContain("Ended");
  expect(some.stdout.match(/stdout {2}\d/g)).toEqual(["stdout  1", "stdout  3"]);
  const last = await world.run(["tail", "-n", "1", "last", "message:1 OR message:2"]);
  expect(last.stdout.match(/stdout {2}\d/g)).toEqual(["stdout  2"]);
  expect((await world.run(["tail", "last", "nothing"])).stdout).toBe(
    "No events pass this query.\n",
  );
  const refused = await world.run(["tail", "last", "mesage:1"]);
  expect(refused.stderr).toContain("Did you mean message?");
});

test("exit codes distinguish errors", async () => {
  await using world = await World.make();
  expect(await world.run(["sessions"])).toMatchObject({ code: 3 });
  expect((await world.run(["sessions"])).stderr).toContain("npm start");
  expect((await world.run(["doctor"])).code).toBe(1);
  expect((await world.run(["frobnicate"])).code).toBe(2);
  expect((await world.run(["show"])).code).toBe(2);
  expect((await world.run(["sessions", "--limit", "many"])).code).toBe(2);
  expect((await world.run(["--help"])).code).toBe(0);
  expect((await world.run(["queue", "dump", "nothing"])).code).toBe(4);
  await world.startServer();
  expect((await world.run(["show", "0198f3c2"])).code).toBe(4);
  expect((await world.run(["why", "last"])).code).toBe(4);
});

test("the daemon is started, reports its status and is stopped", async () => {
  await using world = await World.make();
  expect((await world.run(["daemon", "status"])).stdout).toContain("No daemon is running");
  expect((await world.run(["daemon", "start"])).stdout).toContain("has started");
  expect((await world.run(["daemon", "start"])).stdout).toContain("is already running");
  expect((await world.run(["daemon", "status"])).stdout).toContain("The daemon is running");
  const status = JSON.parse((await world.run(["daemon", "status", "--json"])).stdout) as object;
  expect(status).toMatchObject({ running: true, lanes: [] });
  expect((await world.run(["daemon", "logs"])).stdout).toContain("starts for");
  expect((await world.run(["daemon", "stop"])).stdout).toContain("has stopped");
  expect((await world.run(["daemon", "stop"])).stdout).toContain("No daemon was running");
});

test("npm start keeps a daemon running until it stops", async () => {
  await using world = await World.make();
  await world.startServer({ daemon: true });
  const living = async () => {
    const { stdout } = await world.run(["daemon", "status", "--json"]);
    const { pid } = JSON.parse(stdout) as { running: boolean; pid?: number };
    return pid;
  };
  const first = await eventually(living);
  process.kill(first, "SIGKILL");
  await eventually(async () => {
    const next = await living();
    return next !== undefined && next !== first ? next : undefined;
  });
});

test("queue lists, dumps and verifies what is on disk, and finds damage", async () => {
  await using world = await World.make();
  const env = { DATACAT_DAEMON: "off" };
  await world.run(["run", "--", "echo", "kept"], { env });
  expect((await world.run(["queue"])).stdout).toContain("echo");
  expect((await world.run(["queue", "verify"])).code).toBe(0);

  const lanes = join(world.folder, "home/lanes");
  const [file = ""] = readdirSync(lanes);
  const dumped = (await world.run(["queue", "dump", file.slice(0, 30)])).stdout
    .trimEnd()
    .split("\n");
  expect(JSON.parse(dumped[1] ?? "")).toMatchObject({ seq: 1, op: "start" });

  const text = readFileSync(join(lanes, file), "utf8");
  writeFileSync(join(lanes, file), text.replace('"message":"kept"', '"message":"bent"'));
  // A home that can't be made: the lane is in the last resort.
  const nowhere = { DATACAT_HOME: "/dev/null/home", DATACAT_DAEMON: "off" };
  await world.run(["run", "--", "true", "elsewhere"], { env: nowhere });
  const list = (await world.run(["queue"])).stdout;
  expect(list).toMatch(/echo .*home\/lanes/);
  expect(list).toMatch(/true .*datacat-\d+\/lanes/);
  expect((await world.run(["doctor"])).stdout).toMatch(
    /2 lanes on disk.*\n.*some lanes are in .*datacat-/,
  );

  const verify = await world.run(["queue", "verify"]);
  expect(verify.code).toBe(1);
  expect(verify.stdout).toMatch(/damaged .*1 damaged place, 1 record missing/);
});

test("lanes from another machine are sent, and sending them again changes nothing", async () => {
  await using world = await World.make();
  await world.run(["run", "--product", "far", "--", "echo", "away"], {
    env: { DATACAT_DAEMON: "off" },
  });
  const lanes = join(world.folder, "home/lanes");
  const brought = join(world.folder, "brought");
  mkdirSync(brought);
  const [file = ""] = readdirSync(lanes);
  copyFileSync(join(lanes, file), join(brought, "some-name.lane"));

  expect((await world.run(["send", join(brought, "nothing")])).code).toBe(4);
  await world.startServer();
  expect((await world.run(["send", join(brought, "some-name.lane")])).stdout).toContain("Sent.");
  const { id } = await world.findSession(
    ({ product, status }) => product === "far" && status === "ended",
  );
  const before = await world.summary(id);
  expect((await world.run(["send", join(brought, "some-name.lane")])).code).toBe(0);
  expect((await world.summary(id)).counts).toEqual(before.counts);
  expect(readdirSync(lanes)).toEqual([laneFile(file.split(".")[0] ?? "", 1)]);
});

test("doctor finds no problem on a working machine, and login keeps a server and its key", async () => {
  await using world = await World.make();
  await world.startServer();
  const login = await world.run(["login", world.url], {
    input: "dc_some.key\n",
    env: { DATACAT_URL: "" },
  });
  expect(login).toMatchObject({ code: 0 });
  const settings = JSON.parse(
    readFileSync(join(world.folder, "home/config.json"), "utf8"),
  ) as object;
  expect(settings).toEqual({
    server: world.url,
    keys: { [world.url]: "dc_some.key" },
    listen: [],
    hosts: [],
  });
  expect((await world.run(["sessions"], { env: { DATACAT_URL: "" } })).code).toBe(0);

  await world.run(["daemon", "start"]);
  const doctor = await eventually(async () => {
    const ran = await world.run(["doctor", "--json"]);
    return ran.code === 0 ? ran : undefined;
  });
  expect(JSON.parse(doctor.stdout)).toMatchObject({ well: true });
});

test("reindex rebuilds the catalog with a command, and the server does so by itself", async () => {
  await using world = await World.make();
  const server = await world.startServer();
  await world.run(["run", "--product", "job", "--", "sh", "-c", "echo hello"]);
  const { id } = await world.findSession(({ status }) => status === "ended");
  const { catalog } = databasesIn(join(world.folder, "data"));

  // Deleted under the running server.
  catalog.remove();
  const printed = await eventually(() =>
    world.serverOutput(server).includes("complete again") ? world.serverOutput(server) : undefined,
  );
  expect(printed).toContain("The catalog is missing: rebuilding it from 1 session.");
  await world.findSession((row) => row.id === id);

  const reindexed = await world.run(["reindex"]);
  expect(reindexed).toMatchObject({ code: 0, stdout: "1 session indexed.\n", stderr: "" });
  const json = JSON.parse((await world.run(["reindex", "--json"])).stdout) as object;
  expect(json).toEqual({ done: 1, removed: 0, failed: [] });

  // A registry that is lost is named.
  await world.stopServer();
  databasesIn(join(world.folder, "data")).registry.remove();
  const refused = await world.startServer().catch(String);
  expect(refused).toContain("--new-registry");
});
