/**
 * `npm run vendor`: copies the scripts that pages load from node_modules to public/vendor/, with the version in the name, so that
 * browsers may cache them without limit; and generates public/format.js and public/scale.js from src/core/text.
 * Run it after a change of a version in package.json or of those files.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { transformSync } from "esbuild";

const root = join(import.meta.dirname, "../..");
const modules = join(root, "node_modules");
export const folder = join(root, "public/vendor");

/** @param {string} name */
function versionOf(name) {
  return JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8")).version;
}

/** Each file in public/vendor/, and what it is a copy of. */
export const COPIES = [
  [`htmx-${versionOf("htmx.org")}.min.js`, "htmx.org/dist/htmx.min.js"],
  [`hx-ws-${versionOf("htmx.org")}.min.js`, "htmx.org/dist/ext/hx-ws.min.js"],
  [`chart-${versionOf("chart.js")}.min.js`, "chart.js/dist/chart.umd.min.js"],
].map(([to, from]) => ({ to: join(folder, to ?? ""), from: join(modules, from ?? "") }));

/** public/NAME.js: src/core/text/NAME.ts without its types. */
export const GENERATED = ["format", "scale"].map((name) => ({
  name,
  to: join(root, `public/${name}.js`),
  text: () =>
    transformSync(
      readFileSync(join(root, `src/core/text/${name}.ts`), "utf8").replaceAll('.ts";', '.js";'),
      {
        loader: "ts",
        banner: `// Generated from src/core/text/${name}.ts by \`npm run vendor\`. Do not edit.\n// @ts-nocheck`,
        target: "es2022",
      },
    ).code,
}));

if (process.argv[1] === import.meta.filename) {
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(folder)) rmSync(join(folder, file));
  for (const { from, to } of COPIES) copyFileSync(from, to);
  for (const { to, text } of GENERATED) writeFileSync(to, text());
}
