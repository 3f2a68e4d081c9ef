/**
 * Copies the scripts that pages load from node_modules to public/vendor/, with the version in the name, so that browsers
 * may keep them for ever and no page needs another server. `npm run vendor` after changing a version in package.json.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

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

if (process.argv[1] === import.meta.filename) {
  mkdirSync(folder, { recursive: true });
  for (const file of readdirSync(folder)) rmSync(join(folder, file));
  for (const { from, to } of COPIES) copyFileSync(from, to);
}
