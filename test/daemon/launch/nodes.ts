/** The Nodes of this machine that the launchers are tested with. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

export const newNode = join(import.meta.dirname, "../../../node_modules/.bin/node");

/** One of PATH that is too old for TypeScript, which is what the launchers are for: they start the newer one. */
export const oldNode = (process.env["PATH"] ?? "")
  .split(delimiter)
  .map((folder) => join(folder, "node"))
  .find((path) => {
    if (!existsSync(path)) return false;
    const { stdout } = spawnSync(path, ["-p", "process.versions.node"], { encoding: "utf8" });
    return stdout !== "" && Number.parseInt(stdout, 10) < 24;
  });
