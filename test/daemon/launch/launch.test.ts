/** The launchers, in a small clone of their own: a real Node, and an npm that only records its call. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { expect, test } from "vitest";
import { VERSION } from "../../../daemon/version.ts";
import { newNode, oldNode } from "./nodes.ts";

const root = join(import.meta.dirname, "../../..");

class Clone {
  readonly folder = mkdtempSync(join(tmpdir(), "datacat-clone-"));
  readonly npmLog = join(this.folder, "npm.log");

  /** `program` is what daemon/cli/main.ts is here. */
  constructor(program: string, { hasLock = true } = {}) {
    mkdirSync(join(this.folder, "daemon/launch"), { recursive: true });
    mkdirSync(join(this.folder, "daemon/cli"));
    mkdirSync(join(this.folder, "bin"));
    for (const name of ["launch.mjs", "early.mjs", "datacat.mjs"]) {
      copyFileSync(join(root, "daemon/launch", name), join(this.folder, "daemon/launch", name));
    }
    writeFileSync(join(this.folder, "package.json"), '{"type":"module"}');
    if (hasLock) writeFileSync(join(this.folder, "package-lock.json"), "{}");
    writeFileSync(join(this.folder, "daemon/cli/main.ts"), program);
    const npm = join(this.folder, "bin/npm");
    writeFileSync(
      npm,
      `#!/bin/sh
echo "$@" >>npm.log
echo "added 1 package"
sleep 0.5
mkdir -p node_modules/node/bin
ln -sf "${newNode}" node_modules/node/bin/node
echo '{}' >node_modules/.package-lock.json
`,
    );
    chmodSync(npm, 0o755);
  }

  start(node: string, args: string[] = []): ChildProcess {
    const env = {
      ...process.env,
      PATH: `${join(this.folder, "bin")}${delimiter}${process.env["PATH"] ?? ""}`,
    };
    return spawn(node, [join(this.folder, "daemon/launch/datacat.mjs"), ...args], {
      env,
      stdio: "pipe",
    });
  }

  async run(node: string, args: string[] = [], input = "") {
    const child = this.start(node, args);
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
    let stdout = "";
    let stderr = "";
    child.stdout?.on("data", (bytes: Buffer) => (stdout += bytes.toString()));
    child.stderr?.on("data", (bytes: Buffer) => (stderr += bytes.toString()));
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
      child.once("close", (...how) => resolve(how));
    });
    return { code, signal, stdout, stderr };
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const nodes = [newNode, ...(oldNode ? [oldNode] : [])];
const ECHO = `const args: string[] = process.argv.slice(2);
let input = "";
for await (const chunk of process.stdin) input += chunk;
console.log(Number.parseInt(process.versions.node), args.join("|"), input);
process.exit(args.length);`;

test.each(nodes)(
  "a fresh clone installs itself once, prints that, and runs on a new Node: %s",
  async (node) => {
    using clone = new Clone(ECHO);
    const first = await clone.run(node, ["a b", "--c"], "read");
    expect(first).toMatchObject({ code: 2, stdout: "24 a b|--c read\n" });
    expect(first.stderr).toMatch(/^First run in this clone/);
    expect(readFileSync(clone.npmLog, "utf8")).toMatch(/^ci /);

    const second = await clone.run(node, ["d"]);
    expect(second).toMatchObject({ code: 1, stdout: "24 d \n", stderr: "" });
    expect(readFileSync(clone.npmLog, "utf8").trim().split("\n")).toHaveLength(1);
  },
);

test("without a lock file it installs the newest versions", async () => {
  using clone = new Clone(ECHO, { hasLock: false });
  await clone.run(newNode);
  expect(readFileSync(clone.npmLog, "utf8")).toMatch(/^install /);
});

test("two commands in a fresh clone at once install once, and both run", async () => {
  using clone = new Clone(ECHO);
  const both = await Promise.all([clone.run(newNode, ["x"]), clone.run(newNode, ["y"])]);
  expect(both.map(({ stdout }) => stdout)).toEqual(["24 x \n", "24 y \n"]);
  expect(readFileSync(clone.npmLog, "utf8").trim().split("\n")).toHaveLength(1);
});

test("an install that was killed does not block the next", async () => {
  using clone = new Clone(ECHO);
  mkdirSync(join(clone.folder, ".datacat"));
  writeFileSync(join(clone.folder, ".datacat/installing"), "999999999");
  expect(await clone.run(newNode, ["x"])).toMatchObject({ stdout: "24 x \n" });
});

test("a failed install names the folder and the command", async () => {
  using clone = new Clone(ECHO);
  writeFileSync(join(clone.folder, "bin/npm"), "#!/bin/sh\nexit 1\n");
  const ran = await clone.run(newNode);
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain("Run it there to see why");
});

test.each(nodes)("signals reach the program, and its exit code is its own: %s", async (node) => {
  using clone = new Clone(`process.on("SIGTERM", () => { console.log("asked"); process.exit(7); });
console.log("ready");
setInterval(() => {}, 1000);`);
  const child = clone.start(node);
  let output = "";
  child.stdout?.on("data", (bytes: Buffer) => {
    output += bytes.toString();
    if (output === "ready\n") child.kill("SIGTERM");
  });
  const code = await new Promise((resolve) => child.once("close", resolve));
  expect({ code, output }).toEqual({ code: 7, output: "ready\nasked\n" });
});

test.each(nodes)("a program that a signal ends is seen to end by it: %s", async (node) => {
  using clone = new Clone(`process.kill(process.pid, "SIGKILL"); setInterval(() => {}, 1000);`);
  expect(await clone.run(node)).toMatchObject({ code: null, signal: "SIGKILL" });
});

test.runIf(process.platform === "linux").each(nodes)(
  "a program that a real-time signal ends is seen to end by it: %s",
  async (node) => {
    using clone = new Clone(`process.kill(process.pid, 37); setInterval(() => {}, 1000);`);
    await clone.run(node); // installs
    // Node reports exit code 0 of such a program, so a shell reports it.
    const launcher = join(clone.folder, "daemon/launch/datacat.mjs");
    const script = `"${node}" "${launcher}"; echo $?`;
    expect(spawnSync("sh", ["-c", script], { encoding: "utf8" }).stdout).toBe("165\n");
  },
);

test.each([
  ["src/core/version.ts", /VERSION = "([\d.]+)"/],
  ["clients/typescript/version.ts", /VERSION = "([\d.]+)"/],
  ["clients/typescript/package.json", /"version": "([\d.]+)"/],
  ["clients/python/datacat.py", /__version__ = "([\d.]+)"/],
  ["clients/go/datacat.go", /const Version = "([\d.]+)"/],
])("%s has the version of package.json", (path, pattern) => {
  const [, found] = pattern.exec(readFileSync(join(root, path), "utf8")) ?? [];
  expect(found).toBe(VERSION);
});
