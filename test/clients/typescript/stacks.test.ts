/** The stack of a hung Node program, reports of fatal errors, and that neither changes how a program ends or what it prints. */
import { spawn } from "node:child_process";
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readLanes, testHome, type TestHome } from "./lanes.ts";

const client = new URL("../../../clients/typescript/node.ts", import.meta.url).pathname;

type Ran = { code: number | null; signal: string | null; stdout: string; stderr: string };

function run(
  home: TestHome,
  code: string,
  { env = {}, flags = [] }: { env?: { [name: string]: string }; flags?: string[] } = {},
): Promise<Ran> {
  const script = join(home.folder, "program.mjs");
  writeFileSync(script, `import { open } from ${JSON.stringify(client)};\n${code}`);
  const program = spawn(process.execPath, [...flags, script], {
    cwd: home.folder,
    env: { PATH: process.env["PATH"], DATACAT_HOME: home.folder, DATACAT_DAEMON: "off", ...env },
  });
  let [stdout, stderr] = ["", ""];
  program.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  program.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve) =>
    program.on("close", (code, signal) => resolve({ code, signal, stdout, stderr })),
  );
}

/** The text of a side file; undefined without one. It is readable for its user only. */
function side(home: TestHome, kind: "stacks" | "fatal"): string | undefined {
  const [name] = readdirSync(home.lanes).filter((each) => each.endsWith(`.${kind}`));
  if (name === undefined) return undefined;
  expect(lstatSync(join(home.lanes, name)).mode & 0o777).toBe(0o600);
  return readFileSync(join(home.lanes, name), "utf8");
}

type Sample = { at: number; threads: { name: string; state?: string; frames: string[] }[] };
function samples(home: TestHome): Sample[] {
  const lines = (side(home, "stacks") ?? "").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Sample);
}

/** Sends heartbeats, blocks in the function `block`, and ends. `taken()` counts the samples. */
const hang = (block: string) => `
  import { execSync } from "node:child_process";
  import { readdirSync, readFileSync } from "node:fs";
  const lanes = process.env.DATACAT_HOME + "/lanes/";
  const file = () => lanes + readdirSync(lanes).find((name) => name.endsWith(".stacks"));
  const taken = () => readFileSync(file(), "utf8").split("\\n").length - 1;
  const session = open();
  const monitor = session.startHeartbeatMonitor(150);
  setTimeout(function loop() {
    (function block() { ${block} })();
    session.heartbeat();
    process.exitCode = 5;
    monitor.stop();
  }, 100);`;

test("the stack of a program that hangs shows where: in a loop, in a wait, in native code, or idle", async () => {
  const cases = {
    spin: `while (taken() < 3);`,
    expression: `while (taken() < 3) /^(a+)+$/.test("a".repeat(25) + "b");`,
    atomics: `while (taken() < 3) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3_000);`,
    // The first sample may be taken before the command runs.
    command: `execSync("until test $(wc -l < " + file() + ") -gt " + (taken() + 1) + "; do sleep 0.1; done");`,
  };
  await Promise.all(
    Object.entries(cases).map(async ([name, block]) => {
      using home = testHome();
      expect(await run(home, hang(block)), name).toEqual({
        code: 5,
        signal: null,
        stdout: "",
        stderr: "",
      });
      const found = samples(home);
      if (name !== "command") expect(found.length, name).toBeGreaterThanOrEqual(3);
      const isTaken = ({ threads }: Sample) => (threads[0]?.frames.length ?? 0) > 0;
      const { threads } = found.findLast(isTaken) ?? expect.fail(`${name}: no sample`);
      const text = threads[0]?.frames.join("\n");
      expect(text, name).toMatch(/^at block \(.*program\.mjs:\d+:\d+\)/m);
      expect(text, name).toMatch(/^at loop \(.*program\.mjs:\d+:\d+\)/m);
      if (name === "command") {
        const inNative = [{ name: "main", state: "in native code", frames: [] }];
        expect(found.map((sample) => sample.threads)).toContainEqual(inNative);
        expect(threads[0]).toMatchObject({ name: "main", state: "returned from native code" });
      }
    }),
  );
});

test("an idle event loop is shown as such, and the process ends all the same", async () => {
  using home = testHome();
  const ran = await run(
    home,
    `open().heartbeat(150); setTimeout(() => {}, 1_500); process.exitCode = 5;`,
  );
  expect(ran).toEqual({ code: 5, signal: null, stdout: "", stderr: "" });
  expect(samples(home)[0]?.threads).toEqual([
    { name: "main", state: "idle, waiting for events", frames: [] },
  ]);
});

