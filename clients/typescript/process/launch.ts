/** Starts a daemon if none runs (clients/README.md, "Starting the daemon"). Never waits for it. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { isGranted } from "./permission.ts";
import { onPath, runtimeFor } from "./runtime.ts";
import type { Environment } from "../settings.ts";
import { startOf } from "./writer.ts";

/** Starts a daemon for this home, unless one runs, or `DATACAT_DAEMON` is off, or none can be found. */
export function wakeDaemon(home: string, env: Environment): void {
  const wanted = env["DATACAT_DAEMON"];
  const mayStart = isGranted({ name: "run" }) && isGranted({ name: "read" });
  if (wanted === "off" || !mayStart || isRunning(home)) return;
  const command = commandFor(wanted, env);
  if (command === undefined) return;

  try {
    const [program, ...args] = command;
    const daemon = spawn(program, args, {
      detached: true,
      stdio: "ignore",
      windowsHide: true,
      // The daemon outlives this program and serves others, so it neither occupies its folder nor reads 1.x's settings of it.
      cwd: home,
      env: { ...env, DATACAT_HOME: home, DATACAT_CONFIG: undefined },
    });
    daemon.on("error", () => {}); // not executable: the lane waits for the next daemon
    daemon.unref();
  } catch {
    // no more processes are allowed: the lane waits for the next daemon
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
  const found = wanted || onPath("datacat-daemon", env) || packaged();
  if (!found) return undefined;
  if (!/\.[cm]?[jt]s$/.test(found)) return [found];
  const runtime = runtimeFor(env);
  return runtime && [runtime.program, ...runtime.run, found];
}

/** The daemon of the `datacat` package, if that is installed beside this package or in the working folder. */
function packaged(): string | undefined {
  return daemonSeenFrom(import.meta.url) ?? daemonSeenFrom(join(process.cwd(), "package.json"));
}

function daemonSeenFrom(file: string): string | undefined {
  try {
    const manifest = createRequire(file).resolve("datacat/package.json");
    // A manifest that npm has installed, so its shape is npm's.
    const { bin } = JSON.parse(readFileSync(manifest, "utf8")) as {
      bin?: { [name: string]: string };
    };
    const script = bin?.["datacat-daemon"];
    return script === undefined ? undefined : join(manifest, "..", script);
  } catch {
    return undefined; // not installed there, or the folder does not exist
  }
}
