/**
 * The packed package in the tools of those who use it: resolved by TypeScript in every mode, run by Jest, bundled by esbuild, webpack
 * and vite. The tools come from the npm registry, so this runs in CI only.
 */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readLanes } from "./lanes.ts";
import { pack, TYPED_PROGRAM, type Packed } from "./packed.ts";

const TOOLS = [
  "@arethetypeswrong/cli@0.18.5",
  "esbuild@0.28",
  "jest@30",
  "publint@0.3",
  "typescript@5.9",
  "vite@8",
  "webpack@5",
];
const isCi = process.env["CI"] === "true";
/** Installing takes half a minute, all tests together as long. */
const LONGEST_MS = 90_000;

let packed: Packed;

beforeAll(() => {
  if (!isCi) return;
  packed = pack();
  packed.write("package.json", `{"private":true}`);
  packed.install(["--ignore-scripts", "--prefer-offline"], ...TOOLS);
}, LONGEST_MS);
afterAll(() => packed?.[Symbol.dispose]());

const inCi = test.runIf(isCi);

/** Runs a tool that npm has installed; a failure shows what it printed. */
function runTool(name: string, ...args: string[]): void {
  const { status, stdout, stderr } = packed.run([bin(name), ...args]);
  expect(`${status}\n${status === 0 ? "" : stdout + stderr}`).toBe("0\n");
}

function bin(name: string): string {
  return join(packed.folder, "node_modules/.bin", name);
}

/** Runs a program, which records what it prints. */
function expectRecorded(command: readonly string[]): void {
  expect(packed.run(command)).toMatchObject({ status: 0, stdout: "hello\n", stderr: "" });
  const [lane] = readLanes({ lanes: join(packed.folder, "home/lanes") }).slice(-1);
  expect(lane?.records).toMatchObject([
    { op: "start", product: command.at(-1) },
    { name: "console", message: "hello" },
    { op: "end" },
  ]);
}

const PROGRAM = `import { open } from "@datacat/client";
  import { captureConsole } from "@datacat/client/console";
  captureConsole(open({ product: process.argv[1] }));
  console.log("hello");`;

inCi("its types and files are right in the eyes of attw and publint", () => {
  // ES modules for pages, and nothing else.
  const page = ["--exclude-entrypoints", "datacat.min.js", "datacat-attach.min.js"];
  runTool("attw", packed.tarball, "--no-definitely-typed", ...page);
  runTool("publint", packed.tarball, "--strict");
});

inCi.each([
  ["node10", "commonjs", "user.ts"],
  ["node16", "node16", "user.cts", "user.mts"],
  ["nodenext", "nodenext", "user.cts", "user.mts"],
  ["bundler", "esnext", "user.ts"],
])("TypeScript finds its types with the resolution %s", (resolution, module, ...files) => {
  for (const file of files) packed.write(file, TYPED_PROGRAM);
  const options = `--noEmit --strict --target es2022 --lib es2022,dom,esnext.disposable`;
  const how = ["--moduleResolution", resolution, "--module", module];
  runTool("tsc", ...options.split(" "), ...how, ...files);
});

inCi("Jest runs programs that require it", () => {
  packed.write(
    "recording.test.js",
    `const { open } = require("@datacat/client");
     const { destination } = require("@datacat/client/pino");
     test("records", () => {
       const session = open({ product: "jest" });
       destination(session).write(JSON.stringify({ level: 30, msg: "hello" }) + "\\n");
       session.end();
       expect(session.stats()).toMatchObject({ records: 3, dropped: {} });
     });`,
  );
  runTool("jest", "--rootDir", packed.folder);
});

inCi.each(["esm", "cjs"])("esbuild bundles it as %s", (format) => {
  const outfile = join(packed.folder, `esbuild.${format === "esm" ? "mjs" : "cjs"}`);
  const file = packed.write("program.mjs", PROGRAM);
  runTool(
    "esbuild",
    file,
    "--bundle",
    "--platform=node",
    `--format=${format}`,
    `--outfile=${outfile}`,
  );
  expectRecorded([process.execPath, outfile]);
});

inCi.each(["esm", "cjs"])("webpack bundles it as %s", (format) => {
  const filename = `webpack.${format === "esm" ? "mjs" : "cjs"}`;
  const library = format === "esm" ? "module" : "commonjs2";
  packed.write("program.mjs", PROGRAM);
  const config = packed.write(
    "webpack.config.cjs",
    `module.exports = {
       mode: "none", target: "node20", entry: "./program.mjs",
       experiments: { outputModule: ${format === "esm"} },
       output: { path: __dirname, filename: "${filename}", library: { type: "${library}" } },
     };`,
  );
  const run = packed.write(
    "webpack.cjs",
    `require("webpack")(require(${JSON.stringify(config)}), (error, stats) => {
       if (error || stats.hasErrors()) throw error ?? new Error(stats.toString());
     });`,
  );
  const built = packed.run([process.execPath, run]);
  expect(built).toMatchObject({ status: 0, stderr: "" });
  expectRecorded([process.execPath, join(packed.folder, filename)]);
});

inCi.each(["esm", "cjs"])("vite bundles it as %s", (format) => {
  const filename = `vite.${format === "esm" ? "mjs" : "cjs"}`;
  packed.write("program.mjs", PROGRAM);
  packed.write(
    "vite.config.mjs",
    `export default {
       ssr: { noExternal: true },
       build: {
         ssr: "program.mjs", outDir: ".", emptyOutDir: false, target: "node20",
         rollupOptions: { output: { format: "${format}", entryFileNames: "${filename}" } },
       },
     };`,
  );
  runTool("vite", "build", "--logLevel", "error");
  expectRecorded([process.execPath, join(packed.folder, filename)]);
});

inCi.each(["esbuild", "vite"])("%s bundles it for pages without anything of Node", (tool) => {
  packed.write("page.js", `import { open } from "@datacat/client"; open({ url: "/" });`);
  packed.write("index.html", `<script type="module" src="/page.js"></script>`);
  packed.write("vite.config.mjs", `export default { build: { outDir: "site" } };`);
  if (tool === "esbuild") runTool("esbuild", "page.js", "--bundle", "--outfile=site/page.js");
  else runTool("vite", "build", "--logLevel", "error");
});
