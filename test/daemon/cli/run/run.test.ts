/** `datacat run` with real commands: they notice nothing, and everything is in the lane. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { readLane } from "../../../../daemon/lanes/lane-file.ts";
import type { Op } from "../../../../src/core/wire.ts";

const root = join(import.meta.dirname, "../../../..");
const node = join(root, "node_modules/.bin/node");
const datacat = join(root, "daemon/launch/datacat.mjs");

class Home {
  readonly folder = mkdtempSync(join(tmpdir(), "datacat-run-"));
  readonly env = {
    ...process.env,
    DATACAT_HOME: this.folder,
    DATACAT_DAEMON: "off",
    DATACAT_LINK: "never", // the line after the command is tested by itself
  };

  constructor() {
    for (const name of [
      "DATACAT_SESSION",
      "DATACAT_DISABLED",
      "DATACAT_PRODUCT",
      "DATACAT_VERSION",
    ]) {
      Reflect.deleteProperty(this.env, name);
    }
  }

  run(args: string[], options: { input?: Buffer; env?: NodeJS.ProcessEnv } = {}) {
    return spawnSync(node, [datacat, "run", ...args], {
      cwd: this.folder,
      env: { ...this.env, ...options.env },
      input: options.input ?? Buffer.alloc(0),
      maxBuffer: 512 * 1024 * 1024,
    });
  }

  /** What the only lane holds. */
  async ops(): Promise<Op[]> {
    const [file] = readdirSync(join(this.folder, "lanes"));
    const ops: Op[] = [];
    for await (const entry of readLane(join(this.folder, "lanes", file ?? ""))) {
      if (entry.kind === "record") ops.push(entry.op);
      else expect(entry.kind).toBe("header");
    }
    return ops;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

test("the exit code is the command's own, and its end is recorded last", async () => {
  using home = new Home();
  expect(home.run(["--", "sh", "-c", "exit 3"]).status).toBe(3);
  const ops = await home.ops();
  expect(ops.at(0)).toMatchObject({ op: "start", product: "sh" });
  expect(ops.at(-1)).toMatchObject({ op: "end", exit_code: 3 });
});

test.each(["SIGKILL", "SIGSEGV", "SIGABRT"] as const)(
  "dies of %s as the command did",
  async (signal) => {
    using home = new Home();
    const ran = home.run(["sh", "-c", `ulimit -c 0; kill -${signal.slice(3)} $$`]);
    expect(ran.signal).toBe(signal);
    expect((await home.ops()).at(-1)).toMatchObject({ op: "crash", signal });
  },
);

test("input and output pass byte for byte, whatever the bytes", () => {
  using home = new Home();
  const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 7919) % 256));
  const ran = home.run(["cat"], { input: bytes });
  expect(ran.stdout.equals(bytes)).toBe(true);
  expect(ran.stderr.length).toBe(0);
});

