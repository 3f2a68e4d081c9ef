/** The daemon, put together: one home, its lanes, and the loop that follows them. */
import { readFileSync, rmSync } from "node:fs";
import * as v from "valibot";
import { loadCheckpoint, saveCheckpoint, writeAtomically } from "./checkpoint.ts";
import { type Clock, systemClock } from "./clock.ts";
import { type Config, readConfig } from "./config.ts";
import { Facts } from "./facts.ts";
import { type Environment, type Home, homeAt, makePrivate, openHome } from "./home.ts";
import { newId } from "./id.ts";
import { Lanes } from "./lanes.ts";
import { IDLE_MS, LOCK_PATIENCE_MS, STOP_MS } from "./limits.ts";
import { Lock } from "./lock.ts";
import { Log, reason } from "./log.ts";
import { Loop } from "./loop.ts";
import { thisMachine, thisProcess } from "./machine.ts";
import { Monitor } from "./monitor.ts";
import { Sender } from "./sender.ts";
import { Uploader } from "./uploader.ts";

export const DAEMON_VERSION = "2.0.0";

export type DaemonOptions = {
  env: Environment;
  /** Where `./daemon_config.json` is looked for; 1.x's clients start the daemon in the program's folder. */
  folder?: string;
  /** Overrides the configured port; 0 takes a free one. */
  port?: number;
  /** Does not stop when there is nothing left to do. */
  stay?: boolean;
  clock?: Clock;
  random?: () => number;
  /** How long it waits without anything to do before it stops. */
  idleMs?: number;
};

export type Daemon = {
  home: Home;
  port: number;
  /** Settles when the daemon has stopped by itself, or by `stop`. The number is the process's exit code. */
  stopped: Promise<number>;
  /** Sends all there is now; false if that did not work in time. */
  flush(timeoutMs: number): Promise<boolean>;
  /** Sends what it can in a short time, leaves the rest in the lanes, and lets go of the home. */
  stop(): Promise<void>;
};

/** `daemon.json`: who serves a home. */
const Info = v.object({
  pid: v.number(),
  pid_started: v.optional(v.string()),
  port: v.number(),
  version: v.string(),
});
export type DaemonInfo = v.InferOutput<typeof Info>;

export function readInfo(home: Home): DaemonInfo | undefined {
  try {
    return v.parse(Info, JSON.parse(readFileSync(home.info, "utf8")));
  } catch {
    return undefined;
  }
}

/** Starts a daemon in this process; nothing if another one serves the home already. */
export async function runDaemon(options: DaemonOptions): Promise<Daemon | undefined> {
  const { env, clock = systemClock } = options;
  const userHome = openHome(env, process.platform);
  const config = readConfig(env, options.folder ?? workingFolder(), userHome.config);
  const home = config.isPrivate ? privateHome(userHome, config) : userHome;
  const lock = await Lock.take(home.lock, newId(clock.now()), LOCK_PATIENCE_MS);
  if (!lock) return undefined;

  const log = new Log(home.log, () => clock.now());
  log.write(`daemon ${DAEMON_VERSION} starts for ${home.folder}, sending to ${config.server}`);
  for (const complaint of config.complaints) log.write(complaint);

  const machine = thisMachine();
  const lanes = new Lanes(home, log, loadCheckpoint(home.checkpoint));
  const facts = new Facts(home.lanes, lanes, clock, machine);
  const monitor = new Monitor(lanes, facts, clock, machine, log);
  const uploader = new Uploader({ env, insecure: config.insecure, keys: config.keys });
  const sender: Sender = new Sender({
    lanes,
    uploader,
    log,
    dead: home.dead,
    server: config.server,
    calmMs: config.calmMs,
    now: () => clock.now(),
    random: options.random ?? Math.random,
    acknowledged: () => {
      saveProgress(home, lanes, sender, log);
    },
  });
  const idleMs = options.stay ? Number.POSITIVE_INFINITY : (options.idleMs ?? IDLE_MS);
  const loop = new Loop({ home, lanes, monitor, sender, lock, log, clock, idleMs });

  const port = 0;
  const info: DaemonInfo = { ...identity(), port, version: DAEMON_VERSION };
  writeAtomically(home.info, JSON.stringify(info));
  loop.start();

  const finish = async (): Promise<void> => {
    loop.stop();
    await sender.flush(undefined, STOP_MS);
    rmSync(home.info, { force: true });
    facts.close();
    await uploader.close();
    lock.release();
    log.write("daemon stops");
  };
  const stopped = loop.stopped.then(async (code) => {
    await finish().catch((error: unknown) => log.write(`stopping: ${reason(error)}`));
    return code;
  });
  return {
    home,
    port,
    stopped,
    flush: (timeoutMs) => sender.flush(undefined, timeoutMs),
    stop: async () => {
      loop.stop();
      await stopped;
    },
  };
}

/** Notes what was acknowledged, and removes what is done with. */
function saveProgress(home: Home, lanes: Lanes, sender: Sender, log: Log): void {
  lanes.reap();
  lanes.boundKnowledge();
  const memories = [...lanes.all].map(
    ([id, lane]) => [id, lane.memory(sender.serverOf(lane))] as const,
  );
  try {
    saveCheckpoint(home.checkpoint, new Map(memories));
    log.worked("saving the checkpoint");
  } catch (error) {
    log.failed("saving the checkpoint", reason(error));
  }
}

/** 1.x's way: each program has a daemon of its own, told apart by its port. */
function privateHome(userHome: Home, config: Config): Home {
  const home = homeAt(`${userHome.folder}/private/${config.port}`);
  makePrivate(home);
  return home;
}

function identity(): Pick<DaemonInfo, "pid" | "pid_started"> {
  const { pid_started } = thisProcess();
  return { pid: process.pid, ...(pid_started !== undefined && { pid_started }) };
}

function workingFolder(): string {
  try {
    return process.cwd();
  } catch {
    return "/"; // it was deleted under us
  }
}
