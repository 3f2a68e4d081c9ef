/** Finding the daemon of a home, and starting one that outlives whoever started it. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { parse, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type Environment, home } from "../home.ts";
import type { DaemonInfo } from "../main.ts";
import { isAlive } from "../watch/processes.ts";

/** The daemon that serves the environment's home, if it lives. */
export function findDaemon(env: Environment): DaemonInfo | undefined {
  try {
    // Written whole by the daemon, then renamed into place.
    const text = readFileSync(home(env, process.platform).info, "utf8");
    const info = JSON.parse(text) as DaemonInfo;
    return isAlive(info.pid, info.pid_started) ? info : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Starts a daemon unless one runs or `DATACAT_DAEMON=off`, detached and never waited for; says which it was.
 * Two that start at once are sorted out by the daemon's own lock. `keeper`: the process for whose life it stays, busy or not.
 */
export function ensureDaemon(env: Environment, keeper?: number): "off" | "running" | "started" {
  if (env["DATACAT_DAEMON"] === "off") return "off";
  if (findDaemon(env)) return "running";
  const chosen = env["DATACAT_DAEMON"];
  const [program, args] = chosen
    ? [chosen, []]
    : [process.execPath, [ownProgram(), "daemon", "run", ...(keeper ? [`--while=${keeper}`] : [])]];
  const child = spawn(program, args, {
    env: {
      ...env,
      ...(env["DATACAT_HOME"] && { DATACAT_HOME: resolve(env["DATACAT_HOME"]) }),
      ...NOT_ITS,
    },
    cwd: parse(process.execPath).root, // it would keep the present folder from being removed or unmounted
    detached: true,
    stdio: "ignore",
    windowsHide: true,
  });
  child.on("error", () => {}); // not to be found: the lanes wait until one runs
  child.unref();
  return "started";
}

/** Meant for programs, or for the daemons that 1.x's clients start for themselves. */
const NOT_ITS = { DATACAT_SESSION: undefined, DATACAT_CONFIG: undefined };

/** The file of the `datacat` command: this very one once everything is bundled into it. */
function ownProgram(): string {
  const here = fileURLToPath(import.meta.url);
  return here.endsWith(".ts") ? fileURLToPath(new URL("./main.ts", import.meta.url)) : here;
}
