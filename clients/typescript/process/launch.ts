/** Makes sure that a daemon runs (clients/README.md, "Starting the daemon"), without ever waiting for it. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { isGranted } from "./permission.ts";
import { onPath, runtimeFor } from "./runtime.ts";
import type { Environment } from "../settings.ts";
import { startOf } from "./writer.ts";

/** Starts a daemon for this home, unless one runs or none is wanted or none can be found. */
export function wakeDaemon(home: string, env: Environment): void {
  const wanted = env["DATACAT_DAEMON"];
  const mayStart = isGranted({ name: "run" }) && isGranted({ name: "read" });
  if (wanted === "off" || !mayStart || isRunning(home)) return;
  const command = commandFor(wanted, env);
  if (command === undefined) return;

  try {
    const [program, ...words] = command;
    const daemon = spawn(program, words, {
      detached: true,
      stdio: "ignore",
      windowsHide: true,
      // It outlives this program and serves others: not from a folder that may go, nor with 1.x's private settings.
      cwd: home,
      env: { ...env, DATACAT_HOME: home, DATACAT_CONFIG: undefined },
    });
    daemon.on("error", () => {}); // not executable after all: the lane waits for the next daemon
    daemon.unref();
  } catch {
    // no more processes allowed: likewise
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
    // Another user's process exists, but may not be signalled.
    return thrown instanceof Error && "code" in thrown && thrown.code === "EPERM";
  }
}

/** A script needs something that runs it; anything else runs by itself. */
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

/** The `datacat` package's daemon, if it is installed beside this one, or where the program runs. */
function packaged(): string | undefined {
  return daemonSeenFrom(import.meta.url) ?? daemonSeenFrom(join(process.cwd(), "package.json"));
}

function daemonSeenFrom(file: string): string | undefined {
  try {
    const manifest = createRequire(file).resolve("datacat/package.json");
    // A package's manifest; npm has read it before us.
    const { bin } = JSON.parse(readFileSync(manifest, "utf8")) as {
      bin?: { [name: string]: string };
    };
    const script = bin?.["datacat-daemon"];
    return script === undefined ? undefined : join(manifest, "..", script);
  } catch {
    return undefined; // not installed there, or the folder is gone
  }
}
