/** Finds the daemon of a home, and starts one that outlives the process that started it. */
import { spawn } from "node:child_process";
import { basename, parse, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type Environment, home } from "../home.ts";
import { type DaemonInfo, readInfo } from "../info.ts";
import { programPath } from "../program-path.ts";
import { isAlive } from "../watch/processes.ts";

/** The daemon that serves the environment's home, if its process is alive. */
export function findDaemon(env: Environment): DaemonInfo | undefined {
  const info = readInfo(home(env, process.platform));
  return info && isAlive(info.pid, info.pid_started) ? info : undefined;
}

/**
 * Starts a detached daemon and does not wait for it, unless one runs or DATACAT_DAEMON is `off`. Of two that start at the same time, the
 * daemon's lock lets one continue. `keeper`: the daemon stays as long as this process runs, also with nothing to do.
 */
export function ensureDaemon(env: Environment, keeper?: number): "off" | "running" | "started" {
  if (env["DATACAT_DAEMON"] === "off") return "off";
  if (findDaemon(env)) return "running";
  const named = env["DATACAT_DAEMON"];
  const chosen =
    named && basename(named) === named ? programPath(named, env) : named && resolve(named);
  const [program, args] = chosen
    ? [chosen, []]
    : [process.execPath, [ownProgram(), "daemon", "run", ...(keeper ? [`--while=${keeper}`] : [])]];
  const child = spawn(program, args, {
    env: {
      ...env,
      ...(env["DATACAT_HOME"] && { DATACAT_HOME: resolve(env["DATACAT_HOME"]) }),
      ...UNSET,
    },
    cwd: parse(process.execPath).root, // a process keeps its working folder from being removed or unmounted
    detached: true,
    stdio: "ignore",
    windowsHide: true,
  });
  child.on("error", () => {}); // not found: the lanes stay on disk until a daemon runs
  child.unref();
  return "started";
}

/** For programs only, or for the private daemons of 1.x's clients. NODE_OPTIONS may name files of the folder of the program. */
const UNSET = { DATACAT_SESSION: undefined, DATACAT_CONFIG: undefined, NODE_OPTIONS: undefined };

/** The file of the `datacat` command; in the bundle that is this file. */
function ownProgram(): string {
  const here = fileURLToPath(import.meta.url);
  return here.endsWith(".ts") ? fileURLToPath(new URL("./main.ts", import.meta.url)) : here;
}