test("output comes through while the command still runs", async () => {
  using home = new Home();
  const child = spawn(node, [datacat, "run", "--", "sh", "-c", "printf now; read _"], {
    env: home.env,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const first = await new Promise<string>((resolve) => {
    child.stdout.once("data", (data: Buffer) => resolve(data.toString()));
  });
  expect(first).toBe("now");
  child.stdin.end("\n");
  await new Promise((resolve) => child.once("exit", resolve));
});

test("the command's output is a pipe, as in a shell", () => {
  using home = new Home();
  const script = "echo to >/dev/stderr; [ -p /dev/stdout ] && echo pipe >/dev/stdout";
  const ran = home.run(["--", "sh", "-c", script]);
  expect(ran.stdout.toString()).toBe("pipe\n");
  expect(ran.stderr.toString()).toBe("to\n");
});

test("options after the command are the command's", () => {
  using home = new Home();
  const ran = home.run(["echo", "--product", "x", "--help", "--", "-n"]);
  expect(ran.stdout.toString()).toBe("--product x --help -- -n\n");
});

test("a reader that leaves ends the command as it would without us, and that is no crash", async () => {
  using home = new Home();
  const line = `"${node}" "${datacat}" run yes | head -n 2`;
  const ran = spawnSync("sh", ["-c", line], { env: home.env });
  expect(ran.stdout.toString()).toBe("y\ny\n");
  expect(ran.stderr.toString()).toBe("");
  expect((await home.ops()).at(-1)).toMatchObject({ op: "end", signal: "SIGPIPE" });
});

test("a slow reader gets everything, also what the command wrote last", () => {
  using home = new Home();
  const line = `"${node}" "${datacat}" run seq 200000 | (sleep 2; tail -n 1)`;
  expect(spawnSync("sh", ["-c", line], { env: home.env }).stdout.toString()).toBe("200000\n");
});

test("signals reach the command, and it decides what they mean", async () => {
  using home = new Home();
  const script = `trap "echo resized" WINCH; trap "echo continued" CONT; trap "echo caught; exit 9" TERM
    echo ready; while :; do sleep 0.05; done`;
  const child = spawn(node, [datacat, "run", "--", "sh", "-c", script], {
    env: home.env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (data: Buffer) => {
    output += data.toString();
    if (output.endsWith("ready\n")) child.kill("SIGWINCH");
    if (output.endsWith("resized\n")) child.kill("SIGCONT");
    if (output.endsWith("continued\n")) child.kill("SIGTERM");
  });
  const code = await new Promise((resolve) => child.once("close", resolve));
  expect({ code, output }).toEqual({ code: 9, output: "ready\nresized\ncontinued\ncaught\n" });
  expect((await home.ops()).at(-1)).toMatchObject({ op: "end", exit_code: 9 });
});

test("asked to stop and stopped, a command has ended with that signal", async () => {
  using home = new Home();
  const child = spawn(node, [datacat, "run", "--", "sh", "-c", "echo ready; exec sleep 20"], {
    env: home.env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  child.stdout.once("data", () => child.kill("SIGTERM"));
  const signal = await new Promise((resolve) => child.once("exit", (_, by) => resolve(by)));
  expect(signal).toBe("SIGTERM");
  expect((await home.ops()).at(-1)).toMatchObject({ op: "end", signal: "SIGTERM" });
});

// util-linux's `script` makes a terminal; macOS has another of the same name.
const hasScript = spawnSync("script", ["--version"]).status === 0;

test.skipIf(!hasScript)("Ctrl-C on a terminal reaches the command once", async () => {
  using home = new Home();
  const program = join(home.folder, "count.mjs");
  writeFileSync(
    program,
    `let count = 0;
     process.on("SIGINT", () => { if (++count === 1) setTimeout(() => { console.log("count", count); process.exit(0); }, 700); });
     setInterval(() => {}, 1000); console.log("ready");`,
  );
  const command = `"${node}" "${datacat}" run -- "${node}" "${program}"`;
  const child = spawn("script", ["-qec", command, "/dev/null"], {
    env: home.env,
    stdio: ["pipe", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (data: Buffer) => {
    if (!output.includes("ready") && `${output}${data.toString()}`.includes("ready"))
      child.stdin.write("\u0003");
    output += data.toString();
  });
  await new Promise((resolve) => child.once("exit", resolve));
  expect(stripVTControlCharacters(output)).toContain("count 1");
});

test("what is known about the run is its state; secrets in its arguments are not", async () => {
  using home = new Home();
  home.run(
    [
      "--product",
      "deploy",
      "--version-label",
      "7",
      "--tag",
      "branch=main",
      "--tag",
      "x".repeat(300),
      "true",
      "--password",
      "hunter2",
      "--token=abc",
    ],
    {
      env: { CI: "true", DATACAT_TAGS: "nightly, gpu:0" },
    },
  );
  const [start, cut] = await home.ops();
  expect(cut).toMatchObject({ op: "dropped", cause: "too_large", detail: "start.tags" });
  expect(start).toMatchObject({
    product: "deploy",
    version: "7",
    tags: ["nightly", "gpu:0", "branch:main", "x".repeat(256)],
    state: {
      command: "true",
      arguments: ["--password", "[redacted]", "--token=[redacted]"],
      working_folder: home.folder,
      environment: { CI: "true" },
    },
  });
  expect(JSON.stringify(await home.ops())).not.toMatch(/hunter2|abc/);
});

test("version, branch and commit come from git, without a lock that the command could meet", async () => {
  using home = new Home();
  const git = (...args: string[]) =>
    spawnSync("git", ["-c", "user.name=a", "-c", "user.email=a@b", "-C", home.folder, ...args]);
  git("init", "--initial-branch", "trunk");
  git("commit", "--allow-empty", "-m", "first");
  git("tag", "-a", "v1.2", "-m", "v1.2");
  home.run(["sleep", "0.3"]);
  const ops = await home.ops();
  const state = ops.find((op) => op.op === "state");
  const ci = state?.patch["ci"] as { commit_short?: string } | undefined;
  expect(ci).toMatchObject({ provider: "git", branch: "trunk", tag: "v1.2", dirty: false });
  const version = ci?.commit_short;
  expect(version).toMatch(/^[0-9a-f]{12}$/);
  expect(ops).toContainEqual(expect.objectContaining({ op: "start", version }));
});

test("short commands have points too, over the whole process tree", async () => {
  using home = new Home();
  home.run(["--", "sh", "-c", "sleep 0.4 & sleep 0.4; wait"]);
  // Counters are recorded when they rise, which depends on the machine.
  const metrics = (await home.ops()).filter((op) => op.op === "metric");
  const gauges = metrics.filter(({ type }) => type === "gauge");
  expect(new Set(gauges.map(({ name }) => name))).toEqual(
    new Set("cpu_percent memory_bytes peak_memory_bytes processes threads open_files".split(" ")),
  );
  expect(gauges.find(({ name }) => name === "processes")?.value).toBe(3);
  expect(gauges.every(({ unit, at }) => unit && at > 0)).toBe(true);
});

test("the command's own calls join the session", async () => {
  using home = new Home();
  const ran = home.run(["sh", "-c", "echo $DATACAT_SESSION"]);
  const [file] = readdirSync(join(home.folder, "lanes"));
  for await (const entry of readLane(join(home.folder, "lanes", file ?? ""))) {
    if (entry.kind === "header") expect(ran.stdout.toString().trim()).toBe(entry.header.session);
  }
});

test("a command that is not found is reported, with a shell's exit code, and recorded", async () => {
  using home = new Home();
  const ran = home.run(["no-such-command-anywhere"]);
  expect(ran.status).toBe(127);
  expect(ran.stderr.toString()).toContain("command not found");
  expect((await home.ops()).at(-1)).toMatchObject({ op: "end", exit_code: 127 });
});

test("with nowhere to record, the command runs all the same", () => {
  using home = new Home();
  const ran = home.run(["echo", "hi"], {
    env: { DATACAT_HOME: "/dev/null/nowhere", TMPDIR: "/dev/null" },
  });
  expect(ran.status).toBe(0);
  expect(ran.stdout.toString()).toBe("hi\n");
  expect(ran.stderr.toString()).toMatch(/^datacat: this run is not recorded: .*\n$/);
});

test("DATACAT_DISABLED=1 runs the command and nothing else", () => {
  using home = new Home();
  expect(home.run(["echo", "hi"], { env: { DATACAT_DISABLED: "1" } }).stdout.toString()).toBe(
    "hi\n",
  );
  expect(readdirSync(home.folder)).toEqual([]);
});

test("--no-output leaves the output alone", async () => {
  using home = new Home();
  expect(home.run(["--no-output", "echo", "hi"]).stdout.toString()).toBe("hi\n");
  const names = (await home.ops()).map((op) => (op.op === "event" ? op.name : op.op));
  expect(names).not.toContain("output");
});

test("what a command leaves in the background does not hold us up", () => {
  using home = new Home();
  const began = Date.now();
  const ran = home.run(["--", "sh", "-c", "sleep 30 & echo done"]);
  expect(ran.stdout.toString()).toBe("done\n");
  expect(Date.now() - began).toBeLessThan(20_000);
});

test("nor does one that goes on writing", () => {
  using home = new Home();
  const ran = home.run(["--", "sh", "-c", "yes & sleep 0.1; exit 4"]);
  expect(ran.status).toBe(4);
});

test("one line on standard error has the session's address, of a job its page too", () => {
  using home = new Home();
  const summary = join(home.folder, "summary.md");
  const link = { DATACAT_LINK: "" };
  const env = {
    ...link,
    DATACAT_URL: "https://user:secret@cats.example/",
    GITHUB_STEP_SUMMARY: summary,
  };
  const failed = home.run(["sh", "-c", "exit 3"], { env });
  expect(failed.status).toBe(3);
  expect(failed.stderr.toString()).toMatch(
    /^datacat: https:\/\/cats\.example\/sessions\/[0-9a-f-]{36}\n$/,
  );
  expect(readFileSync(summary, "utf8")).toMatch(
    /^### <code>sh -c exit 3<\/code>: exit code 3\n\n\[Session in Datacat\]\(https:\/\/cats\.example\/sessions\//,
  );
  expect(home.run(["true"], { env: link }).stderr.toString()).toContain("/sessions/");
  expect(home.run(["--link=failure", "true"]).stderr.toString()).toBe("");
  expect(home.run(["--link=failure", "false"]).stderr.toString()).toContain("/sessions/");
  expect(home.run(["false"], { env: { DATACAT_LINK: "never" } }).stderr.toString()).toBe("");
});
