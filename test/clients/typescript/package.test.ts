/** The package as it is published: packed, installed elsewhere, run by Nodes old and new, by Deno and Bun, seen by a user's compiler. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { VERSION } from "../../../clients/typescript/version.ts";
import { readLanes } from "./lanes.ts";
import { runtimes } from "./runtimes.ts";

const root = new URL("../../..", import.meta.url).pathname;
const source = join(root, "clients/typescript");
const folder = mkdtempSync(join(tmpdir(), "datacat-package-"));
const installed = join(folder, "node_modules/@datacat/client");

beforeAll(() => {
  const env = { ...process.env, PATH: `${join(root, "node_modules/.bin")}:${process.env["PATH"]}` };
  const packed = execFileSync("npm", ["pack", "--json", "--pack-destination", folder], {
    cwd: source,
    env,
    encoding: "utf8",
  });
  // npm prints what the build says first.
  const listing: unknown = JSON.parse(packed.slice(packed.search(/[[{]\s*["{\n]/)));
  const [entry] = Object.values(listing as { [name: string]: { filename: string } }); // npm's own format: a list, or by name
  writeFileSync(join(folder, "package.json"), `{"type":"module"}`);
  const tarball = join(folder, entry?.filename ?? "");
  execFileSync("npm", ["install", "--offline", "--no-audit", tarball], { cwd: folder, env });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run([program = "", ...words]: string[], script: string) {
  const file = join(folder, "program.js");
  writeFileSync(file, script);
  const env = {
    PATH: process.env["PATH"],
    DATACAT_HOME: join(folder, "home"),
    DATACAT_DAEMON: "off",
  };
  return spawnSync(program, [...words, file], { encoding: "utf8", env, cwd: folder });
}

test("a page without a bundler takes one file of at most 6 KB", () => {
  const file = readFileSync(join(installed, "dist/datacat.min.js"));
  expect(gzipSync(file, { level: 9 }).length).toBeLessThanOrEqual(6_144);
  expect(file.toString()).toMatch(/export\{[^}]*as open\b/);
  expect(file.toString()).not.toMatch(/\bimport\b/);
});

test("its version is the one that it tells the server", () => {
  const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as {
    [key: string]: unknown;
  };
  expect(manifest["version"]).toBe(VERSION);
  expect(manifest["dependencies"]).toBeUndefined();
});

const USER = `import { open, type Session } from "@datacat/client";
     import { open as openPage } from "@datacat/client/browser";
     import { record } from "@datacat/client/worker";
     const session: Session = open({ product: "typed", state: { level: 1 } });
     session.gauge("fps", 60, { unit: "fps" });
     const seven: number = session.time("work", () => 7);
     const id: string = openPage({ url: "" }).id;
     void record({ waitUntil() {} }, {}, async (worker) => worker.logEvent(id));
     // @ts-expect-error -- a gauge needs a number
     session.gauge("fps", "sixty");
     export { seven };`;

const nodes = [process.execPath, "/usr/bin/node"]
  .filter((node) => spawnSync(node, ["--version"]).status === 0)
  .map((node) => ({ name: node, command: [node], isMissing: false }));

for (const { name, command, isMissing } of [...nodes, ...runtimes])
  test.skipIf(isMissing)(`${name} runs it without anything else installed`, () => {
    const ran = run(
      command,
      `import { open } from "@datacat/client";
       import { captureConsole } from "@datacat/client/console";
       import { destination } from "@datacat/client/pino";
       const session = open({ product: "packed" });
       captureConsole(session); destination(session); console.log("hello");`,
    );
    expect(ran).toMatchObject({ status: 0, stdout: "hello\n", stderr: "" });
    const lanes = readLanes({ lanes: join(folder, "home/lanes") });
    expect(lanes.at(-1)?.records).toMatchObject([
      { op: "start", product: "packed" },
      { name: "console", message: "hello" },
      { op: "end" },
    ]);
  });

test("a user's compiler finds its types, and what is wrong with a call", () => {
  writeFileSync(join(folder, "user.ts"), USER);
  const options = [
    "--noEmit",
    "--strict",
    "--module",
    "nodenext",
    "--target",
    "es2022",
    "--lib",
    "es2022,dom,esnext.disposable",
    "--types",
    "",
  ];
  const ran = spawnSync(join(root, "node_modules/.bin/tsc"), [...options, "user.ts"], {
    cwd: folder,
    encoding: "utf8",
  });
  expect(ran.stdout).toBe("");
  expect(ran.status).toBe(0);
});

const [deno] = runtimes;
test.skipIf(deno?.isMissing)("deno check finds them, too", () => {
  // Without DOM types; what is a page's is no business of Deno's.
  writeFileSync(join(folder, "user.ts"), USER);
  const ran = spawnSync(deno?.command[0] ?? "", ["check", "user.ts"], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  });
  expect(ran.stderr).not.toMatch(/error/i);
  expect(ran.status).toBe(0);
});
