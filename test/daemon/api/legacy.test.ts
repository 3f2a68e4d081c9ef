import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { until, World } from "../world.ts";

test("register, log, end: the answers and ops of 1.x", async () => {
  await using world = await World.make();
  const api = await local(world);
  const registered = await api("/register", {
    parent_pid: process.pid,
    product: "p",
    version: "1",
  });
  expect(registered.status).toBe(200);
  const { session_id } = registered.json as { session_id: string };
  expect(session_id).toMatch(/^[0-9a-f-]{36}$/);
  expect(world.server.ops(session_id, "start")).toMatchObject([{ product: "p", version: "1" }]);

  const ok = { status: 200, json: { status: "ok" } };
  expect(await api("/state", { session_id, state: { a: 1 } })).toMatchObject(ok);
  expect(await api("/state", { session_id, state: null })).toMatchObject(ok);
  expect(await api("/event", { session_id, name: "e", data: null, labels: null })).toMatchObject(
    ok,
  );
  expect(
    await api("/metric", { session_id, name: "m", type: "gauge", value: 1.5, tags: ["t"] }),
  ).toMatchObject(ok);
  expect(
    await api("/metric", { session_id, name: "c", type: "counter", value: 0, delta: 2 }),
  ).toMatchObject(ok);
  expect(await api("/heartbeat", { session_id })).toMatchObject(ok);
  expect(await api("/pause_heartbeat", { session_id })).toMatchObject(ok);
  expect(await api("/resume_heartbeat", { session_id })).toMatchObject(ok);
  expect((await api("/health")).json).toEqual({ sessions: 1, status: "ok" });
  expect(await api("/end", { session_id })).toMatchObject(ok);

  // Synchronous: programs ask the server right after this.
  const { ops } = world.server.session(session_id);
  expect(ops.map((op) => op.op)).toEqual([
    "start",
    "state",
    "event",
    "points",
    "points",
    "heartbeat",
    "pause",
    "resume",
    "end",
  ]);
  expect(ops[2]).toMatchObject({ name: "e", data: {}, labels: [] });
  expect((await api("/end", { session_id })).status).toBe(404);
});

test("errors are 1.x's: plain text, 400, 404, 405", async () => {
  await using world = await World.make();
  const api = await local(world);
  expect(await api("/register", "not json")).toMatchObject({
    status: 400,
    text: "Invalid request body\n",
  });
  expect(await api("/register", { product: 7 })).toMatchObject({
    status: 400,
    text: "Invalid request body\n",
  });
  expect(await api("/state", { session_id: "unknown", state: {} })).toMatchObject({
    status: 404,
    text: "Session not found\n",
  });
  expect(await api("/event", { session_id: 7 })).toMatchObject({
    status: 400,
    text: "Invalid request\n",
  });
  expect(await api("/state")).toMatchObject({ status: 405, text: "Method not allowed\n" });
  expect(await api("/nothing")).toMatchObject({ status: 404, text: "404 page not found\n" });
  expect(await api("/session")).toMatchObject({
    status: 400,
    text: "Missing session_id parameter\n",
  });
});

test("offline from the very start: a local id that stays valid, and nothing is lost", async () => {
  await using world = await World.make();
  await world.server.down();
  const api = await local(world);
  const { json } = await api("/register", { product: "p", version: "1" });
  const { session_id } = json as { session_id: string };
  expect(session_id).toMatch(/^local-session-\d+-1/);
  await api("/state", { session_id, state: { step: 1 } });
  expect((await api(`/session?session_id=${session_id}`)).json).toMatchObject({
    id: session_id,
    active: true,
    state: { product: "p", version: "1", step: 1 },
    events: [],
  });
  expect((await api("/sessions")).json).toMatchObject([{ id: session_id }]);
  await world.server.up();
  await api("/state", { session_id, state: { step: 2 } });
  expect((await api("/end", { session_id })).status).toBe(200);
  await until(() => world.server.session(session_id).ops.map((op) => op.op)).toEqual([
    "start",
    "state",
    "state",
    "end",
  ]);
});

test("GET /session is the server's, after everything was sent", async () => {
  await using world = await World.make();
  const api = await local(world);
  const { json } = await api("/register", { product: "p", version: "1" });
  const { session_id } = json as { session_id: string };
  world.server.pages.set(`/api/sessions/${session_id}`, {
    status: 200,
    body: '{"id":"the server"}',
  });
  await api("/event", { session_id, name: "e" });
  expect((await api(`/session?session_id=${session_id}`)).json).toEqual({ id: "the server" });
  expect(world.server.ops(session_id, "event")).toHaveLength(1);
});

