/** The Node client against real files and processes: what a program that dies leaves behind. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readLanes, testHome, type TestHome } from "./lanes.ts";

const client = new URL("../../../clients/typescript/node.ts", import.meta.url).pathname;

function run(home: TestHome, code: string, env: { [name: string]: string } = {}) {
  const script = join(home.folder, "program.mjs");
  writeFileSync(script, `import { open } from ${JSON.stringify(client)};\n${code}`);
  return spawnSync(process.execPath, [script, "--token=abc", "play"], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"], DATACAT_HOME: home.folder, DATACAT_DAEMON: "off", ...env },
  });
}

test("a program that ends normally leaves start and end, without being asked to", () => {
  using home = testHome();
  const ran = run(home, `open({ product: "game", version: "1" }).gauge("fps", 60);`);
  expect(ran).toMatchObject({ status: 0, stdout: "", stderr: "" });
  const [lane] = readLanes(home);
  expect(lane?.header).toMatchObject({
    format: 1,
    part: 1,
    first: 1,
    server: "", // none is configured: the daemon's own
    writer: {
      program: "program.mjs",
      arguments: ["--token=[redacted]", "play"],
      pid: expect.any(Number),
    },
  });
  expect(lane?.records).toMatchObject([
    { seq: 1, op: "start", product: "game", version: "1" },
    { seq: 2, op: "metric", type: "gauge", name: "fps", value: 60 },
    { seq: 3, op: "end", exit_code: 0 },
  ]);
});

test("an exit code is recorded", () => {
  using home = testHome();
  run(home, `open(); process.exit(3);`);
  expect(readLanes(home)[0]?.records.at(-1)).toMatchObject({ op: "end", exit_code: 3 });
});

test("an exit code that a later listener sets is recorded, and what that listener logs", () => {
  using home = testHome();
  const ran = run(
    home,
    `const s = open(); process.on("exit", () => { process.exitCode = 4; s.logEvent("late"); });`,
  );
  expect(ran.status).toBe(4);
  expect(readLanes(home)[0]?.records).toMatchObject([
    { op: "start" },
    { name: "late" },
    { op: "end", exit_code: 4 },
  ]);
});

test.each([
  `open(); process.on("exit", () => process.exit(5));`,
  `process.on("exit", () => process.exit(5)); open();`,
])("a listener that exits by itself does not keep the end from being recorded: %s", (code) => {
  using home = testHome();
  expect(run(home, code).status).toBe(5);
  expect(readLanes(home)[0]?.records.at(-1)).toMatchObject({ op: "end", exit_code: 5 });
});

test("what was logged before kill -9 is there, and no end", () => {
  using home = testHome();
  const ran = run(
    home,
    `const s = open(); s.logEvent("just before the end"); process.kill(process.pid, "SIGKILL");`,
  );
  expect(ran.signal).toBe("SIGKILL");
  expect(readLanes(home)[0]?.records.map((record) => record["op"])).toEqual(["start", "event"]);
});

test("an uncaught exception is recorded, then the crash; the program ends as without Datacat", () => {
  using home = testHome();
  const ran = run(
    home,
    `open(); function boom() { throw new TypeError("no sword", { cause: new RangeError("x") }); }\nboom();`,
  );
  expect(ran.status).toBe(1);
  expect(ran.stderr).toContain("TypeError: no sword");
  expect(readLanes(home)[0]?.records.slice(1)).toMatchObject([
    {
      op: "event",
      name: "exception",
      exception_type: "TypeError",
      exception_msg: "no sword",
      source_function: "boom",
      source_line: 2,
      causes: [{ exception_type: "RangeError", exception_msg: "x" }],
      handled: false,
    },
    { op: "crash", reason: "uncaught_exception", exit_code: 1 },
  ]);
});

test("an unhandled rejection is a crash, too", () => {
  using home = testHome();
  run(home, `open(); Promise.reject(new Error("lost"));`);
  expect(readLanes(home)[0]?.records.map((record) => record["op"])).toEqual([
    "start",
    "event",
    "crash",
  ]);
});

test("a program that survives its exceptions is not a crash", () => {
  using home = testHome();
  run(
    home,
    `process.on("uncaughtException", () => {}); open(); setTimeout(() => {}, 20); setTimeout(() => { throw new Error("x"); }, 1);`,
  );
  expect(readLanes(home)[0]?.records.map((record) => record["op"])).toEqual([
    "start",
    "event",
    "end",
  ]);
});

test("with captureSignals a signal is what ended the program, which ends by it as ever", () => {
  using home = testHome();
  const ran = run(
    home,
    `open({ captureSignals: true }); process.kill(process.pid, "SIGTERM"); setTimeout(() => {}, 5_000);`,
  );
  expect(ran.signal).toBe("SIGTERM");
  expect(readLanes(home)[0]?.records.at(-1)).toMatchObject({ op: "end", signal: "SIGTERM" });
});

test("a program that handles its signals goes on handling them", () => {
  using home = testHome();
  const ran = run(
    home,
    `open({ captureSignals: true });
     process.on("SIGTERM", () => { console.log("not yet"); process.exit(7); });
     process.kill(process.pid, "SIGTERM"); setTimeout(() => {}, 5_000);`,
  );
  expect(ran).toMatchObject({ status: 7, stdout: "not yet\n" });
  expect(readLanes(home)[0]?.records.at(-1)).toMatchObject({ op: "end", exit_code: 7 });
});

test("options that are none open a session all the same", () => {
  using home = testHome();
  const ran = run(
    home,
    `for (const odd of [null, 5, "x", { url: 7 }, { state: 3 }]) open(odd).logEvent("x");`,
  );
  expect(ran).toMatchObject({ status: 0, stderr: "" });
});

test("worker threads and child processes each have a lane of their own, in the same session if they are started with it", () => {
  using home = testHome();
  const ran = run(
    home,
    `
    import { Worker, isMainThread } from "node:worker_threads";
    import { spawnSync } from "node:child_process";
    const session = open();
    if (isMainThread && !process.env.DATACAT_SESSION) {
      spawnSync(process.execPath, [process.argv[1]], { env: { ...process.env, ...session.environment } });
      new Worker(new URL(import.meta.url), { env: { ...process.env, ...session.environment } });
    } else {
      session.logEvent("hello");
    }`,
  );
  expect(ran.stderr).toBe("");
  const lanes = readLanes(home);
  expect(lanes).toHaveLength(3);
  expect(new Set(lanes.map((lane) => lane.header["session"])).size).toBe(1);
  expect(
    lanes.map((lane) => lane.records.map((record) => record["op"]).join(" ")).toSorted(),
  ).toEqual(["event", "event", "start end"]);
});

test("many sessions at once print no warning", () => {
  using home = testHome();
  const ran = run(home, `for (let i = 0; i < 30; i++) open();`);
  expect(ran.stderr).toBe("");
  expect(readLanes(home).filter((lane) => lane.records.at(-1)?.["op"] === "end")).toHaveLength(30);
});

test("DATACAT_DISABLED makes every call do nothing", () => {
  using home = testHome();
  const ran = run(
    home,
    `const s = open(); s.logEvent("x"); s.end(); console.log(JSON.stringify(s.stats()));`,
    { DATACAT_DISABLED: "1" },
  );
  expect(JSON.parse(ran.stdout)).toMatchObject({ records: 0 });
  expect(() => readLanes(home)).toThrow("ENOENT");
});
