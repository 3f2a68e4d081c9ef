/** The Worker as `wrangler deploy` would ship it, for Miniflare: its code in one module, its settings from wrangler.toml. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build, stop } from "esbuild";
import type { V4WorkerOptions, V4WorkerOptionsShape } from "miniflare";

/** The top folder of the repository. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** Made once per process: it is half of the CPU time of a start, and tests start many servers in one process. */
let code: Promise<string> | undefined;

export async function readWorker(bindings: Record<string, string>): Promise<V4WorkerOptions> {
  const options = await readSettings();
  code ??= bundleOnce();
  return {
    ...options,
    name: "datacat", // names the folders of its data
    modulesRoot: root,
    modules: [{ type: "ESModule", path: join(root, "index.js"), contents: await code }],
    bindings: { ...options.bindings, ...bindings },
  };
}

async function bundleOnce(): Promise<string> {
  const bundled = await bundle(join(root, "src/index.ts"));
  await stop(); // esbuild's own process: 90 MiB
  return bundled;
}

/**
 * wrangler.toml as options of Miniflare. Only wrangler can translate it, and loading wrangler takes more than a second, so its
 * answer is kept for as long as the file, its folder and wrangler stay the same.
 */
async function readSettings(): Promise<V4WorkerOptionsShape> {
  const config = join(root, "wrangler.toml");
  const lock = join(root, "node_modules/.package-lock.json"); // changes with every install
  const hash = createHash("sha256").update(`3 ${root}`).update(readFileSync(config));
  const key = hash.update(existsSync(lock) ? readFileSync(lock) : "").digest("hex");
  const kept = join(root, "node_modules/.cache/datacat", `${key}.json`);
  try {
    return JSON.parse(readFileSync(kept, "utf8")) as V4WorkerOptionsShape; // written only below
  } catch {
    // The first time, or the file is incomplete.
  }

  const script = join(import.meta.dirname, "worker-settings.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [script, config], { cwd: root });
  try {
    mkdirSync(dirname(kept), { recursive: true });
    writeFileSync(kept, stdout);
  } catch {
    // A read-only installation: each start takes longer.
  }
  return JSON.parse(stdout) as V4WorkerOptionsShape; // wrangler's own
}

/** Takes 60 ms, so nothing is kept between starts that could be out of date. */
export async function bundle(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    absWorkingDir: root,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    loader: { ".sql": "text", ".md": "text" },
    jsx: "automatic",
    jsxImportSource: "hono/jsx",
    sourcemap: "inline", // stacks in the log name our files
    sourcesContent: false, // four fifths of the map, which this process and workerd keep in memory
    logLevel: "silent", // the error that it throws contains the messages
  });
  const [file] = outputFiles;
  if (!file) throw new Error(`esbuild returned no file for ${entry}.`);
  return file.text;
}
