/** The package as it is published: packed, installed elsewhere, run by Nodes old and new, by Deno and Bun, seen by a user's compiler. */
import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CLIENT, VERSION } from "../../../clients/typescript/version.ts";
import { readLanes } from "./lanes.ts";
import { pack, source, TYPED_PROGRAM, type Packed } from "./packed.ts";
import { runtimes } from "./runtimes.ts";

const root = new URL("../../..", import.meta.url).pathname;

let packed: Packed;
let installed: string;

beforeAll(() => {
  packed = pack();
  packed.write("package.json", `{"type":"module"}`);
  packed.install(["--offline"]);
  installed = join(packed.folder, "node_modules/@datacat/client");
});
afterAll(() => packed[Symbol.dispose]());

type Manifest = { [key: string]: unknown; version: string };

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest; // npm's own format
}

test("a page without a bundler takes one file of at most 14.1 KB", () => {
  const file = readFileSync(join(installed, "dist/datacat.min.js"));
  expect(gzipSync(file, { level: 9 }).length).toBeLessThanOrEqual(14_400);
  expect(file.toString()).toMatch(/export\{[^}]*as open\b/);
  // A statement or a call: the scanner of secrets knows the program mongoimport.
  expect(file.toString()).not.toMatch(/\bimport(?:[({*"'.]|\s+[\w${*])/);
});

test("one version: the repository's, the package's, and the one that it sends", () => {
  expect(readManifest(installed).version).toBe(readManifest(root).version);
  expect(VERSION).toBe(readManifest(source).version);
  expect(CLIENT).toBe(`datacat-typescript ${VERSION}`);
});

test("it depends on nothing, names its licence and its origin, and holds no more than entry points reach", () => {
  const manifest = readManifest(installed);
  expect(manifest["dependencies"]).toBeUndefined();
  expect(manifest["peerDependenciesMeta"]).toEqual({
    "@playwright/test": { optional: true },
    jest: { optional: true },
    pino: { optional: true },
    vitest: { optional: true },
  });
  for (const key of ["repository", "bugs", "homepage", "author", "license", "engines"])
    expect(manifest).toHaveProperty(key);
  const licence = (folder: string) => readFileSync(join(folder, "LICENSE"), "utf8");
  expect(licence(installed)).toBe(licence(root));

  const files = globSync("dist/**/*.{js,ts}", { cwd: installed });
  expect(files.length).toBeGreaterThan(50);
  for (const file of files)
    expect(readFileSync(join(installed, file), "utf8"), file).not.toContain("valibot");
});

const nodes = [process.execPath, "/usr/bin/node"]
  .filter((node) => spawnSync(node, ["--version"]).status === 0)
  .map((node) => ({ name: node, command: [node], isMissing: false }));

/** The same program by either module system: a lane holds what it printed. */
function expectRecorded([program = "", ...args]: string[], file: string, text: string): void {
  const ran = packed.run([program, ...args, packed.write(file, text)]);
  expect(ran).toMatchObject({ status: 0, stdout: "hello\n", stderr: "" });
  const [lane] = readLanes({ lanes: join(packed.folder, "home/lanes") }).slice(-1);
  expect(lane?.records).toMatchObject([
    { op: "start", product: file },
    { name: "console", message: "hello" },
    { op: "end" },
  ]);
}

for (const { name, command, isMissing } of [...nodes, ...runtimes])
  test.skipIf(isMissing)(`${name} runs it by import and by require`, () => {
    const rest = `const session = open({ product: process.argv[1].split("/").at(-1) });
      captureConsole(session); destination(session); console.log("hello");`;
    expectRecorded(
      command,
      "program.mjs",
      `import { open } from "@datacat/client";
       import { captureConsole } from "@datacat/client/console";
       import { destination } from "@datacat/client/pino"; ${rest}`,
    );
    expectRecorded(
      command,
      "program.cjs",
      `const { open } = require("@datacat/client");
       const { captureConsole } = require("@datacat/client/console");
       const { destination } = require("@datacat/client/pino"); ${rest}`,
    );
  });

test("a user's compiler finds its types, and what is wrong with a call", () => {
  const options = "--noEmit --strict --module nodenext --target es2022";
  const libraries = ["--lib", "es2022,dom,esnext.disposable", "--types", ""];
  for (const file of ["user.mts", "user.cts"]) {
    packed.write(file, TYPED_PROGRAM);
    const tsc = join(root, "node_modules/.bin/tsc");
    const ran = packed.run([tsc, ...options.split(" "), ...libraries, file]);
    expect(ran).toMatchObject({ stdout: "", status: 0 });
  }
});

const [deno] = runtimes;
test.skipIf(deno?.isMissing)("deno check finds them, too", () => {
  // Without DOM types: nothing that concerns pages may need them.
  packed.write("user.ts", TYPED_PROGRAM);
  const ran = packed.run([deno?.command[0] ?? "", "check", "user.ts"]);
  expect(ran.stderr).not.toMatch(/error/i);
  expect(ran.status).toBe(0);
});
