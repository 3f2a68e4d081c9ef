/** Runs each example of the Go client to its end, and compares what the server then has of it. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectComplete, GoWorld, isGoMissing } from "./world.ts";

describe.skipIf(isGoMissing)("what the Go examples record", () => {
  let world: GoWorld;
  beforeAll(async () => {
    world = await GoWorld.make("./examples/...", "./cmd/...");
  }, 180_000);
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });

  test("basic: state, an event, a metric", async () => {
    const ran = await world.run("basic");
    const recording = await world.recorded(ran.id, "ended");
    expect(recording.summary).toMatchObject({ product: "basic example", version: "1.0" });
    expect(recording.state).toMatchObject({ level: 2, player: { name: "Ada", hp: 80 } });
    expect(recording.history.map(({ patch }) => patch)).toContainEqual({
      level: 2,
      player: { hp: 80 },
    });
    expect(recording.events).toMatchObject([
      { name: "door_opened", category: "info", data: { door: 7 } },
    ]);
    expect(recording.series["fps"]).toMatchObject({ type: "gauge", points: 1, last: 59.94 });
    expect(recording.summary.lanes[0]?.writer).toMatchObject({
      program: "basic",
      client: "datacat-go 2.0.0",
    });
    expectComplete(recording);
  });

  test("complete: every call", async () => {
    const ran = await world.run("complete");
    const recording = await world.recorded(ran.id, "ended");
    expect(recording.summary).toMatchObject({
      version: "2.1.0",
      tags: ["example", "nightly"],
      heartbeat_timeout_ms: 30_000,
      ever_hung: false,
    });
    expect(recording.state).toMatchObject({
      phase: "done",
      odd: { nan: "NaN", huge: "18446744073709551615", channel: "<chan int>" },
    });
    expect(recording.state).not.toHaveProperty("player");

    const door = recording.events.find(({ name }) => name === "door_opened");
    expect(door).toMatchObject({
      category: "warning",
      group: "world.doors",
      labels: ["material:wood", "locked"],
      message: "It creaks",
      data: { door: 7, password: "[redacted]" },
    });
    const exception = recording.events.find(({ name }) => name === "exception");
    expect(exception).toMatchObject({
      category: "error",
      exception_type: "fmt.wrapError",
      exception_msg: "saving the game: disk on fire",
      source_function: "main.play",
      causes: [{ exception_type: "errors.errorString", exception_msg: "disk on fire" }],
    });
    expect(exception?.stacktrace?.[0]).toMatch(/^main\.play\(\.\.\.\)\n\t.*main\.go:\d+$/);
    expect(exception?.fingerprint).toBeTypeOf("string");
    // The password is in the lines of source around the exception, too.
    expect(JSON.stringify(exception?.sources)).toContain("[redacted]");
    expect(JSON.stringify(exception?.sources)).not.toContain("never leaves");

    expect(recording.series["temperature cpu"]).toMatchObject({
      unit: "celsius",
      points: 5,
      min: 61.5,
      max: 65.5,
      metadata: { sensor: "k10" },
    });
    expect(recording.series["bytes_sent"]).toMatchObject({ type: "counter", last: 7_500 });
    expect(recording.series["size"]?.buckets).toEqual([
      { le: 1, count: 1 },
      { le: 10, count: 1 },
      { le: 100, count: 1 },
      { le: null, count: 2 },
    ]);
    expect(recording.series["request_seconds"]).toMatchObject({ type: "histogram" });
    expect(recording.series["frames"]).toMatchObject({ type: "timer", unit: "milliseconds" });
    expect(recording.series["play"]).toMatchObject({ type: "timer", points: 1 });
    // The channel was written as its type, and the password left out of the event and of the source. Nothing is lost.
    expect(recording.summary.ledger.dropped).toEqual({});
    expect(recording.summary.ledger.altered).toEqual({ redacted: 2, unserialisable: 1 });
  });

  test("game: a hundred calls a frame, none missing", async () => {
    const ran = await world.run("game", { args: ["-seconds", "2"] });
    const recording = await world.recorded(ran.id, "ended");
    expect(recording.series["frames"]).toMatchObject({ type: "counter", last: 120 });
    expect(recording.series["frame_ms"]).toMatchObject({ points: 120, unit: "ms" });
    expect(recording.series["thing_97_x"]).toMatchObject({ points: 120 });
    expect(recording.summary.counts.series).toBe(100);
    expect(recording.state).toMatchObject({ scene: "level 2", frame: 90 });
    expect(recording.events).toMatchObject([{ name: "game_over", data: { frames: 120 } }]);
    expectComplete(recording);
  });

  test("exceptions: causes, severity, a panic that the program recovers from", async () => {
    const ran = await world.run("exceptions");
    const recording = await world.recorded(ran.id, "ended");
    const [loading, saving, panic, after] = recording.events.toSorted((a, b) => a.seq - b.seq);
    expect(loading).toMatchObject({
      exception_type: "fmt.wrapError",
      data: { attempt: 1 },
      source_function: "main.main",
      causes: [{ exception_type: "fs.PathError" }, { exception_type: "syscall.Errno" }],
    });
    expect(saving).toMatchObject({
      name: "save_failed",
      category: "critical",
      message: "the game is lost",
      exception_type: "fmt.wrapError",
    });
    expect(panic).toMatchObject({
      exception_type: "runtime.boundsError",
      exception_msg: "runtime error: index out of range [7] with length 3",
      handled: true,
      data: { index: 7 },
      source_function: "main.handle",
    });
    expect(after).toMatchObject({ name: "still_running" });
    expectComplete(recording);
  });

  test("hang: recorded with its end", async () => {
    const ran = await world.run("hang", { args: ["-timeout", "1s", "-stuck", "6s"] });
    const recording = await world.recorded(ran.id, "ended");
    expect(recording.summary).toMatchObject({ ever_hung: true, heartbeat_timeout_ms: 1_000 });
    const statuses = recording.summary.transitions.map(({ status }) => status);
    expect(statuses.filter((status) => status === "hung")).toHaveLength(1); // the pause is no hang
    expect(recording.events.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["application_appears_hung", "application_recovered"]),
    );
    expectComplete(recording);
  });

  test("crash: the last records before a panic, and the verdict", async () => {
    const ran = await world.run("crash");
    expect(ran.code).toBe(2);
    const recording = await world.recorded(ran.id, "crashed");
    expect(recording.state).toMatchObject({ doing: "loading", slot: 9 });
    expect(recording.events.find(({ name }) => name === "exception")).toMatchObject({
      exception_type: "runtime.errorString",
      handled: false,
      source_function: "main.main",
    });
    expectComplete(recording);
  });

  test("crash: the last records of a killed program, and the verdict", async () => {
    const ran = await world.run("crash", { args: ["-kill"] });
    expect(ran.signal).toBe("SIGKILL");
    const recording = await world.recorded(ran.id, "crashed");
    expect(recording.state).toMatchObject({ doing: "loading", slot: 9 });
    expect(recording.events.map(({ name }) => name)).toContain("about_to_crash");
    expectComplete(recording);
  });

  test("windows: which were open at any time", async () => {
    const ran = await world.run("windows");
    const recording = await world.recorded(ran.id, "ended");
    expect(recording.state).toMatchObject({ focus: "main", open: 1 });
    expect(recording.state["windows"]).toEqual({
      main: { title: "Untitled - Editor", x: 0, y: 0, width: 1280, height: 800 },
    });
    expect(recording.history.map(({ patch }) => patch)).toContainEqual({
      windows: { find: { x: 600, y: 250 } },
    });
    expect(recording.events.map(({ name }) => name).toSorted()).toEqual([
      "window_closed",
      "window_opened",
      "window_opened",
    ]);
    expectComplete(recording);
  });

  test("testrun: each test's result, and the exit code", async () => {
    const ran = await world.run("testrun");
    expect(ran.code).toBe(1);
    const recording = await world.recorded(ran.id, "ended");
    expect(recording.summary.exit_code).toBe(1);
    expect(recording.state["tests"]).toEqual({ total: 3, passed: 2, failed: 1 });
    const tests = recording.events.toSorted((a, b) => a.seq - b.seq);
    expect(tests.map(({ message, labels }) => [message, labels?.[0]])).toEqual([
      ["addition", "passed"],
      ["division", "failed"],
      ["subtraction", "passed"],
    ]);
    expect(tests[1]).toMatchObject({
      category: "error",
      exception_msg: "division by zero: got 0, want an error",
    });
    expect(recording.series["test_seconds"]).toMatchObject({ type: "timer", points: 3 });
    expectComplete(recording);
  });

  test("logging: levels, attributes and errors of slog, lines of log", async () => {
    const ran = await world.run("logging");
    const recording = await world.recorded(ran.id, "ended");
    const [line, listening, slow, failed] = recording.events.toSorted((a, b) => a.seq - b.seq);
    expect(line).toMatchObject({
      name: "log",
      group: "startup",
      message: "reading the configuration",
    });
    expect(listening).toMatchObject({
      category: "info",
      group: "app",
      data: { port: 8080, tls: { enabled: true, private_key: "[redacted]" } },
    });
    expect(slow).toMatchObject({ category: "warning", data: { request: 7, seconds: 2.5 } });
    expect(failed).toMatchObject({
      category: "error",
      exception_msg: "no space left",
      data: { file: "a.sav" },
      source_function: "main.structured",
    });
    expect(ran.output).toContain('level=ERROR msg="cannot save"'); // Next prints it
    expectComplete(recording);
  });

  test("direct: the same without a disk, each record once", async () => {
    const ran = await world.run("direct", { env: { DATACAT_HOME: "/dev/null/nowhere" } });
    const recording = await world.recorded(ran.id, "ended");
    expect(recording.series["step"]).toMatchObject({ points: 2_500, first: 0, last: 2_499 });
    expect(recording.series["steps"]).toMatchObject({ last: 2_500 });
    expect(recording.state).toMatchObject({ phase: "sent" });
    expect(recording.events).toMatchObject([{ name: "flushed" }]);
    expect(ran.output).not.toContain("not sent yet");
    expectComplete(recording);
  });

  test("a daemon elsewhere accepts the records of a program without a disk", async () => {
    await world.run("basic"); // so that a daemon runs
    const ran = await world.run("basic", {
      env: { DATACAT_HOME: "/dev/null/nowhere", DATACAT_DAEMON_URL: world.daemonUrl },
    });
    const recording = await world.recorded(ran.id, "ended");
    expect(recording.state).toMatchObject({ level: 2, player: { name: "Ada", hp: 80 } });
    expect(recording.events).toMatchObject([{ name: "door_opened" }]);
    expectComplete(recording);
  });

  test("a run without a daemon arrives when a daemon next starts", async () => {
    const ran = await world.run("basic", { env: { DATACAT_DAEMON: "off" } });
    await world.run("basic"); // starts a daemon unless one runs
    const recording = await world.recorded(ran.id, "ended");
    expect(recording.state).toMatchObject({ level: 2 });
    expectComplete(recording);
  });

  test.each([
    ["directly", []],
    ["by a daemon of its own", ["-daemon"]],
  ])("a program written for 1.x records %s", async (_, args) => {
    const ran = await world.run("compatible", { args });
    expect(ran.output).toContain(
      "active: false ended: true events: 1 metrics: 2 snapshots: 2 listed: true",
    );
    const recording = await world.recorded(ran.id, "ended");
    expect(recording.summary).toMatchObject({ product: "compatible example", version: "1.0" });
    expect(recording.state).toMatchObject({ level: 1, player: { hp: 80 } });
    expect(recording.series["fps main"]).toMatchObject({ type: "gauge", last: 59.94 });
    expect(recording.series["frames"]).toMatchObject({
      type: "timer",
      unit: "seconds",
      metadata: { scene: "title" },
    });
  });

  test("a run of go test, with its failures", async () => {
    const lines = [
      { Action: "run", Package: "p", Test: "TestBad" },
      { Action: "output", Package: "p", Test: "TestBad", Output: "    bad_test.go:3: got 1\n" },
      { Action: "fail", Package: "p", Test: "TestBad", Elapsed: 0.25 },
      { Action: "fail", Package: "p", Elapsed: 0.5 },
    ].map((line) => JSON.stringify({ Time: new Date().toISOString(), ...line }));
    const ran = await world.run("datacat-gotest", {
      env: { DATACAT_PRODUCT: "piped" },
      input: lines.join("\n"),
    });
    expect(ran.code).toBe(1);
    const recording = await world.recorded(await world.find("piped"), "ended");
    expect(recording.summary).toMatchObject({ exit_code: 1, tags: ["go test"] });
    const bad = recording.events.find(({ name }) => name === "test");
    expect(bad).toMatchObject({
      message: "got 1",
      exception_msg: "got 1",
      source_file: "bad_test.go",
      source_line: 3,
      test: { id: ["p", "TestBad"], result: "failed", duration_ms: 250 },
    });
    expect(recording.state["tests"]).toMatchObject({
      counts: { passed: 0, failed: 1, errors: 0, skipped: 0 },
    });
    expect(recording.summary.tests).toMatchObject({ tests: 1, failed: 1, errors: 0 });
    expectComplete(recording);
  });
});
