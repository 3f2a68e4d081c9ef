/** Starts a daemon if none runs (clients/README.md, "Starting the daemon"). Never waits for it. */
import { spawn } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isGranted } from "./permission.ts";
import { onPath, runtimeFor, WITHOUT_PRELOADS } from "./runtime.ts";
import type { Environment } from "../settings.ts";
import { startOf } from "./writer.ts";

/** Starts a daemon for this home, unless one runs, or `DATACAT_DAEMON` is off, or none can be found. */
export function wakeDaemon(home: string, env: Environment): void {
  const wanted = env["DATACAT_DAEMON"];
  const mayStart = isGranted({ name: "run" }) && isGranted({ name: "read" });
  if (wanted === "off" || !mayStart || isRunning(home)) return;
  try {
    const command = commandFor(wanted, env);
    if (command === undefined) return;
    const [program, ...args] = command;
    const daemon = spawn(program, args, {
      detached: true,
      stdio: "ignore",
      windowsHide: true,
      // The daemon outlives this program and serves others, so it neither occupies its folder nor reads 1.x's settings of it.
      cwd: home,
      env: { ...env, ...WITHOUT_PRELOADS, DATACAT_HOME: resolve(home), DATACAT_CONFIG: undefined },
    });
    daemon.on("error", () => {}); // not executable: the lane waits for the next daemon
    daemon.unref();
  } catch {
    // no more processes are allowed, or there is no current folder: the lane waits for the next daemon
  }
}

function isRunning(home: string): boolean {
  try {
    const daemon = JSON.parse(readFileSync(join(home, "daemon.json"), "utf8")) as {
      pid: number;
      pid_started?: string;
    };
    const started = startOf(daemon.pid);
    if (started !== undefined && daemon.pid_started) return started === daemon.pid_started;
    process.kill(daemon.pid, 0);
    return true;
  } catch (thrown) {
    // EPERM: the process exists, and belongs to another user.
    return thrown instanceof Error && "code" in thrown && thrown.code === "EPERM";
  }
}

/** The command that starts the daemon. A script is run by a Node; anything else is executable. */
function commandFor(
  wanted: string | undefined,
  env: Environment,
): [string, ...string[]] | undefined {
  const named = wanted && (basename(wanted) === wanted ? onPath(wanted, env) : resolve(wanted));
  const found = wanted ? named : (onPath("datacat-daemon", env) ?? packaged());
  if (!found) return undefined;
  if (!/\.[cm]?[jt]s$/.test(found)) return [found];
  const runtime = runtimeFor(env);
  return runtime && [runtime.program, ...runtime.run, found];
}

/**
 * The daemon of the `datacat` package, if that is installed beside this package. Node also looks in the folders above, into which another
 * user may write (/tmp), so it has to belong to whom this package or this process belongs.
 */
function packaged(): string | undefined {
  try {
    const manifest = createRequire(import.meta.url).resolve("datacat/package.json");
    // A manifest that npm has installed, so its shape is npm's.
    const { bin } = JSON.parse(readFileSync(manifest, "utf8")) as {
      bin?: { [name: string]: string };
    };
    const name = bin?.["datacat-daemon"];
    if (name === undefined) return undefined;
    const script = join(manifest, "..", name);
    const owners = [statSync(fileURLToPath(import.meta.url)).uid, process.getuid?.() ?? 0, 0];
    return owners.includes(statSync(script).uid) ? script : undefined;
  } catch {
    return undefined; // not installed
  }
}
