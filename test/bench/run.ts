/** Runs one benchmark, or names those there are: `npm run bench session`. Each prints a table for README.md beside this file. */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { basename, join } from "node:path";

const folder = import.meta.dirname;
const benches = new Map(
  globSync("*.bench.ts", { cwd: folder }).map((file) => [
    basename(file, ".bench.ts"),
    join(folder, file),
  ]),
);
const [name = "", ...rest] = process.argv.slice(2);
const file = benches.get(name);
if (!file) {
  console.log(`npm run bench NAME, where NAME is one of: ${[...benches.keys()].sort().join(", ")}`);
  process.exit(name === "" ? 0 : 2);
}
process.exit(spawnSync(process.execPath, [file, ...rest], { stdio: "inherit" }).status ?? 1);
