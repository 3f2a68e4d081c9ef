/** The installed package of `npm pack`: one file without dependencies, installed offline. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { VERSION } from "../../daemon/version.ts";

const root = join(import.meta.dirname, "../..");
const newNode = join(root, "node_modules/node/bin");
const folder = mkdtempSync(join(tmpdir(), "datacat-pack-"));
const installed = join(folder, "project");
const env = {
  ...process.env,
  PATH: [newNode, process.env["PATH"]].join(delimiter),
  DATACAT_HOME: join(folder, "home"),
  DATACAT_URL: "http://localhost:9", // no server listens there
  DATACAT_DAEMON_PORT: "0",
  npm_config_update_notifier: "false",
};
const run = (command: string, args: string[]) =>
  spawnSync(command, args, { cwd: installed, env, encoding: "utf8" });

beforeAll(() => {
  execFileSync("npm", ["pack", "--pack-destination", folder], { cwd: root, env, stdio: "ignore" });
  mkdirSync(installed);
  const [tarball] = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  execFileSync("npm", ["init", "--yes"], { cwd: installed, env, stdio: "ignore" });
  execFileSync("npm", ["install", "--offline", join(folder, tarball ?? "")], {
    cwd: installed,
    env,
    stdio: "ignore",
  });
});
afterAll(() => {
  run("npx", ["--offline", "datacat", "daemon", "stop"]);
  rmSync(folder, { recursive: true, force: true });
});

test("the package is small, has the licences of what it bundles, and no dependencies", () => {
  const [tarball] = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  expect(statSync(join(folder, tarball ?? "")).size).toBeLessThan(1024 * 1024);
  expect(
    readdirSync(join(installed, "node_modules")).filter((name) => !name.startsWith(".")),
  ).toEqual(["datacat"]);
  expect(existsSync(join(installed, "node_modules/datacat/dist/licenses.txt"))).toBe(true);
});

test("the installed command works and records", () => {
  expect(run("npx", ["--offline", "datacat", "--version"]).stdout).toBe(`${VERSION}\n`);
  const ran = run("npx", ["--offline", "datacat", "run", "--", "sh", "-c", "echo packed; exit 6"]);
  expect(ran).toMatchObject({ status: 6, stdout: "packed\n" });
  const queue = run("npx", ["--offline", "datacat", "queue", "--json"]);
  const { lanes } = JSON.parse(queue.stdout) as { lanes: object[] };
  expect(lanes, queue.stdout).toContainEqual(
    expect.objectContaining({ program: "sh", damaged: 0 }),
  );
});

test("the package has the daemon: started by the command, and as an executable of its own", () => {
  const status = JSON.parse(
    run("npx", ["--offline", "datacat", "daemon", "start", "--json"]).stdout,
  ) as object;
  expect(status).toMatchObject({ version: VERSION });
  // A daemon of this home runs already, so this one exits.
  expect(run("npx", ["--offline", "datacat-daemon"]).status).toBe(0);
});

test("the file alone works, and is the daemon if that is its name", () => {
  const alone = join(folder, "alone");
  mkdirSync(alone);
  copyFileSync(join(installed, "node_modules/datacat/dist/datacat.js"), join(alone, "datacat.js"));
  symlinkSync("datacat.js", join(alone, "datacat-daemon"));
  expect(run(join(newNode, "node"), [join(alone, "datacat.js"), "--version"]).stdout).toBe(
    `${VERSION}\n`,
  );
  expect(run(join(newNode, "node"), [join(alone, "datacat-daemon")])).toMatchObject({
    status: 0,
    stdout: "",
  });
});
