/** Every example, run as a user would, and what the server then holds of it: program, lane, daemon, Worker, all real. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startWorld, type World } from "./world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const run = (name: string, ...args: string[]) =>
  world.run(`clients/typescript/examples/${name}.ts`, ...args);

test("basic: the session is at the server, and the first program started the daemon", async () => {
  const { id, code, stderr } = await run("basic");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const summary = await world.summary(id);
  expect(summary).toMatchObject({
    id,
    product: "basic-example",
    version: "1.0.0",
    verdict: { status: "ended" },
    counts: { states: 5, events: 1, exceptions: 0, points: 3 },
    ledger: { dropped: {} },
  });
  expect(summary.lanes[0]?.writer).toMatchObject({
    program: "basic.ts",
    language: `node ${process.versions.node}`,
    client: "datacat-typescript 2.0.0",
  });
  expect(await world.state(id)).toEqual({ status: "done", progress: 1 });
});

test("complete: every call arrives as it was made", async () => {
  const { id, code } = await run("complete");
  expect(code).toBe(0);
  const summary = await world.summary(id);
  expect(summary).toMatchObject({
    exit_code: 0,
    tags: ["example", "complete"],
    heartbeat_timeout_ms: 30_000,
  });
  expect(await world.state(id)).toMatchObject({
    user: { name: "Ada", password: "[redacted]" },
    window: { title: "Sonata.mid", size: [800, 600] },
  });
  expect(await world.events(id)).toMatchObject([
    {
      name: "file_opened",
      category: "info",
      group: "editor.files",
      labels: ["format:midi"],
      message: "Opened Sonata.mid",
      data: { path: "Sonata.mid", bytes: 48_213, loaded: "2026-11-23T09:00:00.000Z" },
    },
    { name: "disk_slow", category: "warning" },
    {
      name: "exception",
      category: "error",
      exception_type: "Error",
      exception_msg: "The settings cannot be read",
      source_file: expect.stringContaining("complete.ts"),
      causes: [{ exception_type: "SyntaxError" }],
      handled: true,
    },
  ]);
  const series = Object.fromEntries((await world.series(id)).map((each) => [each.name, each]));
  expect(series["memory_used"]).toMatchObject({
    type: "gauge",
    unit: "MB",
    tags: ["area:heap"],
    last: 84.5,
  });
  expect(series["notes_played"]).toMatchObject({ type: "counter", last: 42 });
  expect(series["latency_seconds"]).toMatchObject({ type: "histogram", unit: "s", points: 1 });
  expect(series["render"]).toMatchObject({ type: "timer" });
  expect(series["mix"]).toMatchObject({ type: "timer" });
});

test("game loop: every frame's metrics are there, and nothing was dropped", async () => {
  const { id, code } = await run("game-loop", "60");
  expect(code).toBe(0);
  const summary = await world.summary(id);
  expect(summary).toMatchObject({
    verdict: { status: "ended" },
    ever_hung: false,
    ledger: { dropped: {} },
  });
  const series = await world.series(id);
  const enemies = series.filter((each) => each.name.startsWith("enemy_"));
  expect(enemies).toHaveLength(8);
  expect(enemies.reduce((sum, each) => sum + each.points, 0)).toBe(60 * 96);
  expect(series.find((each) => each.name === "frames")?.last).toBe(60);
});

test("exceptions: types, causes and groups", async () => {
  const { id } = await run("exceptions");
  await world.summary(id);
  const events = await world.events(id);
  expect(events.map((event) => [event.exception_type, event.exception_msg])).toEqual([
    ["SaveError", "Report could not be saved"],
    ["string", "just a text"],
    ["Object", '{"code":42}'],
    ["AggregateError", "several"],
    ["SaveError", "Report could not be saved"],
    ["SaveError", "Report could not be saved"],
  ]);
  expect(events[0]?.causes).toMatchObject([
    { exception_type: "RangeError", exception_msg: "disk full" },
  ]);
  expect(events[3]?.causes).toMatchObject([
    { exception_type: "TypeError", exception_msg: "first", kind: "member" },
    { exception_type: "Error", exception_msg: "second", kind: "member", parent: 0 },
  ]);
  expect(new Set(events.slice(4).map((event) => event.fingerprint)).size).toBe(1);
});

test("heartbeat and hang: hung while the event loop is blocked, then recovered", async () => {
  const { id } = await run("heartbeat-hang", "6000");
  const summary = await world.summary(id);
  expect(summary).toMatchObject({
    ever_hung: true,
    heartbeat_timeout_ms: 1_000,
    verdict: { status: "ended" },
  });
  expect(summary.transitions.map((transition) => transition.status)).toContain("hung");
  const names = (await world.events(id)).map((event) => event.name);
  expect(names).toEqual(["application_appears_hung", "application_recovered"]);
});

test("crash by an uncaught exception: the exception, then the verdict", async () => {
  const { id, code, stderr } = await run("crash");
  expect(code).toBe(1);
  expect(stderr).toContain("TypeError");
  const summary = await world.summary(id, ({ verdict }) => verdict.status === "crashed");
  expect(summary.exit_code).toBe(1);
  expect(await world.state(id)).toMatchObject({
    player: { hp: 3, room: "cellar" },
    inventory: ["lantern"],
  });
  expect((await world.events(id)).map((event) => event.name)).toContain("exception");
});

test("crash by kill -9: the last events are there, and the verdict", async () => {
  const { id, signal } = await run("crash", "kill");
  expect(signal).toBe("SIGKILL");
  const summary = await world.summary(id, ({ verdict }) => verdict.status === "crashed");
  expect(summary.ledger.dropped).toEqual({});
  expect((await world.events(id)).map((event) => event.name)).toContain("door_opened");
  expect((await world.series(id)).map((each) => each.name)).toEqual(["light"]);
});

test("window tracking: what had the focus, at any moment", async () => {
  const { id } = await run("window-tracking");
  await world.summary(id);
  expect(await world.state(id)).toMatchObject({
    windows: { main: { title: "Letter.txt - Editor", minimized: false } },
    focused: "main",
  });
  const focus = (await world.history(id))
    .map((change) => change.patch["focused"])
    .filter((each) => each !== undefined);
  expect(focus).toEqual(["main", "search", "main", null, "main"]);
  expect((await world.series(id)).map((each) => [each.name, each.tags])).toEqual([
    ["focus_seconds", ["main"]],
    ["focus_seconds", ["search"]],
  ]);
});

test("test-run tracking: results, times and failures", async () => {
  const { id } = await run("test-run-tracking");
  const summary = await world.summary(id);
  expect(summary).toMatchObject({ exit_code: 1, counts: { events: 4, exceptions: 1 } });
  expect(await world.state(id)).toMatchObject({ counts: { passed: 3, failed: 1, total: 4 } });
  expect((await world.events(id)).map((event) => [event.name, event.message])).toEqual([
    ["test_passed", "adds"],
    ["test_passed", "joins"],
    ["test_failed", "rounds"],
    ["test_passed", "compares"],
  ]);
});

test("logging: what was printed is also recorded, levels as categories", async () => {
  const { id, stdout, stderr } = await run("logging");
  expect(stdout).toContain("listening on 8080");
  expect(stderr).toContain("cache is cold");
  await world.summary(id);
  const events = await world.events(id);
  expect(
    events.map(({ name, category, group, message }) => [name, category, group, message]),
  ).toEqual([
    ["console", "info", "console", "listening on 8080"],
    ["console", "warning", "console", "cache is cold"],
    ["console", "error", "console", "request failed: TypeError: no such field"],
    ["log", "info", "shop", "order placed"],
    ["log", "error", "shop", "payment failed"],
  ]);
  expect(events[2]).toMatchObject({ exception_type: "TypeError" });
  expect(events[3]).toMatchObject({ data: { order: 17 }, at: 1_790_000_000_000 });
  expect(events[4]).toMatchObject({
    exception_type: "CardError",
    exception_msg: "declined",
    stacktrace: ["at pay (shop.js:3:7)"],
  });
});

test("without files: straight to the server, or to a daemon in another container, the same session arrives", async () => {
  const { port } = JSON.parse(readFileSync(join(world.home, "daemon.json"), "utf8")) as {
    port: number;
  };
  for (const url of [world.url, `http://127.0.0.1:${port}`]) {
    world.env["DATACAT_DAEMON_URL"] = url;
    const { id, code, stderr } = await run("complete");
    delete world.env["DATACAT_DAEMON_URL"];
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const summary = await world.summary(id);
    expect(summary).toMatchObject({
      verdict: { status: "ended" },
      exit_code: 0,
      counts: { events: 3, exceptions: 1 },
      ledger: { dropped: {} },
    });
    expect(await world.state(id)).toMatchObject({
      window: { title: "Sonata.mid", size: [800, 600] },
    });
  }
});