test("a program that ends while it is sampled ends as without Datacat", async () => {
  const ends = {
    exit: `execSync("sleep 2.5"); process.exit(3);`,
    abort: `execSync("sleep 0.5"); process.abort();`,
    worker: `new Worker("process.exit(9)", { eval: true }).on("exit", (code) => process.exit(code));
      return;`,
    terminate: `const worker = new Worker("setInterval(() => {}, 100)", { eval: true });
      worker.terminate().then((code) => process.exit(code + 10)); return;`,
  };
  await Promise.all(
    Object.entries(ends).map(async ([name, block]) => {
      using home = testHome();
      using plainHome = testHome();
      const code = `import { Worker } from "node:worker_threads";\n${hang(block)}`;
      const ran = await run(home, code);
      const plain = await run(plainHome, code, { env: { DATACAT_DISABLED: "1" } });
      const same = ({ stderr, ...rest }: Ran, { folder }: TestHome) => ({
        ...rest,
        stderr: stderr.replaceAll(folder, "").replaceAll(/0x[0-9a-f]+/g, "0x"),
      });
      expect(same(ran, home), name).toEqual(same(plain, plainHome));
    }),
  );
});

const LEAK = `const all = []; for (;;) all.push(new Array(1_000).fill({ x: 1 }));`;

test("a heap out of memory leaves a report only if asked for; besides its two lines, nothing is printed", async () => {
  using home = testHome();
  using plainHome = testHome();
  const flags = ["--max-old-space-size=30"];
  const [ran, plain] = await Promise.all([
    run(home, `open({ fatalReports: true }); ${LEAK}`, {
      flags: [...flags, "--report-exclude-env"],
      env: { PASSWORD: "in-the-environment" },
    }),
    run(plainHome, `open(); ${LEAK}`, { flags }),
  ]);
  expect(ran.signal).toBe("SIGABRT");
  expect(plain.signal).toBe("SIGABRT");
  const report = JSON.parse(side(home, "fatal") ?? "") as { header: { event: string } };
  expect(report.header.event).toContain("JavaScript heap out of memory");
  expect(side(home, "fatal")).not.toContain("in-the-environment");
  expect(side(plainHome, "fatal")).toBeUndefined();
  // Times, sizes and addresses differ.
  const shape = ({ stderr }: Ran) =>
    stderr
      .split("\n")
      .filter((line) => line !== "" && !/^\[|^ *\d+: /.test(line))
      .map((line) => line.slice(0, 30));
  expect(shape(ran).filter((line) => !shape(plain).includes(line))).toEqual([
    "Writing Node.js report to file".slice(0, 30),
    "Node.js report completed",
  ]);
});

test("a report that the program asks for goes where it would go without Datacat, and its own settings stay", async () => {
  using home = testHome();
  const reports = join(home.folder, "reports");
  mkdirSync(reports);
  const ran = await run(
    home,
    `const session = open({ fatalReports: true });
     process.chdir(${JSON.stringify(reports)});
     process.report.writeReport();
     session.end();
     console.log(JSON.stringify([process.report.directory, process.report.filename, process.report.reportOnFatalError]));
     process.report.directory = ${JSON.stringify(reports)};
     open({ fatalReports: true });
     console.log(process.report.directory === ${JSON.stringify(reports)}, process.report.reportOnFatalError);`,
  );
  expect(readdirSync(reports)).toEqual([expect.stringMatching(/^report\..*\.json$/)]);
  expect(ran.stdout).toBe('["","",false]\ntrue false\n');
});

test("neither a debugger nor preloaded modules of the program reach the sampling thread", async () => {
  using home = testHome();
  const preload = join(home.folder, "preload.cjs");
  writeFileSync(preload, `console.log("preloaded");`);
  const [debugged, preloaded] = await Promise.all([
    run(home, hang(`execSync("sleep 0.5")`), {
      flags: ["--inspect=0"],
    }),
    (async () => {
      using other = testHome();
      const ran = await run(other, hang(`while (taken() < 1);`), {
        flags: ["--require", preload],
        env: { NODE_OPTIONS: `--require ${preload}` },
      });
      expect(samples(other).length).toBeGreaterThan(0);
      return ran;
    })(),
  ]);
  expect(debugged.code).toBe(5);
  expect(samples(home)).toEqual([]);
  expect(preloaded.stdout.match(/preloaded/g)?.length).toBeLessThanOrEqual(2); // by each option in the main thread
});

test("a rejection beside the program's own listener is recorded, and the program continues", async () => {
  using home = testHome();
  const ran = await run(
    home,
    `open();
     const own = (reason) => console.log("own", reason.message);
     process.on("unhandledRejection", own);
     Promise.reject(new TypeError("first"));
     setTimeout(() => {
       process.off("unhandledRejection", own);
       console.log(process.listenerCount("unhandledRejection"));
       Promise.reject(new RangeError("second"));
     }, 10);`,
  );
  expect(ran).toMatchObject({ code: 1, stdout: "own first\n0\n" });
  expect(readLanes(home)[0]?.records.slice(1)).toMatchObject([
    { op: "event", exception_type: "TypeError", handled: false },
    { op: "event", exception_type: "RangeError", handled: false },
    { op: "crash", exit_code: 1 },
  ]);
});
