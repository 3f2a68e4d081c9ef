/**
 * Builds what is published: ES modules with their types in dist/esm, the same as CommonJS in dist/cjs, and one file for pages without a
 * bundler. The version in package.json becomes the constant in version.ts.
 */
import { execSync } from "node:child_process";
import { cpSync, globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { build } from "esbuild";
import { PAGE_BUNDLE } from "./page-bundle.mjs";

const ENTRIES = [
  "node",
  "browser",
  "worker",
  "attach/attach",
  "integrations/console",
  "integrations/jest",
  "integrations/node-test",
  "integrations/pino",
  "integrations/playwright",
  "integrations/vitest",
];
process.chdir(import.meta.dirname);

const { version } = JSON.parse(readFileSync("package.json", "utf8"));
const source = readFileSync("version.ts", "utf8");
writeFileSync("version.ts", source.replace(/VERSION = ".*"/, `VERSION = "${version}"`));

rmSync("dist", { recursive: true, force: true });
execSync("tsc -p tsconfig.build.json", { stdio: "inherit" });
removeUnreached("dist/esm");
// Compilers before 5.7 find no types behind the name of a source file.
for (const file of globSync("dist/esm/**/*.d.ts")) {
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace(/(["'])(\.[^"']+)\.ts\1/g, "$1$2.js$1"));
}
cpSync("dist/esm", "dist/cjs", {
  recursive: true,
  filter: (path) => !path.endsWith(".js"),
});
await build({
  entryPoints: globSync("dist/esm/**/*.js"),
  outbase: "dist/esm",
  outdir: "dist/cjs",
  format: "cjs",
  target: "es2022",
  // What takes a module's URL takes its path, too.
  define: { "import.meta.url": "__filename" },
});
writeFileSync("dist/cjs/package.json", `{"type":"commonjs"}\n`);

await build({
  entryPoints: ["browser.ts"],
  outfile: "dist/datacat.min.js",
  ...PAGE_BUNDLE,
});
await build({
  entryPoints: ["attach/attach.ts"],
  outfile: "dist/datacat-attach.min.js",
  ...PAGE_BUNDLE,
});

/** Removes what no entry point imports, such as core's schemas, of which only types are used. */
function removeUnreached(folder) {
  const reached = new Set();
  for (const extension of [".js", ".d.ts"])
    for (const entry of ENTRIES) reach(join(folder, "clients/typescript", entry + extension));
  for (const file of globSync(`${folder}/**/*.{js,ts}`)) if (!reached.has(file)) rmSync(file);

  function reach(file) {
    if (reached.has(file)) return;
    reached.add(file);
    const extension = file.endsWith(".d.ts") ? ".d.ts" : ".js";
    const text = readFileSync(file, "utf8");
    for (const [, path] of text.matchAll(/(?:from|import) ?\(?"(\.[^"]+)"/g))
      reach(join(dirname(file), path.replace(/\.[jt]s$/, extension)));
  }
}