test("Python's NaN and infinities do not make a program fail", async () => {
  await using world = await World.make();
  const api = await local(world);
  const { json } = await api("/register", { product: "p", version: "1" });
  const { session_id } = json as { session_id: string };
  const histogram = `{"session_id":"${session_id}","name":"h","type":"histogram","value":3,"metadata":{"buckets":[1,5,Infinity]}}`;
  expect((await api("/metric", histogram)).status).toBe(200);
  const gauge = `{"session_id":"${session_id}","name":"ns:c","type":"gauge","value":NaN}`;
  expect((await api("/metric", gauge)).status).toBe(200);
  await api("/end", { session_id });
  expect(world.server.ops(session_id, "metric")).toMatchObject([
    { bounds: [1, 5], counts: [0, 1, 0] },
  ]);
  expect(world.server.ops(session_id, "dropped")).toMatchObject([{ cause: "not_finite" }]);
});

test("names of any length are taken, as 1.x did: cut, and reported", async () => {
  await using world = await World.make();
  const api = await local(world);
  const long = "n".repeat(500);
  const { json } = await api("/register", { product: long, version: "1" });
  const { session_id } = json as { session_id: string };
  expect((await api("/event", { session_id, name: long, labels: [long] })).status).toBe(200);
  expect((await api("/metric", { session_id, name: long, type: "gauge", value: 1 })).status).toBe(
    200,
  );
  await api("/end", { session_id });
  const { ops } = world.server.session(session_id);
  const cut = "n".repeat(256);
  expect(ops).toContainEqual(expect.objectContaining({ op: "start", product: cut }));
  expect(ops).toContainEqual(expect.objectContaining({ op: "event", name: cut, labels: [cut] }));
  expect(ops).toContainEqual(expect.objectContaining({ op: "points", name: cut }));
  const reports = ops.flatMap((op) => (op.op === "dropped" ? [op.detail] : []));
  expect(reports).toEqual(["start.product", "event.name", "event.labels", "metric.name"]);
});

test("secrets that a 1.x client sends are in no lane", async () => {
  await using world = await World.make();
  const api = await local(world);
  const { json } = await api("/register", { product: "p", version: "1" });
  const { session_id } = json as { session_id: string };
  await api("/state", { session_id, state: { api_token: "hunter2" } });
  await api("/end", { session_id });
  expect(world.server.ops(session_id, "state")[0]?.patch).toEqual({ api_token: "[redacted]" });
});

test("a session continues after the daemon was restarted", async () => {
  await using world = await World.make();
  const first = await world.daemon();
  const { json } = await call(first.port, "/register", { product: "p", version: "1" });
  const { session_id } = json as { session_id: string };
  await first.stop();
  const second = await world.daemon();
  expect((await call(second.port, "/event", { session_id, name: "e" })).status).toBe(200);
  await call(second.port, "/end", { session_id });
  expect(world.server.session(session_id).ops.map((op) => op.op)).toEqual([
    "start",
    "event",
    "end",
  ]);
});

test("web pages and foreign names are refused", async () => {
  await using world = await World.make();
  const { port } = await world.daemon();
  const url = `http://127.0.0.1:${port}/health`;
  expect((await fetch(url, { headers: { origin: "https://evil.example" } })).status).toBe(403);
  expect((await fetch(url, { headers: { origin: world.server.url } })).status).toBe(200);
  const raw = await call(port, "/health", undefined, "evil.example");
  expect(raw.status).toBe(403);
});

test("a client in another container records through the daemon, exactly once", async () => {
  await using world = await World.make();
  const { port } = await world.daemon();
  const batch = (first: number, last: number) => ({
    session: "far-away",
    lane: "lane-9",
    first,
    last,
    writer: { pid: 1, hostname: "container" },
    lease_ms: 60_000,
    ops: Array.from({ length: last - first + 1 }, (_, index) => ({
      op: "event",
      at: first + index,
      name: "e",
    })),
  });
  const post = async (...batches: unknown[]) =>
    (await call(port, "/api/ingest", { batches })).json as { results: object[] };
  expect((await post(batch(1, 3))).results).toMatchObject([{ applied: 3 }]);
  expect((await post(batch(1, 3))).results).toMatchObject([{ applied: 3 }]);
  expect((await post(batch(2, 5))).results).toMatchObject([
    { applied: 3, error: { code: "lane_overlap" } },
  ]);
  expect((await post(batch(9, 9))).results).toMatchObject([
    { applied: 3, error: { code: "lane_gap" } },
  ]);
  expect((await post(batch(4, 5))).results).toMatchObject([{ applied: 5 }]);
  expect((await post({ nonsense: true })).results).toMatchObject([
    { error: { code: "invalid_body" } },
  ]);
  await world.daemons[0]?.flush(5_000);
  expect(world.server.ops("far-away", "event").map((op) => op.at)).toEqual([1, 2, 3, 4, 5]);
  expect(world.server.dropped("far-away")).toEqual({});
});

