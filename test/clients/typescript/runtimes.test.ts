/** The client in Deno and Bun: what a program that crashes there leaves behind, the verdict about it, and the permissions that it uses. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { farServer } from "./far-server.ts";
import { readLanes, testHome, type TestHome } from "./lanes.ts";
import { runtimes } from "./runtimes.ts";
import { startWorld } from "./world.ts";

const client = new URL("../../../clients/typescript/node.ts", import.meta.url).pathname;
const expectedUser = spawnSync("id", ["-un"], { encoding: "utf8" }).stdout.trim();

const recording = `import { open } from ${JSON.stringify(client)};`;
const alone = "const open = () => {};";

function write(folder: string, code: string, first = recording): string {
  const script = join(folder, "program.mjs");
  // Far enough above for messages that quote the lines before.
  writeFileSync(script, `${first}${"\n".repeat(10)}${code}`);
  return script;
}

function environment(home: TestHome) {
  // No USER: services have none.
  return {
    PATH: process.env["PATH"],
    HOME: home.folder,
    DATACAT_HOME: home.folder,
    DATACAT_DAEMON: "off",
    NO_COLOR: "1",
  };
}

describe.each(runtimes)("$name", ({ name, command: [program, ...args], isMissing }) => {
  function run(home: TestHome, code: string, first = recording) {
    const script = write(home.folder, code, first);
    return spawnSync(program, [...args, script, "--token=abc", "play"], {
      encoding: "utf8",
      env: environment(home),
      timeout: 30_000,
    });
  }
  const ops = (home: TestHome) => readLanes(home)[0]?.records.map((record) => record["op"]);

  test.skipIf(isMissing)("a program's lane names its writer", () => {
    using home = testHome();
    const ran = run(home, `open(); console.log(process.pid);`);
    expect(ran).toMatchObject({ status: 0, stderr: "" });
    const {
      pid,
      pid_started,
      boot_id,
      user,
      language,
      arguments: passed,
    } = readLanes(home)[0]?.header["writer"] ?? {};
    expect(pid).toBe(Number(ran.stdout));
    expect({ language, passed, user }).toEqual({
      language: expect.stringMatching(new RegExp(`^${name.toLowerCase()} \\d`)),
      passed: ["--token=[redacted]", "play"],
      user: expectedUser,
    });
    if (process.platform === "linux") expect([pid_started, boot_id]).not.toContain(undefined);
  });

  test.skipIf(isMissing).each([
    ["undefined", "undefined", "undefined"],
    ["null", "null", "null"],
    ["5", "number", "5"],
    ["'lost'", "string", "lost"],
    ["({ code: 5 })", "Object", '{"code":5}'],
    ["[1, 2]", "Array", "[1,2]"],
    ["Symbol('lost')", "symbol", "symbol"],
  ])("a rejection with %s has its type", (value, type, message) => {
    if (name === "Deno" && type === "symbol") return; // Deno itself fails to describe it, and calls no listener
    using home = testHome();
    run(home, `open(); Promise.reject(${value});`);
    const [lane] = readLanes(home);
    const event = lane?.records.find((record) => record["op"] === "event");
    expect(event).toMatchObject({ exception_type: type, exception_msg: message, handled: false });
  });

  test.skipIf(isMissing).each([
    ["open();", 0, ["start", "end"]],
    ["open(); process.exit(3);", 3, ["start", "end"]],
    ["open(); throw new TypeError('no sword');", 1, ["start", "event", "crash"]],
    ["open(); Promise.reject(new Error('lost'));", 1, ["start", "event", "crash"]],
    ["open(); await Promise.reject(new Error('lost'));", 1, ["start", "event", "crash"]],
    ["open(); Promise.reject(undefined);", 1, ["start", "event", "crash"]],
    ["open(); Promise.reject({ code: 5 });", 1, ["start", "event", "crash"]],
    [
      "open(); setTimeout(() => { throw 5; }, 5);",
      1,
      // In Deno it may still be stopped, so that it is left to the daemon to see.
      name === "Deno" ? ["start", "event"] : ["start", "event", "crash"],
    ],
    [
      "process.on('uncaughtException', () => {}); open(); setTimeout(() => { throw 5; }, 5);",
      0,
      ["start", "event", "end"],
    ],
    [
      "process.on('unhandledRejection', () => {}); open(); Promise.reject(new Error('lost'));",
      0,
      ["start", "end"], // as in Node
    ],
  ])("%s", (code, status, expected) => {
    using home = testHome();
    const ran = run(home, code);
    expect(ran.status).toBe(status);
    expect(ops(home)).toEqual(expected);
    const last = readLanes(home)[0]?.records.at(-1);
    if (last?.["op"] !== "event") expect(last?.["exit_code"]).toBe(status);

    // It dies, and what it prints, is as without us.
    const { status: expectedStatus, stderr } = run(home, code, alone);
    expect([ran.status, ran.stderr]).toEqual([expectedStatus, stderr]);
  });

  test.skipIf(isMissing)("with captureSignals a signal is what ended the program", () => {
    using home = testHome();
    const ran = run(
      home,
      `open({ captureSignals: true }); process.kill(process.pid, "SIGTERM"); setTimeout(() => {}, 5_000);`,
    );
    expect(ran.signal).toBe("SIGTERM");
    expect(readLanes(home)[0]?.records.at(-1)).toMatchObject({ op: "end", signal: "SIGTERM" });
  });

  test.skipIf(isMissing)(
    "kill -9: the daemon that the program started reports the crash, with all that was logged",
    async () => {
      await using world = await startWorld();
      const script = write(
        world.home,
        `const session = open({ product: "game" }); console.log(session.id);
         session.logEvent("just before the end"); setInterval(() => {}, 1_000);`,
      );
      const child = spawn(program, [...args, script], { env: world.env, cwd: world.home });
      const [chunk] = (await once(child.stdout, "data")) as [Buffer];
      const id = chunk.toString().trim();
      await world.summary(id, ({ counts }) => counts.events === 1);
      child.kill("SIGKILL");
      const killedAt = Date.now();
      const { verdict } = await world.summary(id, (summary) => summary.ended_at !== null);
      expect(verdict.status).toBe("crashed");
      expect(Date.now() - killedAt).toBeLessThan(10_000); // 2 s on a machine that does nothing else
    },
  );

  test.skipIf(isMissing)("direct mode sends everything before the program ends", async () => {
    await using far = await farServer();
    using home = testHome();
    const script = write(
      home.folder,
      `open({ direct: true, url: ${JSON.stringify(far.url)} }).logEvent("hello");`,
    );
    const child = spawn(program, [...args, script], { env: environment(home) });
    const [code] = (await once(child, "exit")) as [number];
    expect(code).toBe(0);
    expect(far.ops.map((op) => op["name"] ?? op["op"])).toEqual(["start", "hello", "end"]);
  });
});

const [deno] = runtimes;

test.skipIf(deno?.isMissing).each([
  ["open(); Deno.exit(4);", 4, ["start", "end"]],
  ["open(); Deno.exitCode = 6;", 6, ["start", "end"]],
  [
    `addEventListener("error", (event) => event.preventDefault());
     open(); setTimeout(() => { throw 5; }, 5); setTimeout(() => {}, 50);`,
    0,
    ["start", "event", "end"],
  ],
  [
    `addEventListener("unhandledrejection", (event) => event.preventDefault());
     open(); Promise.reject(5); setTimeout(() => {}, 50);`,
    0,
    ["start", "end"],
  ],
])("Deno's own ways to go, and to go on: %s", (code, status, expected) => {
  using home = testHome();
  const [program, ...args] = deno?.command ?? [""];
  const script = write(home.folder, code);
  const ran = spawnSync(program, [...args, script], { env: environment(home) });
  const [lane] = readLanes(home);
  expect(ran.status).toBe(status);
  expect(lane?.records.map((record) => record["op"])).toEqual(expected);
  expect(lane?.records.at(-1)?.["exit_code"]).toBe(status);
});

// With a terminal (script, of util-linux), because without one Deno never prompts.
describe.skipIf(process.platform !== "linux")("Deno's permissions", () => {
  const file = "lane";
  const net = "direct";
  const none = "nothing";
  test.skipIf(deno?.isMissing).each([
    [[], none],
    [["--allow-env"], none],
    [["--allow-net"], net],
    [["--allow-read", "--allow-write"], none],
    [["--allow-env", "--allow-net"], net],
    [["--allow-env", "--allow-read", "--allow-write"], file],
    [["--allow-env=DATACAT_HOME", "--allow-read=HOME", "--allow-write=HOME"], file],
    [["--allow-env", "--allow-read", "--allow-write", "--allow-sys"], file],
    [["--allow-all", "--deny-sys"], file],
    [["--allow-all", "--deny-run"], file],
    [["--allow-all"], file],
  ])("%j: %s, without a prompt", async (flags, expected) => {
    await using far = await farServer();
    using home = testHome();
    rmSync(home.folder, { recursive: true }); // made by the client
    using scripts = testHome();
    const script = write(
      scripts.folder,
      `open({ url: ${JSON.stringify(far.url)} }).logEvent("hello"); console.log("done");`,
    );
    const granted = flags.map((flag) => flag.replace("=HOME", `=${home.folder}`));
    const command = [deno?.command[0] ?? "", "run", ...granted, script].join(" ");
    const child = spawn("script", ["-qec", command, "/dev/null"], { env: environment(home) });
    child.stdin.end();
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const [code] = (await once(child, "close")) as [number];
    expect([code, output.trim()]).toEqual([0, "done"]);
    const lanes = expected === file ? readLanes(home) : [];
    expect(lanes.map(({ records }) => records.length)).toEqual(expected === file ? [3] : []);
    expect(far.ops).toHaveLength(expected === net ? 3 : 0);
  });
});
