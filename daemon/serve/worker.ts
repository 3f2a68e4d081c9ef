/** The Worker as `wrangler deploy` would ship it, for Miniflare: its code in one module, its settings from wrangler.toml. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { V4WorkerOptions, V4WorkerOptionsShape } from "miniflare";
import { unstable_getMiniflareWorkerOptions } from "wrangler";

/** The top folder of the repository. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

export async function readWorker(bindings: Record<string, string>): Promise<V4WorkerOptions> {
  const { workerOptions, main } = unstable_getMiniflareWorkerOptions(join(root, "wrangler.toml"));
  // Omit<> in wrangler's type has lost the names of the properties, which are Miniflare's.
  const settings = workerOptions as V4WorkerOptionsShape;
  const code = await bundle(main ?? join(root, "src/index.ts"));
  return {
    ...settings,
    name: "datacat", // names the folders of its data
    modulesRoot: root,
    modules: [{ type: "ESModule", path: join(root, "index.js"), contents: code }],
    bindings: { ...settings.bindings, ...bindings },
  };
}

/** Takes 60 ms, so there is nothing to keep between runs that could be out of date. */
async function bundle(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    absWorkingDir: root,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    loader: { ".sql": "text" },
    jsx: "automatic",
    jsxImportSource: "hono/jsx",
    sourcemap: "inline", // stacks in the log name our files
    logLevel: "silent", // what is wrong is in the error that it throws
  });
  const [file] = outputFiles;
  if (!file) throw new Error(`esbuild made nothing of ${entry}.`);
  return file.text;
}