test("as 1.x's clients start it: with pipes that nothing reads, and it ends after the last session", async () => {
  await using world = await World.make();
  const port = await freePort();
  const folder = join(world.home.folder, "program");
  mkdirSync(folder);
  writeFileSync(
    join(folder, "config.json"),
    JSON.stringify({
      daemon_port: String(port),
      server_url: world.server.url,
      batch_interval_seconds: 5,
      max_batch_size: 100,
      heartbeat_timeout_seconds: 60,
    }),
  );
  const child = start(folder, { ...world.env, DATACAT_CONFIG: "config.json" });
  await until(async () => (await call(port, "/health")).status).toBe(200);
  child.stdout?.destroy();
  child.stderr?.destroy();
  child.stdin?.destroy();
  const { json } = await call(port, "/register", { product: "p", version: "1" });
  const { session_id } = json as { session_id: string };
  await call(port, "/end", { session_id });
  // As in 1.x it still answers for a while (private.test.ts has for how long), and then ends by itself.
  expect((await call(port, "/health")).status).toBe(200);
  await once(child, "exit");
  expect(world.server.session(session_id).ops.map((op) => op.op)).toEqual(["start", "end"]);
  expect(existsSync(join(world.home.folder, "private", String(port), "daemon.lock"))).toBe(false);
});

test("when the program that started a private daemon ends, its sessions crash and the daemon ends", async () => {
  await using world = await World.make();
  world.server.pages.set("/health", { status: 200, body: "{}" });
  const port = await freePort();
  const folder = join(world.home.folder, "program");
  mkdirSync(folder);
  const config = { daemon_port: String(port), server_url: world.server.url };
  writeFileSync(join(folder, "daemon_config.json"), JSON.stringify(config));
  const program = spawn("sh", ["-c", `'${process.execPath}' '${PROGRAM}' & wait`], {
    cwd: folder,
    env: { ...process.env, ...world.env, DATACAT_CONFIG: "daemon_config.json" },
  });
  await until(async () => (await call(port, "/health")).status).toBe(200);
  const { json } = await call(port, "/register", { product: "p", version: "1" });
  const { session_id } = json as { session_id: string };
  program.kill("SIGKILL");
  await until(() => world.server.ops(session_id, "crash")).toMatchObject([
    { reason: "daemon_parent_process_exited" },
  ]);
  await until(async () => (await call(port, "/health")).status).toBe(0);
});

test("the next daemon adopts what a private one could not send", async () => {
  await using world = await World.make();
  await world.server.down();
  const port = await freePort();
  const folder = join(world.home.folder, "program");
  mkdirSync(folder);
  const config = { daemon_port: String(port), server_url: world.server.url };
  writeFileSync(join(folder, "daemon_config.json"), JSON.stringify(config));
  const child = start(folder, { ...world.env, DATACAT_CONFIG: "daemon_config.json" });
  await until(async () => (await call(port, "/health")).status).toBe(200);
  const { json } = await call(port, "/register", { product: "p", version: "1" });
  const { session_id } = json as { session_id: string };
  await call(port, "/end", { session_id });
  child.kill("SIGKILL");
  await once(child, "exit");
  await world.server.up();
  await world.daemon();
  await until(() => world.server.session(session_id).ops.map((op) => op.op)).toEqual([
    "start",
    "end",
  ]);
  await until(() => readdirSync(world.home.lanes)).toEqual([]);
});

type Answer = { status: number; text: string; json: unknown };

async function local(world: World): Promise<(path: string, body?: unknown) => Promise<Answer>> {
  world.server.pages.set("/health", { status: 200, body: "{}" });
  const { port } = await world.daemon();
  return (path, body) => call(port, path, body);
}

/** As Go's client asks: no Content-Type. A body makes it a POST. */
async function call(port: number, path: string, body?: unknown, host?: string): Promise<Answer> {
  const { request } = await import("node:http");
  return new Promise((resolve) => {
    const method = body === undefined ? "GET" : "POST";
    const headers = host === undefined ? {} : { host };
    const asked = request({ host: "127.0.0.1", port, path, method, headers }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on("end", () => {
        let json: unknown;
        try {
          json = JSON.parse(text);
        } catch {
          json = undefined;
        }
        resolve({ status: response.statusCode ?? 0, text, json });
      });
    });
    asked.on("error", () => resolve({ status: 0, text: "", json: undefined }));
    asked.end(typeof body === "string" ? body : JSON.stringify(body));
  });
}

const PROGRAM = join(import.meta.dirname, "../../../daemon/launch/datacat-daemon.mjs");

function start(folder: string, env: { [name: string]: string }): ChildProcess {
  return spawn(process.execPath, [PROGRAM], { cwd: folder, env: { ...process.env, ...env } });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // listening on a port
  server.close();
  await once(server, "close");
  return port;
}
